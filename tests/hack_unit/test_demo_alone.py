"""Runs that must not meet in one checkout (hack/demo/__main__.py, hack/cluster/__main__.py, hack/demo/pod.py)."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hack.cluster import __main__ as cluster
from hack.cluster import lifecycle
from hack.cluster.lock import exclusive
from hack.demo import __main__ as demo
from hack.demo.errors import DemoError
from hack.demo.kube import Kube
from hack.demo.pod import ended

COMMANDS: dict[str, tuple[Callable[[], int], str]] = {
    "make demo": (demo.main, "up"),
    "make demo-down": (demo.main, "down"),
    "make cluster-down": (cluster.main, "down"),
}


@pytest.mark.parametrize(("main", "verb"), COMMANDS.values(), ids=COMMANDS)
def test_while_the_ring_runs_nothing_takes_its_cluster_away_or_shares_its_pods(
    main: Callable[[], int],
    verb: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who is refused is told who is at work, before anything was done."""
    lock = tmp_path / ".local/lock"
    for module in (demo, cluster):
        monkeypatch.setattr(module, "CHECKOUT_LOCK", lock)
    for module, work in ((demo, "demo_up"), (demo, "demo_down"), (lifecycle, "down")):
        monkeypatch.setattr(module, work, lambda *_: pytest.fail("it went to work"))
    monkeypatch.setattr(demo, "FOLDER", tmp_path / "demo")
    monkeypatch.setattr(sys, "argv", ["hack", verb])

    with exclusive(lock, "make e2e"):
        status = main()

    said = capsys.readouterr().err
    assert status == 1
    assert said.startswith("`make e2e` (process ")
    assert said.endswith("wait until it has ended, then run this again.\n")


def test_a_pod_that_somebody_deleted_is_not_waited_for(tmp_path: Path) -> None:
    """It will never end."""
    silent = tmp_path / "kubectl"
    silent.write_text("#!/bin/sh\n")
    silent.chmod(0o755)

    with pytest.raises(DemoError, match="Pod gone was deleted from namespace default before it had ended"):
        ended(Kube(str(silent), "helm", tmp_path / "log"), "gone", "default", seconds=60)
