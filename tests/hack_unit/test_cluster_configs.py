"""The configuration files of the components (hack/cluster/configs.py, toml.py, network.py)."""

import json
import tomllib
from pathlib import Path

import pytest
import yaml

from hack.cluster import configs, toml
from hack.cluster.layout import Layout
from hack.cluster.pause import IMAGE

LAYOUT = Layout(Path("/checkout/.local/cluster"))
FILES = {path.name: text for path, text in configs.files(LAYOUT).items()}


@pytest.mark.parametrize(
    "document",
    [
        {"plain": 1, "flag": True, "text": 'with "quotes"', "list": ["a", "b"]},
        {"outer": {"inner": {"deep": False}}, "plain": 1},
        {"a.b/c": {"http://10.88.0.1:5000": {"x": []}}},
    ],
)
def test_toml_text_reads_back_equal(document: dict[str, toml.Value]) -> None:
    """Python's own reader is the judge."""
    assert tomllib.loads(toml.dumps(document)) == document


def test_plain_values_stand_before_tables() -> None:
    """Behind a table's head they would belong to it."""
    assert toml.dumps({"table": {"a": 1}, "plain": 2}).startswith('"plain" = 2\n')


def test_every_file_lies_in_the_folder_of_settings() -> None:
    """`down` finds them there."""
    assert all(path.is_relative_to(LAYOUT.config) for path in configs.files(LAYOUT))


def test_containerd_runs_where_out_of_memory_scores_cannot_be_lowered() -> None:
    """Without CAP_SYS_RESOURCE runc would fail with "can't get final child's PID from pipe"."""
    cri = tomllib.loads(FILES["containerd.toml"])["plugins"]["io.containerd.grpc.v1.cri"]

    assert cri["restrict_oom_score_adj"] is True
    assert cri["sandbox_image"] == IMAGE
    assert cri["containerd"]["discard_unpacked_layers"] is True


def test_containerd_reaches_the_registry_over_plain_http() -> None:
    """The file lies where containerd looks for this registry."""
    (path,) = (path for path in configs.files(LAYOUT) if path.name == "hosts.toml")

    assert path == LAYOUT.config / "registries" / "10.88.0.1:5000" / "hosts.toml"
    assert tomllib.loads(FILES["hosts.toml"])["server"] == "http://10.88.0.1:5000"


def test_the_kubelet_starts_on_cgroup_version_1_and_with_swap() -> None:
    """Both are refused by default."""
    kubelet = yaml.safe_load(FILES["kubelet.yaml"])

    assert kubelet["failCgroupV1"] is False
    assert kubelet["failSwapOn"] is False
    assert kubelet["cgroupDriver"] == "cgroupfs"


def test_the_kubelet_lets_nobody_in_unasked() -> None:
    """Every caller is identified and authorized."""
    kubelet = yaml.safe_load(FILES["kubelet.yaml"])

    assert kubelet["authentication"]["anonymous"] == {"enabled": False}
    assert kubelet["authorization"] == {"mode": "Webhook"}


def test_kube_proxy_leaves_the_machines_connection_tracking_alone() -> None:
    """It exits where nf_conntrack_max is read-only."""
    assert yaml.safe_load(FILES["kube-proxy.yaml"])["conntrack"] == {
        "maxPerCore": 0,
        "min": 0,
        "tcpEstablishedTimeout": "0s",
        "tcpCloseWaitTimeout": "0s",
    }


def test_pods_get_a_link_of_their_own_to_the_node() -> None:
    """Through a bridge they would pass by the rules of Services."""
    plugins = json.loads(FILES["10-pods.conflist"])["plugins"]

    assert [plugin["type"] for plugin in plugins] == ["ptp", "portmap"]
    assert plugins[0]["ipam"]["ranges"] == [[{"subnet": "10.244.0.0/24"}]]


def test_the_registry_listens_on_the_veth_address_only() -> None:
    """Nobody else on the host's network can push."""
    registry = yaml.safe_load(FILES["registry.yaml"])

    assert registry["http"] == {"addr": "10.88.0.1:5000"}
    assert registry["storage"]["filesystem"] == {"rootdirectory": "/checkout/.local/cluster/registry"}


def test_the_fingerprint_changes_with_a_setting_and_with_a_command() -> None:
    """So that `up` can say that a running cluster has older settings."""
    texts = {Path("/a"): "1"}
    prints = [
        configs.fingerprint(texts, [("etcd",)]),
        configs.fingerprint({Path("/a"): "2"}, [("etcd",)]),
        configs.fingerprint(texts, [("etcd", "--debug")]),
    ]

    assert len(set(prints)) == 3
    assert configs.fingerprint(dict(texts), [("etcd",)]) == prints[0]
