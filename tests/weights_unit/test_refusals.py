"""What a source, a disk or a person can do wrong: each has a reason, a remedy and an exit status of its kind."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest

from qwen_server.weights.marker import MARKER
from tests.server_unit.waiting import wait_until
from tests.weights_unit.fetching import (
    SECONDS,
    SOURCE,
    Ended,
    command,
    environment,
    fetch,
    fetch_command,
    last_words,
    run,
    run_here,
)
from tests.weights_unit.hub_server import REPOSITORY, TOKEN, Hub, a_hub
from tests.weights_unit.models import model

SHARD = "model-00001-of-00002.safetensors"
MEND, AGAIN = 78, 75


def without(name: str) -> dict[str, bytes]:
    """A model that lacks a file."""
    return {kept: data for kept, data in model(shards=2).items() if kept != name}


def refused(ended: Ended, reason: str, status: int, *words: str) -> None:
    """It failed so, in one line for the operator, and says these words."""
    assert (ended.told.get("reason"), ended.status) == (reason, status), ended.output
    message = ended.told["message"]
    assert set(ended.told) == {"reason", "message"}
    assert len(ended.words.encode()) <= 4096
    assert [word for word in words if word not in message] == [], message
    assert "Traceback" not in ended.output


@pytest.mark.parametrize(
    ("settings", "variables", "reason", "words"),
    [
        ({"token": TOKEN}, {}, "SourceUnauthorized", ("no such repository, or it is private", "credentialsRef")),
        ({"token": TOKEN}, {"HF_TOKEN": "hf_wrong"}, "SourceUnauthorized", ("wrong or has expired", "Secret")),
        ({"token": TOKEN, "gated": True}, {}, "SourceForbiddenGated", ("gated", "accept its conditions")),
        ({"gated": True}, {"HF_TOKEN": TOKEN}, "SourceForbiddenGated", ("gated", "accept its conditions")),
    ],
)
def test_the_hub_lets_nobody_in(
    settings: dict[str, object], variables: dict[str, str], reason: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    """Missing and wrong tokens, and conditions that were not accepted. Nothing is tried twice."""
    with a_hub(model(), **settings) as hub:
        refused(fetch(tmp_path / "m", hub=hub, **variables), reason, MEND, *words)

        assert len(hub.requests) == 1


@pytest.mark.parametrize(
    ("files", "source", "reason", "words"),
    [
        (model(), "hf://Qwen/Other", "SourceNotFound", ("Qwen/Other", "model.uri")),
        (model(), f"{SOURCE}@v9", "RevisionNotFound", (REPOSITORY, "v9", "branch, tag or commit")),
        ({"config.json": b"{}", "pytorch_model.bin": b"x"}, SOURCE, "NoSafetensors", ("*.safetensors", "pickled")),
        (without("config.json"), SOURCE, "ModelInvalid", ("config.json",)),
        (without(SHARD), SOURCE, "ModelInvalid", (SHARD, "revision")),
        (model() | {"model.safetensors.index.json": b"[]"}, SOURCE, "ModelInvalid", ("index",)),
    ],
)
def test_the_hub_has_no_such_model(
    files: dict[str, bytes], source: str, reason: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    """Names, revisions, and repositories that are no models."""
    with a_hub(files) as hub:
        refused(fetch(tmp_path / "m", hub=hub, source=source), reason, MEND, *words)

    assert not (tmp_path / "m" / MARKER).exists()


def test_a_mirror_that_tells_neither_size_nor_hash_is_not_trusted(tmp_path: Path) -> None:
    """There would be nothing to compare the content with."""
    with a_hub(model(), bare=True) as hub:
        refused(fetch(tmp_path / "m", hub=hub), "ModelInvalid", MEND, "no size or hash", "mirror")


@pytest.mark.parametrize(
    "asked",
    [
        lambda: {"Retry-After": "2"},
        lambda: {"RateLimit": '"api";r=0;t=2', "Retry-After": "0"},
        lambda: {"Retry-After": formatdate(time.time() + 3, usegmt=True)},  # whole seconds: 2 to 3 from now
    ],
)
def test_a_pause_that_the_hub_asks_for_is_kept(asked: Callable[[], dict[str, str]], tmp_path: Path) -> None:
    """429 with a number, with the hub's own header, with a date; then all is well."""
    with a_hub(model()) as hub:
        hub.faults.api = [(429, asked())]
        ended = fetch(tmp_path / "m", hub=hub)

        assert ended.status == 0, ended.output
        assert hub.times[1] - hub.times[0] >= 1.5
    assert ended.journal("trying again")[0]["reason"] == "RateLimited"


def test_a_pause_that_nobody_understands_is_ours(tmp_path: Path) -> None:
    """It is tried again all the same."""
    with a_hub(model()) as hub:
        hub.faults.api = [(429, {"Retry-After": "soon"}), (429, {"Retry-After": "-1"})]

        assert fetch(tmp_path / "m", hub=hub).status == 0


