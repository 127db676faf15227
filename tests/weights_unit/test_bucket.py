"""An object store as a source: a real one, behind a wire that can fail."""

from pathlib import Path

import pytest

from hack.gateway.binary import binary
from qwen_server.weights.marker import MARKER, read_manifest
from tests.weights_unit.fetching import Ended, command, contents, fetch_command, run_here
from tests.weights_unit.models import model, safetensors, sha256, wanted
from tests.weights_unit.store import ACCESS, BUCKET, KEYS, SECRET, SOURCE, Bucket, a_bucket, a_refusal

pytestmark = pytest.mark.skipif(not binary().exists(), reason="there is no object store: make gateway")
SHARD = "model-00001-of-00002.safetensors"
FILES = model(shards=2, size=2_000_000)


def fetch(folder: Path, bucket: Bucket, *flags: object, source: str = SOURCE, **variables: str) -> Ended:
    """Fetch by the wire."""
    words = fetch_command(folder, *flags, source=source, endpoint=bucket.wire.url)
    return run_here(words, **(variables or KEYS))


def summed(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files, with what `sha256sum * > SHA256SUMS` writes beside them."""
    lines = "".join(f"{sha256(data)}  {name}\n" for name, data in files.items() if "/" not in name)
    return files | {"SHA256SUMS": lines.encode()}


def test_a_model_comes_out_of_a_bucket(tmp_path: Path) -> None:
    """What a server needs and nothing else; the commit stands for the listing, and the marker holds our own hashes."""
    with a_bucket(tmp_path / "store", FILES) as bucket:
        ended = fetch(tmp_path / "m", bucket)

    assert ended.status == 0, ended.output
    assert contents(tmp_path / "m") == wanted(FILES)
    assert ended.told["commit"].startswith("listing-")
    marked = read_manifest(tmp_path / "m" / MARKER)
    assert marked is not None
    assert marked.files[SHARD].sha256 == sha256(FILES[SHARD])


def test_an_object_that_was_uploaded_in_parts_is_one_file(tmp_path: Path) -> None:
    """Its ETag is no hash of its content."""
    large = {"config.json": b"{}", "model.safetensors": safetensors({"x": ("BF16", 12_000_000)})}
    with a_bucket(tmp_path / "store", large) as bucket:
        ended = fetch(tmp_path / "m", bucket)

    assert ended.status == 0, ended.output
    assert contents(tmp_path / "m") == large


def test_hashes_that_lie_beside_the_files_are_compared(tmp_path: Path) -> None:
    """A file that is not what SHA256SUMS says is never in place."""
    files = summed(FILES)
    with a_bucket(tmp_path / "store", files) as bucket:
        assert fetch(tmp_path / "good", bucket).status == 0
        bucket.put({SHARD: FILES[SHARD][:-1] + b"?"})
        ended = fetch(tmp_path / "bad", bucket)

    assert (ended.reason, ended.status) == ("ChecksumMismatch", 75)
    assert not (tmp_path / "bad" / SHARD).exists()
    assert not (tmp_path / "bad" / MARKER).exists()


def test_a_cut_wire_is_gone_on_from(tmp_path: Path) -> None:
    """From the byte where it ended."""
    with a_bucket(tmp_path / "store", FILES) as bucket:
        bucket.wire.cuts = [1_000_000, 500_000, 300_000]
        ended = fetch(tmp_path / "m", bucket)

        assert ended.status == 0, ended.output
        assert bucket.wire.passed < 1.3 * sum(map(len, wanted(FILES).values()))
    assert len(ended.journal("trying again")) == 3
    assert contents(tmp_path / "m") == wanted(FILES)


def test_files_that_were_finished_are_not_fetched_again(tmp_path: Path) -> None:
    """Though a store gives no hash to know them by: the ledger does."""
    with a_bucket(tmp_path / "store", FILES) as bucket:
        bucket.wire.cuts = [1_500_000]
        first = fetch(tmp_path / "m", bucket, "--attempts", 1)
        finished = set(contents(tmp_path / "m"))
        before = bucket.wire.passed
        second = fetch(tmp_path / "m", bucket)

        missing = sum(len(data) for name, data in wanted(FILES).items() if name not in finished)
        assert bucket.wire.passed - before < missing + 15_000  # the listing, and headers
    assert (first.reason, second.status) == ("SourceUnreachable", 0)
    assert len(finished) > 5


def test_a_silent_wire_is_left(tmp_path: Path) -> None:
    """After the stall time-out, then gone on from."""
    with a_bucket(tmp_path / "store", FILES) as bucket:
        bucket.wire.silences = [1_000_000]
        ended = fetch(tmp_path / "m", bucket, "--stall-timeout", 1)

    assert ended.status == 0, ended.output
    assert [line["reason"] for line in ended.journal("trying again")] == ["DownloadStalled"]
    assert contents(tmp_path / "m") == wanted(FILES)


def test_an_object_that_is_replaced_while_it_is_fetched_ends_the_job(tmp_path: Path) -> None:
    """It went on with the version that was listed, and that is gone."""
    with a_bucket(tmp_path / "store", FILES) as bucket:
        bucket.wire.cuts = [1_000_000]
        bucket.wire.before_a_cut = lambda: bucket.put(
            {name: FILES[name][:-1] + b"?" for name in FILES if "000" in name}
        )
        ended = fetch(tmp_path / "m", bucket)

    assert (ended.reason, ended.status) == ("ModelInvalid", 78), ended.output
    assert "was changed while it was fetched" in ended.told["message"]


def test_an_object_that_is_replaced_between_two_fetches_is_noticed(tmp_path: Path) -> None:
    """Two versions of a file are never mixed."""
    with a_bucket(tmp_path / "store", FILES) as bucket:
        bucket.wire.cuts = [1_000_000]
        fetch(tmp_path / "m", bucket, "--attempts", 1)
        bucket.put({SHARD: safetensors({"other": ("BF16", 1_900_000)}, seed=5)})
        ended = fetch(tmp_path / "m", bucket)

    assert ended.status == 0, ended.output
    marked = read_manifest(tmp_path / "m" / MARKER)
    assert marked is not None
    assert marked.files[SHARD].sha256 == sha256(safetensors({"other": ("BF16", 1_900_000)}, seed=5))


@pytest.mark.parametrize(
    ("source", "variables", "reason", "word"),
    [
        (SOURCE, KEYS | {"AWS_SECRET_ACCESS_KEY": "wrong"}, "SourceUnauthorized", "Secret of model.credentialsRef"),
        (SOURCE, KEYS | {"AWS_ACCESS_KEY_ID": "nobody"}, "SourceUnauthorized", "Secret of model.credentialsRef"),
        (SOURCE, {"AWS_SKIP_SIGNATURE": "true"}, "SourceUnauthorized", "Secret of model.credentialsRef"),
        (SOURCE, {"AWS_REGION": "us-east-1"}, "SourceUnauthorized", "Secret of model.credentialsRef"),
        (f"s3://{BUCKET}/nothing", KEYS, "SourceNotFound", f"s3://{BUCKET}/nothing"),
        ("s3://no-such-bucket/x", KEYS, "SourceNotFound", "no-such-bucket"),
    ],
)
def test_a_store_that_refuses_is_said_to(
    source: str, variables: dict[str, str], reason: str, word: str, tmp_path: Path
) -> None:
    """Keys, prefixes, buckets; and neither key stands in what is said."""
    with a_bucket(tmp_path / "store", FILES) as bucket:
        ended = fetch(tmp_path / "m", bucket, source=source, **variables)

    assert (ended.reason, ended.status) == (reason, 78), ended.output
    assert word in ended.told["message"]
    assert not [key for key in (ACCESS, SECRET) if key in ended.output + ended.words]


def test_a_bucket_is_measured_without_being_fetched(tmp_path: Path) -> None:
    """The facts of a fetch, from the first bytes of each file."""
    with a_bucket(tmp_path / "store", FILES) as bucket:
        words = command("measure", SOURCE, "--endpoint", bucket.wire.url, "--termination-log", tmp_path / "log")
        measured = run_here(words, **KEYS)
        passed = bucket.wire.passed
        fetched = fetch(tmp_path / "m", bucket)

    assert (measured.status, measured.words) == (0, fetched.words), measured.output
    assert passed < 100_000


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (301, b""),
        (301, b"<Error><Code>PermanentRedirect</Code></Error>"),
        (400, b"<Error><Code>AuthorizationHeaderMalformed</Code></Error>"),
    ],
)
def test_a_bucket_of_another_region_is_said_to_be(status: int, body: bytes, tmp_path: Path) -> None:
    """As AWS says it, in three ways."""
    with a_refusal(status, body) as url:
        ended = run_here(fetch_command(tmp_path / "m", source=SOURCE, endpoint=url), **KEYS)

    assert (ended.reason, ended.status) == ("SourceInvalid", 78)
    assert "AWS_REGION" in ended.told["message"]


def test_a_store_that_asks_to_slow_down_is_heard(tmp_path: Path) -> None:
    """AWS says it with 503."""
    with a_refusal(503, b"<Error><Code>SlowDown</Code></Error>") as url:
        ended = run_here(fetch_command(tmp_path / "m", "--attempts", 2, source=SOURCE, endpoint=url), **KEYS)

    assert (ended.reason, ended.status) == ("RateLimited", 75)


def test_a_store_out_of_reach_is_said_to_be(tmp_path: Path) -> None:
    """Nobody listens there any more."""
    with a_bucket(tmp_path / "store", FILES) as bucket:
        pass

    assert fetch(tmp_path / "m", bucket, "--attempts", 2).reason == "SourceUnreachable"
