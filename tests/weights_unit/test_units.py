"""The pure parts: sources, selection, patience, rate, manifest, description."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from qwen_server.weights.command import command
from qwen_server.weights.description import LONGEST, facts, pattern, report
from qwen_server.weights.disk import gibibytes
from qwen_server.weights.fetching import AT_ONCE
from qwen_server.weights.listing import Algorithm, Digest, Listing, RemoteFile, Sums
from qwen_server.weights.marker import Manifest, NoManifest, Verified, manifest
from qwen_server.weights.patience import LONGEST_ORDERED_PAUSE, Patience
from qwen_server.weights.progress import SLOW, Gauge, Stage
from qwen_server.weights.reasons import TRANSIENT, Reason
from qwen_server.weights.selection import describing, tensors
from qwen_server.weights.source import Bucket, Hub, Mounted, source
from qwen_server.weights.tensors import Tensor
from tests.weights_unit.models import git_blob, sha256

PAGE = Path(__file__).resolve().parents[2] / "docs/weights.md"
UNREACHABLE = Reason.SOURCE_UNREACHABLE.about(place="hub", why="it is gone")
MISMATCH = Reason.CHECKSUM_MISMATCH.about(name="x", place="hub", times=3)


class Clock:
    """A time that only the test moves."""

    now = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def a_listing(*names: str) -> Listing:
    """Files of 10 bytes."""
    return Listing("hf://a/b", "c", tuple(RemoteFile(name, 10, name, None) for name in names))


@pytest.mark.parametrize(
    ("uri", "read"),
    [
        ("hf://Qwen/Qwen3-8B", Hub("Qwen/Qwen3-8B", None)),
        ("hf://Qwen/Qwen3-8B@v1", Hub("Qwen/Qwen3-8B", "v1")),
        ("s3://models", Bucket("models", "")),
        ("s3://models/qwen/qwen3/", Bucket("models", "qwen/qwen3")),
        ("pvc://models/qwen3", Mounted("pvc://models/qwen3")),
        ("oci://registry/qwen3:1", Mounted("oci://registry/qwen3:1")),
    ],
)
def test_a_uri_is_taken_apart(uri: str, read: object) -> None:
    """And put together again."""
    found = source(uri)

    assert found == read
    assert found.uri == uri.rstrip("/")


def test_the_command_lines_that_are_documented_are_understood() -> None:
    """Of every verb."""
    block = re.findall(r"```bash\n(.*?)```", PAGE.read_text(), re.DOTALL)[0]
    lines = [shlex.split(line, comments=True) for line in block.splitlines()]

    assert {program for program, *_ in lines} == {"qwen-weights"}
    assert [command(words).verb for _, *words in lines] == ["measure", "fetch", "verify", "describe"]


def test_the_page_tells_the_figures_of_the_code() -> None:
    """Pauses, attempts, silence, the floor of speed, and how many files at a time."""
    patience, page = Patience(), " ".join(PAGE.read_text().split())

    assert f"from {patience.first_wait:g} to {patience.longest_wait:g} s" in page
    assert f"kept up to {LONGEST_ORDERED_PAUSE / 60:g} minutes" in page
    assert f"without {patience.worth >> 20} MiB of progress" in page
    assert f"says nothing for {patience.stall:g} s" in page
    assert f"below {SLOW / 1e6:g} MB/s" in page
    assert (patience.attempts, AT_ONCE) == (8, 8)
    assert page.count("ight f") == 2


def test_a_name_that_leaves_the_folder_is_never_chosen() -> None:
    """Whatever a listing says."""
    listing = a_listing(
        "config.json", "../x.json", "a/b.json", "..\\x.json", ".x.json", "m.safetensors", "/x.safetensors"
    )

    assert [file.name for file in describing(listing)] == ["config.json"]
    assert [file.name for file in tensors(listing, None)] == ["m.safetensors"]


def test_an_index_may_name_what_else_counts_as_a_duplicate() -> None:
    """Mistral's layout under its own index."""
    listing = a_listing("config.json", "consolidated.safetensors", "m.safetensors")
    index = json.dumps({"weight_map": {"a": "consolidated.safetensors"}}).encode()

    assert [file.name for file in tensors(listing, index)] == ["consolidated.safetensors"]
    assert [file.name for file in tensors(listing, None)] == ["m.safetensors"]


def test_pauses_double_with_jitter_up_to_a_bound() -> None:
    """Half of it is certain, so that there is never none."""
    low, high = Patience(chance=lambda: 0.0), Patience(chance=lambda: 1.0)

    assert [low.pause(count, UNREACHABLE) for count in (1, 2, 3, 20)] == [0.5, 1.0, 2.0, 30.0]
    assert [high.pause(count, UNREACHABLE) for count in (1, 2, 3, 20)] == [1.0, 2.0, 4.0, 60.0]


def test_a_pause_that_was_asked_for_is_the_least() -> None:
    """And one of more than a quarter of an hour ends the Job instead."""
    patience = Patience()
    asked, long = (Reason.RATE_LIMITED.about(seconds, place="hub", pause="") for seconds in (120, 1000))

    assert patience.pause(1, asked) == 120
    assert not patience.is_out(1, asked)
    assert long.retry_after is not None
    assert long.retry_after > LONGEST_ORDERED_PAUSE
    assert patience.is_out(1, long)


def test_patience_ends_sooner_for_wrong_content_and_at_once_for_what_cannot_pass() -> None:
    """Three times, eight times, never."""
    patience = Patience()

    assert [patience.is_out(count, MISMATCH) for count in (1, 2, 3)] == [False, False, True]
    assert [patience.is_out(count, UNREACHABLE) for count in (7, 8)] == [False, True]
    assert patience.is_out(1, Reason.NO_SAFETENSORS.about(what="x"))


