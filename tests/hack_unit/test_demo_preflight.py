"""What is said before anything is built (hack/demo/preflight.py)."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hack.cluster.layout import Layout, cluster_layout
from hack.demo import kind, preflight
from hack.demo.machine import APISERVER, CACHE, GIB, ROOT, SERVER, Disk, Machine
from hack.demo.preflight import PARTS, Plan, problems, uses_kind, uses_own_cluster

BARE = Machine(
    processor="a processor",
    cores=2,
    memory=24 * GIB,
    memory_available=20 * GIB,
    disks={ROOT: Disk(1, 60 * GIB), CACHE: Disk(1, 60 * GIB)},
    system="Debian",
    port_owner=None,
    docker=False,
    kind=False,
    programs=frozenset(),
)
FROM_NOTHING = Plan(context=None, registry=None, made=frozenset())
NAMED = Plan(context="staging", registry="registry.example.com/team", made=frozenset())


@pytest.mark.parametrize("module", ["hack.bootstrap", "hack.demo.preflight", "hack.distclean"])
def test_what_the_systems_python_runs_needs_the_standard_library_only(module: str) -> None:
    """Nothing is installed yet when `make demo` looks at the machine, nor any more when `make distclean` tidies up."""
    bare = [sys.executable, "-S", "-E", "-c", f"import {module}"]

    child = subprocess.run(bare, cwd=ROOT, capture_output=True, text=True, check=False)

    assert child.stderr == ""


def test_nothing_is_amiss_on_a_bare_machine_with_room() -> None:
    """Two cores, 24 GiB and 60 GiB of disk are enough without Docker, kubectl or helm."""
    assert problems(BARE, FROM_NOTHING) == ()


def with_disks(checkout: Disk, cache: Disk) -> Machine:
    """The bare machine with other disks."""
    return replace(BARE, disks={ROOT: checkout, CACHE: cache})


def test_too_little_disk_is_said_with_both_figures() -> None:
    """About 30 GiB are needed without Docker."""
    (problem,) = problems(with_disks(Disk(1, 12 * GIB), Disk(1, 12 * GIB)), FROM_NOTHING)

    assert problem.startswith(f"31 GiB of disk are needed at {ROOT} and 12 GiB are free")


def test_each_disk_must_hold_what_lies_on_it() -> None:
    """The caches may be on another disk than the checkout; environments then lie on both."""
    assert problems(with_disks(Disk(1, 16 * GIB), Disk(2, 23 * GIB)), FROM_NOTHING) == ()
    (problem,) = problems(with_disks(Disk(1, 60 * GIB), Disk(2, 20 * GIB)), FROM_NOTHING)
    assert problem.startswith(f"22 GiB of disk are needed at {CACHE} and 20 GiB are free")
    assert "XDG_CACHE_HOME" in problem


def test_what_an_earlier_run_made_needs_no_disk_again() -> None:
    """A second run on a nearly full disk goes through."""
    everything = frozenset(part.name for part in PARTS)
    full = with_disks(Disk(1, GIB), Disk(1, GIB))

    assert problems(full, replace(FROM_NOTHING, made=everything)) == ()


def test_a_cluster_that_was_taken_away_has_no_images_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make cluster-down` knows nothing of the demo's own mark."""
    mark, cluster = tmp_path / "complete", Layout(tmp_path / "cluster")
    monkeypatch.setattr(preflight, "COMPLETE", mark)
    monkeypatch.setattr(preflight, "cluster_layout", lambda: cluster)
    monkeypatch.setattr(kind, "KUBECONFIG", tmp_path / "kind-kubeconfig")
    mark.touch()

    assert preflight.is_complete(named=False) is False
    assert preflight.is_complete(named=True) is True
    cluster.root.mkdir()
    cluster.kubeconfig.touch()
    assert preflight.is_complete(named=False) is True


def test_the_images_on_the_node_are_there_only_with_the_cluster() -> None:
    """Both must be seen: the mark of a whole run, and the cluster that it ran on."""
    (part,) = [part for part in PARTS if part.name == "the images on the node"]

    assert set(part.seen) == {preflight.COMPLETE, cluster_layout().kubeconfig}


def test_too_little_memory_is_said_before_anything_is_built() -> None:
    """The engine runs on this machine unless a cluster elsewhere is named."""
    small = replace(BARE, memory_available=3 * GIB)

    assert problems(small, FROM_NOTHING)[0].startswith("8.0 GiB of memory are needed and 3.0 GiB are available")


@pytest.mark.parametrize(("running", "available"), [({APISERVER}, 6.5), ({APISERVER, SERVER}, 2.5)])
def test_what_runs_already_needs_no_memory_again(running: set[str], available: float) -> None:
    """A second run beside the first one's model goes through."""
    enough = replace(BARE, memory_available=int(available * GIB), running=frozenset(running))

    assert problems(enough, FROM_NOTHING) == ()
    assert problems(replace(enough, running=frozenset()), FROM_NOTHING) != ()


def test_a_taken_port_names_the_program_that_holds_it() -> None:
    """The port-forward wants localhost:8000."""
    (problem,) = problems(replace(BARE, port_owner="python3 (process 12)"), FROM_NOTHING)

    assert problem == "Port 8000 on localhost is taken by python3 (process 12): end that program."


def test_a_named_cluster_needs_a_registry_and_the_two_programs() -> None:
    """All that is amiss is told at once."""
    registry, programs = problems(BARE, Plan(context="staging", registry=None, made=frozenset()))

    assert "name it with REGISTRY=" in registry
    assert programs.startswith("helm and kubectl must be on the PATH")


def test_a_named_cluster_does_not_need_this_machines_memory() -> None:
    """The engine runs elsewhere."""
    remote = replace(BARE, memory_available=GIB, programs=frozenset({"kubectl", "helm"}))

    assert problems(remote, NAMED) == ()


@pytest.mark.parametrize(
    ("docker", "kind", "plan", "own", "by_kind"),
    [
        (False, False, FROM_NOTHING, True, False),
        (True, False, FROM_NOTHING, True, False),
        (True, True, FROM_NOTHING, False, True),
        (True, True, NAMED, False, False),
    ],
)
def test_the_cluster_is_the_named_one_else_kind_else_our_own(
    *, docker: bool, kind: bool, plan: Plan, own: bool, by_kind: bool
) -> None:
    """CONTEXT= wins; kind needs Docker too."""
    machine = replace(BARE, docker=docker, kind=kind)

    assert (uses_own_cluster(machine, plan), uses_kind(machine, plan)) == (own, by_kind)