def test_a_hub_that_keeps_limiting_is_asked_a_few_times_only(tmp_path: Path) -> None:
    """With growing pauses; then the Job ends and says so."""
    with a_hub(model()) as hub:
        hub.faults.api = [(429, {}) for _ in range(99)]
        refused(fetch(tmp_path / "m", "--attempts", 3, hub=hub), "RateLimited", AGAIN, "429", "token")

        assert len(hub.requests) == 3


def test_a_pause_of_hours_is_not_sat_out(tmp_path: Path) -> None:
    """The Job ends, and says for how long it was to wait."""
    with a_hub(model()) as hub:
        hub.faults.api = [(429, {"Retry-After": "7200"})]
        refused(fetch(tmp_path / "m", hub=hub), "RateLimited", AGAIN, "7200 s")


def test_a_failing_hub_is_tried_again(tmp_path: Path) -> None:
    """For its API and for content."""
    with a_hub(model(shards=2)) as hub:
        hub.faults.api = [(503, {})]
        hub.faults.statuses = {SHARD: [(500, {}), (502, {})]}
        ended = fetch(tmp_path / "m", hub=hub)

    assert ended.status == 0, ended.output
    assert [line["reason"] for line in ended.journal("trying again")] == ["SourceFailed"] * 3


def test_a_hub_out_of_reach_is_said_to_be(tmp_path: Path) -> None:
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    hub = Hub({}, url=f"http://127.0.0.1:{port}")

    refused(fetch(tmp_path / "m", "--attempts", 2, hub=hub), "SourceUnreachable", AGAIN, "127.0.0.1", "egress")


def test_a_connection_that_ends_early_is_gone_on_from(tmp_path: Path) -> None:
    """From the byte where it ended, and no byte comes twice."""
    files = model(shards=2)
    with a_hub(files) as hub:
        hub.faults.cuts = {SHARD: [100_000, 50_000]}
        ended = fetch(tmp_path / "m", hub=hub)

    assert ended.status == 0, ended.output
    assert hub.sent[SHARD] == len(files[SHARD])
    assert hub.served[SHARD] == [0, 100_000, 150_000]


def test_a_source_without_ranges_is_borne(tmp_path: Path) -> None:
    """It sends all again, and what is known is left out."""
    files = model(shards=2)
    with a_hub(files) as hub:
        hub.faults.ranges, hub.faults.cuts = False, {SHARD: [100_000]}
        ended = fetch(tmp_path / "m", hub=hub)

    assert ended.status == 0, ended.output
    assert (tmp_path / "m" / SHARD).read_bytes() == files[SHARD]


def test_a_silent_source_is_asked_anew(tmp_path: Path) -> None:
    """After the stall time-out, from where it stopped."""
    files = model(shards=2)
    with a_hub(files) as hub:
        hub.faults.silent = {SHARD: [100_000]}
        ended = fetch(tmp_path / "m", "--stall-timeout", 1, hub=hub)

    assert ended.status == 0, ended.output
    assert [line["reason"] for line in ended.journal("trying again")] == ["DownloadStalled"]
    assert hub.served[SHARD] == [0, 100_000]


def test_a_source_that_stays_silent_ends_the_job(tmp_path: Path) -> None:
    """And says how long it was waited for."""
    with a_hub(model(shards=2)) as hub:
        hub.faults.silent = {SHARD: [0] * 9}
        ended = fetch(tmp_path / "m", "--stall-timeout", 1, "--attempts", 2, hub=hub)
        refused(ended, "DownloadStalled", AGAIN, "1 s", "mirror")


def test_a_wrong_byte_is_found_and_the_file_fetched_again(tmp_path: Path) -> None:
    """Anywhere in it, large or small."""
    files = model(shards=2)
    with a_hub(files) as hub:
        hub.faults.wrong = {SHARD: [200_000], "tokenizer.json": [5]}
        ended = fetch(tmp_path / "m", hub=hub)

    assert ended.status == 0, ended.output
    assert (tmp_path / "m" / SHARD).read_bytes() == files[SHARD]
    assert (tmp_path / "m" / "tokenizer.json").read_bytes() == files["tokenizer.json"]
    assert hub.sent[SHARD] == 2 * len(files[SHARD])


def test_wrong_bytes_again_and_again_end_the_job_and_are_never_in_place(tmp_path: Path) -> None:
    """Three times, whatever patience there is for other failures."""
    with a_hub(model(shards=2)) as hub:
        hub.faults.wrong = {SHARD: [200_000] * 9}
        refused(fetch(tmp_path / "m", hub=hub), "ChecksumMismatch", AGAIN, SHARD, "3 times", "proxy")

        assert hub.served[SHARD] == [0, 0, 0]
    assert not (tmp_path / "m" / SHARD).exists()
    assert not (tmp_path / "m" / MARKER).exists()


