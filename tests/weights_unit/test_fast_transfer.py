"""The hub's fast transfer: the real library, on a storage of its own kind in a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hf_xet

from tests.weights_unit.fetching import SOURCE, Ended, contents, fetch_command, run
from tests.weights_unit.hub_server import TOKEN, Hub, a_hub
from tests.weights_unit.models import Files, model, wanted

SHARD = "model-00001-of-00002.safetensors"
FILES = wanted(model(shards=2, size=3_000_000))
XET_TOKEN = "/xet-token"


def stored(folder: Path, files: Files) -> dict[str, str]:
    """Put the large files into a storage of the fast transfer; its names for them."""
    large = {name: data for name, data in files.items() if len(data) > 1 << 20}
    session = hf_xet.XetSession(hf_xet.XetConfig().with_config({"telemetry.enabled": False}))
    with session.new_upload_commit(endpoint=f"local://{folder}") as commit:
        uploads = {name: commit.start_upload_bytes(data) for name, data in large.items()}
    return {name: upload.result().xet_info.hash for name, upload in uploads.items()}


@contextmanager
def a_fast_hub(folder: Path) -> Iterator[Hub]:
    """A hub that offers the fast transfer for its large files."""
    folder.mkdir()
    hashes = stored(folder, FILES)
    with a_hub(FILES, token=TOKEN) as hub:
        hub.cas_url = f"local://{folder}"
        hub.xet = lambda name: {"X-Xet-Hash": hashes[name], "Link": f'<{hub.url}{XET_TOKEN}>; rel="xet-auth"'}
        yield hub


def fetch(folder: Path, hub: Hub, *flags: object) -> Ended:
    """In a process of its own: the library has threads."""
    words = fetch_command(folder, *flags, source=SOURCE, endpoint=hub.url)
    return run(words, HF_TOKEN=TOKEN)


def test_large_files_come_by_the_fast_transfer(tmp_path: Path) -> None:
    """Not a byte of them by plain HTTP, and they are verified all the same."""
    with a_fast_hub(tmp_path / "cas") as hub:
        ended = fetch(tmp_path / "m", hub)

    assert ended.status == 0, ended.output
    assert contents(tmp_path / "m") == FILES
    assert hub.store_requests == []
    assert any(path == XET_TOKEN for _, path, _ in hub.requests)


def test_a_part_is_gone_on_from_at_its_byte(tmp_path: Path) -> None:
    """Begun by plain HTTP, finished by the fast transfer."""
    with a_fast_hub(tmp_path / "cas") as hub:
        offer, hub.xet = hub.xet, None
        hub.faults.cuts = {SHARD: [1_000_000]}
        assert fetch(tmp_path / "m", hub, "--attempts", 1).reason == "SourceUnreachable"
        sent, hub.xet = hub.sent[SHARD], offer

        ended = fetch(tmp_path / "m", hub)

    assert ended.status == 0, ended.output
    assert (tmp_path / "m" / SHARD).read_bytes() == FILES[SHARD]
    assert hub.sent[SHARD] == sent
    assert ended.journal("trying again") == []


def test_plain_http_steps_in_where_the_fast_transfer_fails(tmp_path: Path) -> None:
    """A storage that is not there; said once."""
    with a_fast_hub(tmp_path / "cas") as hub:
        hub.cas_url = "http://127.0.0.1:1"
        ended = fetch(tmp_path / "m", hub, "--stall-timeout", 5)

    assert ended.status == 0, ended.output
    assert contents(tmp_path / "m") == FILES
    assert hub.sent[SHARD] == len(FILES[SHARD])
    assert "plain HTTP follows" in ended.journal("trying again")[0]["message"]
    assert TOKEN not in ended.output
