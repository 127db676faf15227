"""Commands, certificates, objects and the sandbox image of a cluster (hack/cluster)."""

import io
import json
import tarfile
from configparser import ConfigParser
from pathlib import Path

import yaml

from hack.cluster import network, objects, pki
from hack.cluster.binaries import COMPONENTS
from hack.cluster.components import foundation, tenants
from hack.cluster.identities import ADMIN, API_SERVER, IDENTITIES, KUBELET
from hack.cluster.layout import Layout
from hack.cluster.pause import IMAGE, archive

LAYOUT = Layout(Path("/checkout/.local/cluster"))
STARTED = (*foundation(LAYOUT, "/proc/1/fd/5"), *tenants(LAYOUT, "/venv/bin/python"))


def test_each_component_has_a_name_of_its_own() -> None:
    """The name is that of the log file."""
    names = [component.name for component in STARTED]

    assert len(names) == len(set(names)) == 10


def test_components_of_kubernetes_run_from_the_clusters_own_links() -> None:
    """A program of that name elsewhere in PATH is not taken."""
    ours = {component.command[0] for component in STARTED if component.name in COMPONENTS}

    assert {Path(program).parent for program in ours} == {LAYOUT.bin}
    assert len(ours) == 7


def test_the_registry_alone_runs_in_the_hosts_network() -> None:
    """`buildah push` on the host must reach it."""
    outside = [component.name for component in STARTED if component.command[0] == "nsenter"]

    assert outside == ["docker-registry"]


def test_the_api_server_checks_nodes_and_roles() -> None:
    """As an ordinary cluster does."""
    (api_server,) = (component for component in STARTED if component.name == "kube-apiserver")

    assert "--authorization-mode=Node,RBAC" in api_server.command
    assert "--enable-admission-plugins=NodeRestriction" in api_server.command


def test_every_certificate_names_user_and_group() -> None:
    """Kubernetes reads them from the subject."""
    config = ConfigParser()
    config.read_string(pki.extensions(KUBELET))

    assert dict(config["subject"]) == {"o": "system:nodes", "cn": "system:node:node0"}
    assert config["extensions"]["subjectAltName"] == "DNS:node0,IP:10.88.0.2"
    assert config["extensions"]["basicConstraints"] == "critical,CA:false"


def test_the_api_server_is_known_by_every_address_it_is_called_by() -> None:
    """From the host, from pods through the Service, and on loopback for tests."""
    assert {"IP:10.88.0.2", "IP:10.96.0.1", "IP:127.0.0.1", "DNS:kubernetes.default.svc"} <= set(
        API_SERVER.alternative_names
    )


def test_identities_do_not_share_a_file() -> None:
    """Each has a key, a certificate and a kubeconfig of its name."""
    assert len({identity.name for identity in IDENTITIES}) == len(IDENTITIES)


def test_a_kubeconfig_needs_no_other_file(tmp_path: Path) -> None:
    """It may be copied to another machine."""
    for name in ("ca.crt", "admin.crt", "admin.key"):
        (tmp_path / name).write_text(name)

    config = yaml.safe_load(pki.kubeconfig(tmp_path, ADMIN, network.API_URL))

    assert config["clusters"][0]["cluster"] == {
        "server": "https://10.88.0.2:6443",
        "certificate-authority-data": "Y2EuY3J0",
    }
    assert config["users"][0]["user"].keys() == {"client-certificate-data", "client-key-data"}


def test_keys_are_made_once_and_verify_against_their_authority(tmp_path: Path) -> None:
    """A second call changes nothing, so that a running cluster keeps its keys."""
    folder = tmp_path / "pki"

    pki.make(folder, (ADMIN,))
    first = (folder / "admin.crt").read_bytes()
    pki.make(folder, (ADMIN,))

    assert (folder / "admin.crt").read_bytes() == first
    assert sorted(path.name for path in folder.iterdir()) == [
        "admin.cnf",
        "admin.crt",
        "admin.key",
        "ca.cnf",
        "ca.crt",
        "ca.key",
        "service-accounts.key",
        "service-accounts.pub",
    ]


def test_a_claim_without_a_class_gets_the_default_one() -> None:
    """And waits for its pod."""
    made = objects.storage_class()

    assert made["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
    assert made["volumeBindingMode"] == "WaitForFirstConsumer"


def test_ten_volumes_lie_below_the_clusters_folder() -> None:
    """Each in a folder of its own."""
    made = [each for each in objects.objects(LAYOUT) if each["kind"] == "PersistentVolume"]

    assert [each["spec"]["hostPath"]["path"] for each in made] == [
        f"/checkout/.local/cluster/volumes/v{number}" for number in range(1, 11)
    ]


def test_every_object_has_a_path() -> None:
    """Of the collection of its kind."""
    assert objects.path(objects.storage_class()) == "/apis/storage.k8s.io/v1/storageclasses/local"
    assert all(objects.path(each).endswith(each["metadata"]["name"]) for each in objects.objects(LAYOUT))


def test_the_sandbox_image_holds_the_program_and_nothing_else() -> None:
    """One layer, one file, its name the one that containerd asks for."""
    with tarfile.open(fileobj=io.BytesIO(archive(b"program", "x86_64"))) as image:
        members = {name: image.extractfile(name) for name in image.getnames()}
        content = {name: stream.read() for name, stream in members.items() if stream}
    (manifest,) = json.loads(content["manifest.json"])
    with tarfile.open(fileobj=io.BytesIO(content["layer.tar"])) as layer:
        files = [(each.name, each.mode) for each in layer.getmembers()]

    assert manifest["RepoTags"] == [IMAGE]
    assert json.loads(content["config.json"])["architecture"] == "amd64"
    assert files == [("pause", 0o755)]


def test_equal_programs_make_equal_images() -> None:
    """No clock and no user name goes in."""
    assert archive(b"program", "x86_64") == archive(b"program", "x86_64")


def test_the_host_gets_one_veth_pair_and_nothing_else() -> None:
    """Every command for the host's network is about that interface."""
    commands = network.host_link("/checkout")

    assert all(network.INTERFACE in command for command in commands)
    assert len(network.INTERFACE) <= 15


def test_pods_reach_of_the_host_the_registry_and_a_tests_hub_only() -> None:
    """Everything else that would leave the node is refused, not dropped."""
    forward = network.firewall().split("chain forward")[1].split("}")[0]
    rules = [line.strip() for line in forward.splitlines()[2:] if line.strip()]

    assert rules == [
        'oifname != "eth0" accept;',
        "ct state established,related accept;",
        "ip daddr 10.88.0.1 tcp dport 5000 accept;",
        "ip daddr 10.88.0.1 tcp dport 5001 accept;",
        "ip daddr 10.88.0.1 tcp dport 5002 accept;",
        "meta l4proto tcp reject with tcp reset;",
        "reject;",
    ]