def test_a_folder_of_another_model_is_left_alone(tmp_path: Path) -> None:
    """Somebody may be serving it."""
    with a_hub(model()) as hub:
        assert fetch(tmp_path / "m", hub=hub).status == 0
        before = sorted((path.name, path.stat().st_mtime_ns) for path in (tmp_path / "m").iterdir())

        ended = fetch(tmp_path / "m", hub=hub, source=f"{SOURCE}@v1")

    refused(ended, "FolderTaken", MEND, f"{SOURCE};", f"{SOURCE}@v1")
    assert sorted((path.name, path.stat().st_mtime_ns) for path in (tmp_path / "m").iterdir()) == before


def test_a_folder_that_cannot_be_written_to_is_said_to_be(tmp_path: Path) -> None:
    """As with a claim that is mounted read-only; whoever runs the tests may be root."""
    (tmp_path / "file").write_text("")
    with a_hub(model()) as hub:
        words = fetch_command(tmp_path / "m", source=SOURCE, endpoint=hub.url)
        ended = run_here([str(tmp_path / "file" / "m") if word == str(tmp_path / "m") else word for word in words])

    refused(ended, "FolderNotWritable", MEND, "access mode", "fsGroup")


def test_a_disk_that_is_too_small_is_found_before_the_download(tmp_path: Path) -> None:
    """A real one of 4 MB, in a mount namespace of the fetch's own. The numbers are said."""
    (tmp_path / "small").mkdir()
    with a_hub(model(shards=2, size=3_000_000)) as hub:
        words = fetch_command(tmp_path / "small" / "m", source=SOURCE, endpoint=hub.url)
        log = last_words(words)
        words[words.index(str(log))] = str(tmp_path / "log")
        ended = run([*on_a_disk_of("4M", tmp_path / "small"), *words])

        refused(ended, "OutOfSpace", MEND, "MB free", "6.1 MB more are needed", "1Gi or larger", "cache.size")
        assert hub.sent[SHARD] == 0


def test_a_disk_that_fills_up_on_the_way_is_said_with_numbers(tmp_path: Path) -> None:
    """The kernel refuses to write on (a limit of file size stands for it); what is there is kept for the next time."""
    with a_hub(model(shards=1)) as hub:
        words = fetch_command(tmp_path / "m", source=SOURCE, endpoint=hub.url)
        refused(run(["prlimit", "--fsize=200000", *words]), "OutOfSpace", MEND, "free", "more are needed", "cache.size")
        ended = run(words)

    assert ended.status == 0, ended.output
    assert hub.served["model-00001-of-00001.safetensors"] == [0, 200_000]


def test_a_disk_that_somebody_else_fills_meanwhile_is_said_to_be_full(tmp_path: Path) -> None:
    """A real one, which was large enough at the start."""
    disk, shard = tmp_path / "disk", "model-00001-of-00001.safetensors"
    disk.mkdir()
    files = model(shards=1, size=4_000_000)
    with a_hub(files) as hub:
        hub.faults.silent = {shard: [1_000_000]}
        words = fetch_command(disk / "m", source=SOURCE, endpoint=hub.url)
        words[words.index(str(last_words(words)))] = str(tmp_path / "log")
        process = subprocess.Popen([*on_a_disk_of("8M", disk), *words], env=environment(), stdout=subprocess.DEVNULL)
        with process:
            wait_until(lambda: hub.sent[shard] >= 1_000_000, SECONDS)
            fill(Path(f"/proc/{process.pid}/root{disk}/filler"))
            hub.speaking.set()
            status = process.wait(SECONDS)

    refused(Ended(status, "", (tmp_path / "log").read_text()), "OutOfSpace", MEND, "0.0 MB free", "MB more are needed")


def fill(file: Path) -> None:
    """Take all the room that a disk has."""
    with file.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(4096))


def on_a_disk_of(size: str, folder: Path) -> list[str]:
    """What goes in front of a command so that `folder` is a disk of its own for it."""
    script = f'mount -t tmpfs -o size={size} tmpfs "$0" && exec "$@"'
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, str(folder)]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("fetch", "http://x/y", "/m"), "http://x/y"),
        (("fetch", "hf://only-a-name", "/m"), "hf://<organisation>/<name>"),
        (("fetch", "hf://a/../b", "/m"), "hf://"),
        (("fetch", "s3://UPPER/x", "/m"), "s3://<bucket>/<path>"),
        (("fetch", SOURCE), "folder"),
        (("fetch", SOURCE, "/m", "--attempts", "0"), "must be 1 or more"),
        (("fetch", SOURCE, "/m", "--endpoint", "https://me:secret@hub"), "without name and password"),
        (("fetch", SOURCE, "/m", "--token-file", "/no/such/file"), "/no/such/file"),
        (("describe",), "folder"),
        (("remove", "/m"), "remove"),
    ],
)
def test_a_wrong_command_line_is_told_what_would_be_right(words: tuple[str, ...], named: str, tmp_path: Path) -> None:
    """In the termination message too, wherever on the command line its place stands."""
    ended = run_here(command(*words, "--termination-log", tmp_path / "log"))

    assert ended.status == MEND
    assert named in ended.told["message"]
    assert "secret" not in ended.output
