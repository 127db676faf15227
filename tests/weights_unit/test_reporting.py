"""What a running fetch says, and what it must never say."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.server_unit.waiting import wait_until
from tests.weights_unit.fetching import SECONDS, SOURCE, Ended, command, environment, fetch_command, last_words, run
from tests.weights_unit.hub_server import TOKEN, Hub, a_hub
from tests.weights_unit.models import content, model, wanted

SHARD = "model-00001-of-00002.safetensors"
SIGNATURE = "canary-sig"


def test_progress_is_told_while_it_goes_on(tmp_path: Path) -> None:
    """By name as the server tells its own load; nothing else is at that port."""
    files = wanted(model(shards=2))
    total = sum(map(len, files.values()))
    with a_hub(files) as hub:
        hub.faults.silent = {SHARD: [100_000]}
        words = fetch_command(tmp_path / "m", source=SOURCE, endpoint=hub.url)
        with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            starting = json.loads(process.stdout.readline())
            address = f"http://127.0.0.1:{starting['management_port']}"
            wait_until(lambda: httpx.get(f"{address}/progress").json()["bytes_done"] >= total - 210_000, SECONDS)
            told = httpx.get(f"{address}/progress").json()
            missing = httpx.get(f"{address}/metrics").status_code
            process.kill()

    assert (told["phase"], told["stage"], told["bytes_total"], told["last_error"]) == (
        "fetching",
        "downloading",
        total,
        None,
    )
    assert 0 < told["percent"] < 100
    assert missing == 404


def whole(hub: Hub) -> None:
    """Nothing goes wrong."""


def limited(hub: Hub) -> None:
    """The hub says no for a while."""
    hub.faults.api = [(429, {"Retry-After": "1"}), (500, {})]


def broken(hub: Hub) -> None:
    """Content is cut, wrong, refused."""
    hub.faults.cuts, hub.faults.wrong = {SHARD: [1000]}, {SHARD: [5, 5]}
    hub.faults.statuses = {"model-00002-of-00002.safetensors": [(403, {}), (500, {})]}


def forbidden(hub: Hub) -> None:
    """The token is of no use."""
    hub.gated = True


@pytest.mark.parametrize("fault", [whole, limited, broken, forbidden])
def test_neither_token_nor_signed_address_is_in_any_output(fault: Callable[[Hub], None], tmp_path: Path) -> None:
    """Not in a line, not in the last words, not in a file; even where the libraries are asked to talk."""
    with a_hub(model(shards=2), token=TOKEN) as hub:
        fault(hub)
        words = fetch_command(tmp_path / "m", "--attempts", 2, source=SOURCE, endpoint=hub.url)
        ended = run(words, HF_TOKEN=TOKEN, HF_DEBUG="1", HF_HUB_VERBOSITY="debug", HF_HUB_OFFLINE="1")

        assert any(TOKEN in authorization for _, _, authorization in hub.requests)
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    said = [ended.output.encode(), ended.words.encode(), *written]
    assert ended.output
    assert [text for text in said for canary in (TOKEN, SIGNATURE) if canary.encode() in text] == []


def test_the_command_line_holds_no_token(tmp_path: Path) -> None:
    """There is no flag for one."""
    helped = run([*command("fetch", "--help"), "--termination-log", str(tmp_path / "log")])

    assert helped.status == 0
    assert "--token-file" in helped.output
    assert "--token " not in helped.output


def test_it_runs_where_only_the_claim_can_be_written_to(tmp_path: Path) -> None:
    """A read-only root file system, no home, an unknown user."""
    files = model(shards=2)
    (tmp_path / "claim").mkdir()
    with a_hub(files) as hub:
        words = fetch_command(tmp_path / "claim" / "m", source=SOURCE, endpoint=hub.url)
        words[words.index(str(last_words(words)))] = str(tmp_path / "claim" / "log")
        script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind / && cd / && exec "$@"'
        ended: Ended = run(
            ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, str(tmp_path / "claim"), *words]
        )

    assert ended.status == 0, ended.output
    assert ended.told["files"] == len(wanted(files))


def test_heavy_libraries_stay_out() -> None:
    """The small image has none of them, and to describe a folder takes not even the hub's."""
    heavy = (
        "vllm",
        "torch",
        "transformers",
        "starlette",
        "uvicorn",
        "pydantic",
        "orjson",
        "huggingface_hub",
        "obstore",
    )
    code = f"import sys, qwen_server.weights.__main__; print([name for name in {heavy!r} if name in sys.modules])"
    listed = subprocess.run([*command()[:1], "-c", code], capture_output=True, text=True, check=True)

    assert listed.stdout.strip() == "[]"


def test_bytes_of_tests_are_the_same_each_time() -> None:
    """A failure can be repeated."""
    assert content(100, 1) == content(100, 1)
