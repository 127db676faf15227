"""What is judged of a running cluster (hack/cluster: supervisor, health, recycler, processes, steps)."""

from pathlib import Path
from typing import Any

import pytest

from hack.cluster.cgroups import handed_down
from hack.cluster.health import node_ready, words
from hack.cluster.objects import OWNED
from hack.cluster.processes import leads_to_module, runs_module
from hack.cluster.recycler import empty, forgotten_claim, waits_for_recycling
from hack.cluster.steps import State, Step, step
from hack.cluster.supervisor import Record, ended, started


def a_volume(phase: str, labels: dict[str, str]) -> dict[str, Any]:
    """A PersistentVolume with the little that is looked at."""
    return {"metadata": {"name": "v1", "labels": labels, "resourceVersion": "7"}, "status": {"phase": phase}}


def a_node(ready: str, taints: list[dict[str, str]]) -> dict[str, Any]:
    """A Node with the little that is looked at."""
    return {"spec": {"taints": taints}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}


def test_a_component_that_keeps_failing_waits_twice_as_long_each_time() -> None:
    """From half a second up to ten."""
    record, delays = Record("etcd", 1, since=0.0), []
    for _ in range(7):
        record = ended(record, now=0.0)
        delays.append(record.delay)
        record = started(record, process=1, now=0.0)

    assert delays == [0.5, 1, 2, 4, 8, 10, 10]
    assert record.restarts == 7


def test_a_component_that_ran_for_a_minute_is_started_again_soon() -> None:
    """Old troubles are forgotten."""
    record = Record("etcd", 1, since=100.0, delay=10.0)

    assert ended(record, now=160.0) == Record("etcd", 0, since=160.0, delay=0.5)


def test_a_released_volume_of_ours_is_recycled() -> None:
    """Its claim is gone."""
    assert waits_for_recycling(a_volume("Released", {**OWNED, "more": "labels"}))


@pytest.mark.parametrize(
    ("phase", "labels"), [("Bound", dict(OWNED)), ("Available", dict(OWNED)), ("Released", {}), ("", dict(OWNED))]
)
def test_any_other_volume_is_left_alone(phase: str, labels: dict[str, str]) -> None:
    """In use, free already, or somebody else's."""
    assert not waits_for_recycling(a_volume(phase, labels))


def test_a_claim_is_forgotten_only_if_the_volume_has_not_changed_since() -> None:
    """The server compares the version."""
    assert forgotten_claim(a_volume("Released", dict(OWNED))) == {
        "metadata": {"resourceVersion": "7"},
        "spec": {"claimRef": None},
    }


def test_emptying_a_volume_leaves_the_folder_and_what_its_links_lead_to(tmp_path: Path) -> None:
    """A pod may have left files, folders and links to elsewhere."""
    precious, volume = tmp_path / "precious", tmp_path / "v1"
    precious.mkdir()
    (precious / "file").touch()
    (volume / "folder" / "deep").mkdir(parents=True)
    (volume / ".hidden").touch()
    (volume / "link").symlink_to(precious)

    empty(volume)

    assert list(volume.iterdir()) == []
    assert volume.stat().st_mode & 0o777 == 0o777
    assert (precious / "file").exists()


def test_a_node_is_ready_when_it_says_so_and_takes_pods() -> None:
    """A taint keeps pods off for some moments after Ready."""
    assert node_ready(a_node("True", []))
    assert not node_ready(a_node("False", []))
    assert not node_ready(a_node("True", [{"key": "node.kubernetes.io/not-ready"}]))
    assert not node_ready({})


def test_an_error_is_told_in_the_systems_own_words() -> None:
    """Without Python's wrapping."""
    assert words(ConnectionRefusedError(111, "Connection refused")) == "Connection refused"
    assert words(TimeoutError("timed out")) == "timed out"


def test_a_process_is_known_by_its_module_and_folder() -> None:
    """The wrapper that started it, or the same module for another folder, is not it."""
    node = ["/venv/bin/python", "-m", "hack.cluster.node", "/a", "5", ""]

    assert runs_module(node, "hack.cluster.node", "/a")
    assert not runs_module(["unshare", "--net", *node], "hack.cluster.node", "/a")
    assert not runs_module(node, "hack.cluster.node", "/b")


def test_a_wrapper_is_known_to_lead_to_the_process() -> None:
    """A node that is just being started has not ended."""
    wrapped = ["setsid", "--fork", "unshare", "--net", "/venv/bin/python", "-m", "hack.cluster.node", "/a", "5", ""]

    assert leads_to_module(wrapped, "hack.cluster.node", "/a")
    assert leads_to_module(wrapped[4:], "hack.cluster.node", "/a")
    assert not leads_to_module(wrapped, "hack.cluster.node", "/b")


def test_a_step_is_told_from_its_begin_to_its_end() -> None:
    """With its last words."""
    told: list[Step] = []

    with step("Node", told.append) as running:
        running.detail("waiting")

    assert [(each.state, each.detail) for each in told] == [
        (State.RUNNING, ""),
        (State.RUNNING, "waiting"),
        (State.DONE, "waiting"),
    ]


def test_a_step_that_raises_is_told_as_failed() -> None:
    """And the error goes on."""
    told: list[Step] = []

    with pytest.raises(ZeroDivisionError), step("Node", told.append):
        raise ZeroDivisionError

    assert told[-1].state is State.FAILED


def test_the_clusters_cgroup_gets_every_controller_that_the_kubelet_knows() -> None:
    """It refuses a cgroup that lacks one which the machine has."""
    assert handed_down("cpuset cpu io memory hugetlb pids rdma misc\n") == "+cpuset +cpu +memory +hugetlb +pids"
