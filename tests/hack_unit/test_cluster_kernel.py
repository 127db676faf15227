"""What the kernel is asked (hack/cluster/kernel.py)."""

from pathlib import Path

import pytest

from hack.cluster import kernel, machine
from hack.cluster.packages import missing


def test_a_path_without_the_systems_folders_finds_the_programs_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packages are looked for there too, so a package that is there must not be taken for a refusal of the kernel."""
    if missing({"util-linux": "unshare", "iproute2": "ip"}):
        pytest.skip("needs util-linux and iproute2, which every Debian machine with a cluster has")
    monkeypatch.setenv("PATH", str(tmp_path))

    refused = kernel.refusals(tmp_path)

    assert [said for said in refused.values() if "not found" in said] == []
    assert machine.gather(tmp_path).addresses != ()
