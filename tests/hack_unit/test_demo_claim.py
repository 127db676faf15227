"""Files onto a claim (hack/demo/claim.py and what it runs in the pod, hack/demo/receive.py)."""

import io
import sys
import tarfile
from pathlib import Path

import pytest

from hack.cluster.steps import silence, step
from hack.demo import receive
from hack.demo.claim import Destination, receiver, send
from hack.demo.errors import DemoError


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that looks like a model's."""
    folder = tmp_path / "source"
    (folder / "sub").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "sub/model.safetensors").write_bytes(b"weights" * 1000)
    return folder


def receiving(folder: Path, digest: str) -> list[str]:
    """The receiver as the pod runs it, without the pod."""
    return [sys.executable, "-c", Path(receive.__file__).read_text(), str(folder), digest]


def test_a_folder_arrives_whole_and_marked(model: Path, tmp_path: Path) -> None:
    """Content, digest and marker agree, and everybody may read it."""
    there = tmp_path / "claim/model"

    with step("Copy", silence) as now:
        send(receiving(there, receive.digest(model)), model, now)

    assert receive.holds(there, receive.digest(model))
    assert (there / "sub/model.safetensors").read_bytes() == b"weights" * 1000
    assert (there / "config.json").stat().st_mode & 0o777 == 0o644


def test_a_stream_that_is_not_what_was_announced_leaves_nothing(model: Path, tmp_path: Path) -> None:
    """The old content stays until the new one was checked."""
    there = tmp_path / "claim/model"

    with step("Copy", silence) as now, pytest.raises(DemoError, match="could not be copied onto the claim: ValueError"):
        send(receiving(there, "0" * 64), model, now)

    assert list(there.parent.iterdir()) == []


def test_an_interrupted_copy_is_not_taken_for_the_content(model: Path, tmp_path: Path) -> None:
    """What a broken stream left beside its place is thrown away by the next one."""
    there = tmp_path / "claim/model"
    left = there.with_name("model.part")
    left.mkdir(parents=True)
    (left / "half").write_text("half")
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.add(model, arcname=".")
    stream.seek(0)

    receive.receive(there, receive.digest(model), stream)

    assert receive.digest(there) == receive.digest(model)
    assert not left.exists()


def test_the_digest_tells_a_renamed_file_and_ignores_the_marker(model: Path) -> None:
    """Names count, not only contents."""
    before = receive.digest(model)

    (model / receive.MARKER).write_text(before)
    marked = receive.digest(model)
    (model / "config.json").rename(model / "other.json")

    assert marked == before
    assert receive.digest(model) != before


def test_the_receiving_pod_is_restricted() -> None:
    """It runs where the restricted Pod Security profile is enforced."""
    spec = receiver(Destination("default", "models", "m"), "registry/operator:1")["spec"]

    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("name", ["../outside", "/outside", "sub/../../outside"])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing is written outside, and what was unpacked until then does not count."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = 4
        archive.addfile(entry, io.BytesIO(b"evil"))
    stream.seek(0)

    with pytest.raises(ValueError, match="leads out of the folder"):
        receive.receive(tmp_path / "claim/model", "0" * 64, stream)

    assert list(tmp_path.rglob("outside")) == []