def test_every_reason_has_a_remedy_and_a_status() -> None:
    """A sentence of two parts: what is wrong, then what to do."""
    remedies = {reason: reason.sentence for reason in Reason if reason is not Reason.INVALID_ARGUMENT}

    assert [reason for reason, sentence in remedies.items() if ";" not in sentence and "defect" not in sentence] == []
    assert [reason for reason, sentence in remedies.items() if not sentence.endswith(".")] == []
    assert set(Reason) > TRANSIENT


def test_a_download_has_a_rate_and_a_time_that_is_left() -> None:
    """Over the last minute; bytes that were there before do not count as speed."""
    clock = Clock()
    gauge = Gauge(clock)
    gauge.count(total=200_000_000, done=50_000_000)
    gauge.enter(Stage.DOWNLOADING)
    gauge.received(0)
    for _ in range(10):
        clock.now += 1
        gauge.received(5_000_000)

    told = gauge.document()
    assert (told["bytes_done"], told["percent"]) == (100_000_000, 50.0)
    assert (told["bytes_per_second"], told["seconds_left"], told["slow"]) == (5_000_000, 20, False)


def test_a_slow_source_is_said_and_not_ended() -> None:
    """Below a floor for half a minute; a source that falls silent gets slower with each look."""
    clock = Clock()
    gauge = Gauge(clock)
    gauge.count(total=10_000_000_000)
    gauge.enter(Stage.DOWNLOADING)
    gauge.received(0)
    for _ in range(40):
        clock.now += 1
        gauge.received(SLOW // 2)

    assert gauge.document()["slow"] is True
    before = gauge.document()["bytes_per_second"]
    clock.now += 60
    assert gauge.document()["bytes_per_second"] < before


def test_what_is_in_the_way_is_told_until_bytes_flow() -> None:
    """The reason and its sentence."""
    gauge = Gauge(Clock())
    gauge.trouble(UNREACHABLE)
    assert (gauge.document()["reason"], gauge.document()["last_error"]) == ("SourceUnreachable", UNREACHABLE.message)

    gauge.received(1)
    assert (gauge.document()["reason"], gauge.document()["last_error"]) == (None, None)


def test_a_manifest_is_read_as_it_was_written() -> None:
    """And nothing else is taken for one."""
    written = Manifest("hf://a/b", "c", {"x.json": Verified(1, "s", "v")})

    assert manifest(written.document()) == written


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b"{}",
        b'{"format": 2, "source": "s", "commit": "c", "files": {}}',
        b'{"format": 1, "source": "s", "commit": "c", "files": {"../x": {"size": 1, "sha256": "s", "version": "v"}}}',
        b'{"format": 1, "source": "s", "commit": "c", "files": {"x": {"size": "many", "sha256": "s", "version": "v"}}}',
        b'{"format": 1, "source": "s", "commit": "c", "files": []}',
        b"[" * 100_000,
    ],
)
def test_nonsense_is_no_manifest(document: bytes) -> None:
    """Anything can lie in a folder."""
    with pytest.raises(NoManifest):
        manifest(document)


@pytest.mark.parametrize(("algorithm", "value"), [(Algorithm.SHA256, sha256), (Algorithm.GIT_BLOB, git_blob)])
def test_one_changed_bit_changes_every_kind_of_hash(algorithm: Algorithm, value: Callable[[bytes], str]) -> None:
    """The hub's own for large and small files."""
    file = RemoteFile("x", 3, "v", Digest(algorithm, value(b"abc")))
    right, wrong = Sums(file), Sums(file)
    for piece in (b"a", b"bc"):
        right.add(piece)
    wrong.add(b"abb")

    assert right.agree
    assert not wrong.agree
    assert right.sha256 == sha256(b"abc")


def test_a_tensors_name_loses_its_numbers() -> None:
    """Of layers and experts, not those within a word."""
    assert pattern("model.layers.12.mlp.experts.159.up_proj.weight") == "model.layers.*.mlp.experts.*.up_proj.weight"
    assert pattern("model.conv1d.w2") == "model.conv1d.w2"


def test_a_report_that_would_not_fit_says_no_tensors_rather_than_a_part() -> None:
    """The kubelet would cut it in the middle."""
    many = [Tensor(f"layer_{number}.weight", "BF16", 1) for number in range(1000)]
    told = json.loads(report("c", [10], {"hidden_size": 8, "vocab": "x"}, many))

    assert told == {"commit": "c", "bytes": 10, "files": 1, "config": {"hidden_size": 8}, "tensors": []}
    assert len(report("c", [10], {}, many[:100])) < LONGEST
    assert json.loads(report("c", [10], {}, many[:2]))["tensors"] == [
        ["layer_0.weight", "BF16", 1],
        ["layer_1.weight", "BF16", 1],
    ]


def test_a_configuration_of_any_shape_is_borne() -> None:
    """Its quantization may be no table."""
    assert facts({"quantization_config": "fp8", "x": 1}) == {}
    assert facts({"quantization_config": {"quant_method": "fp8", "x": 1}}) == {
        "quantization_config": {"quant_method": "fp8"}
    }


def test_a_claim_is_asked_for_in_whole_units_that_are_large_enough() -> None:
    """Rounded up."""
    assert [gibibytes(count) for count in (1, 1 << 30, (1 << 30) + 1)] == ["1Gi", "1Gi", "2Gi"]
