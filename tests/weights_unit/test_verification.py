"""Nothing is served unverified: what a marker promises, and who looks."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from qwen_server.engine import model_folder
from qwen_server.engine.base import EngineStartFailed
from qwen_server.termination import Reason
from qwen_server.weights.marker import LEDGER, MARKER
from tests.weights_unit.fetching import command, contents, fetch, run_here
from tests.weights_unit.hub_server import a_hub
from tests.weights_unit.models import model, wanted

SHARD = "model-00002-of-00002.safetensors"
FILES = model(shards=2)


@pytest.fixture
def fetched(tmp_path: Path) -> Path:
    """A folder that was fetched."""
    with a_hub(FILES) as hub:
        assert fetch(tmp_path / "m", hub=hub).status == 0
    return tmp_path / "m"


def flip_a_bit(file: Path, place: int = 250_000) -> None:
    """One bit, as a disk that ages; size and times stay."""
    before = file.stat()
    with file.open("r+b") as content:
        content.seek(place)
        (byte,) = content.read(1)
        content.seek(place)
        content.write(bytes([byte ^ 4]))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_verify_reads_every_byte(fetched: Path) -> None:
    """All is well, and then one bit is not."""
    assert run_here(command("verify", fetched)).status == 0

    flip_a_bit(fetched / SHARD)
    ended = run_here(command("verify", fetched))

    assert (ended.reason, ended.status) == ("NotVerified", 78)
    assert SHARD in ended.told["message"]


def test_a_fetch_that_checks_hashes_mends_one_flipped_bit(fetched: Path) -> None:
    """Only the file in question is fetched again."""
    flip_a_bit(fetched / SHARD)
    with a_hub(FILES) as hub:
        ended = fetch(fetched, "--check", "checksum", hub=hub)

    assert ended.status == 0, ended.output
    assert contents(fetched) == wanted(FILES)
    assert dict(hub.sent) == {SHARD: len(FILES[SHARD])}


def test_a_fetch_mends_a_file_that_is_gone(fetched: Path) -> None:
    """Sizes are looked at each time."""
    (fetched / SHARD).unlink()
    with a_hub(FILES) as hub:
        ended = fetch(fetched, hub=hub)

    assert ended.status == 0, ended.output
    assert contents(fetched) == wanted(FILES)
    assert dict(hub.sent) == {SHARD: len(FILES[SHARD])}


def test_a_marked_folder_is_only_read(fetched: Path) -> None:
    """Two models may share a claim, which is mounted read-only then."""
    fetched.chmod(0o555)
    before = sorted((path.name, path.stat().st_mtime_ns) for path in fetched.iterdir())
    with a_hub(FILES) as hub:
        ended = fetch(fetched, hub=hub)

    assert ended.status == 0, ended.output
    assert hub.requests == []
    assert sorted((path.name, path.stat().st_mtime_ns) for path in fetched.iterdir()) == before


def test_the_server_takes_a_fetched_folder_and_one_that_was_filled_by_hand(fetched: Path) -> None:
    """The second has no marker, and is judged by its headers alone."""
    model_folder.check(fetched)
    (fetched / MARKER).unlink()
    model_folder.check(fetched)


def cut_off(folder: Path) -> None:
    """A file that is not part of the weights lost its end."""
    os.truncate(folder / "tokenizer.json", 10)


def unfinished(folder: Path) -> None:
    """A download was killed after its last byte, before the marker."""
    (folder / MARKER).rename(folder / LEDGER)


def unreadable(folder: Path) -> None:
    """The marker is no manifest."""
    (folder / MARKER).write_text('{"format": 1, "files": {"../x": {}}}')


@pytest.mark.parametrize(
    ("damage", "words"),
    [(cut_off, "tokenizer.json"), (unfinished, "never finished"), (unreadable, "cannot be read")],
)
def test_the_server_refuses_what_is_not_as_it_was_verified(
    damage: Callable[[Path], None], words: str, fetched: Path
) -> None:
    """Before anything is loaded."""
    damage(fetched)

    with pytest.raises(EngineStartFailed, match=words) as caught:
        model_folder.check(fetched)

    assert caught.value.reason is Reason.MODEL_INVALID


def test_describe_says_the_same_as_the_fetch(fetched: Path, tmp_path: Path) -> None:
    """And nothing of a folder that is not whole."""
    with a_hub(FILES) as hub:
        told = fetch(fetched, hub=hub).words
    assert run_here(command("describe", fetched)).words == told

    cut_off(fetched)
    assert run_here(command("describe", fetched)).reason == "NotVerified"
    unfinished(fetched)
    assert run_here(command("describe", fetched)).reason == "NotVerified"
    assert run_here(command("describe", tmp_path / "no")).reason == "ModelPathNotFound"


def test_a_claim_that_was_filled_by_hand_is_described_and_left_alone(tmp_path: Path) -> None:
    """`fetch pvc://…` looks only; with hashes asked for it says that there are none."""
    for name, data in wanted(FILES).items():
        (tmp_path / name).write_bytes(data)
    flags = ("--host", "127.0.0.1", "--management-port", 0)

    ended = run_here(command("fetch", "pvc://models/qwen3", tmp_path, *flags))
    assert ended.status == 0, ended.output
    assert (ended.told["commit"], ended.told["files"]) == ("", 2)
    assert contents(tmp_path) == wanted(FILES)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]

    asked = run_here(command("fetch", "pvc://models/qwen3", tmp_path, *flags, "--check", "checksum"))
    assert asked.reason == "NotVerified"
    (tmp_path / SHARD).write_bytes(FILES[SHARD][:-1])
    cut = run_here(command("fetch", "oci://registry/qwen3:1", tmp_path, *flags))
    assert (cut.reason, SHARD in cut.told["message"]) == ("ModelInvalid", True)


def test_weights_in_another_form_are_counted_and_tell_nothing_of_themselves(tmp_path: Path) -> None:
    """To read them would be to run what they hold."""
    (tmp_path / "config.json").write_bytes(FILES["config.json"])
    (tmp_path / "pytorch_model.bin").write_bytes(bytes(1000))

    told = run_here(command("describe", tmp_path)).told

    assert (told["files"], told["bytes"], told["tensors"]) == (1, 1000, [])
