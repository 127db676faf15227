"""The hub as a source: what is fetched, and from where."""

from pathlib import Path

from qwen_server.weights.marker import LEDGER, MARKER, read_manifest
from tests.weights_unit.fetching import SOURCE, contents, fetch
from tests.weights_unit.hub_server import COMMIT, TOKEN, a_hub
from tests.weights_unit.models import model, sha256, wanted


def test_what_a_server_needs_is_fetched_and_nothing_else(tmp_path: Path) -> None:
    """No pickle, no code, no second layout of the same weights; and the marker says what is there."""
    files = model()
    with a_hub(files) as hub:
        ended = fetch(tmp_path / "m", hub=hub)

    assert ended.status == 0, ended.output
    assert contents(tmp_path / "m") == wanted(files)
    marked = read_manifest(tmp_path / "m" / MARKER)
    assert marked is not None
    assert {name: file.sha256 for name, file in marked.files.items()} == {
        name: sha256(data) for name, data in wanted(files).items()
    }
    assert (marked.source, marked.commit) == (SOURCE, COMMIT)


def test_a_revision_is_resolved_to_a_commit_that_is_shown(tmp_path: Path) -> None:
    """In the journal at the start, and in the last words; content is asked for by that commit alone."""
    with a_hub(model()) as hub:
        ended = fetch(tmp_path / "m", hub=hub, source=f"{SOURCE}@v1")

        assert ended.journal("resolved")[0]["commit"] == ended.told["commit"] == COMMIT
        resolved = [path for _, path, _ in hub.requests if "/resolve/" in path]
        assert resolved
        assert all(f"/resolve/{COMMIT}/" in path for path in resolved)


def test_a_marked_folder_needs_no_network(tmp_path: Path) -> None:
    """A branch may have moved since, and the hub may be gone: what was fetched stays."""
    with a_hub(model()) as hub:
        first = fetch(tmp_path / "m", hub=hub)

    second = fetch(tmp_path / "m", hub=hub)

    assert (second.status, second.words) == (0, first.words)


def test_the_last_words_tell_what_a_fit_check_needs(tmp_path: Path) -> None:
    """Bytes, files, the configuration in parts, and the tensors by name without numbers."""
    files = model(shards=3, size=300_000)
    with a_hub(files) as hub:
        told = fetch(tmp_path / "m", hub=hub).told

    assert told["bytes"] == sum(map(len, wanted(files).values()))
    assert told["files"] == len(wanted(files))
    assert told["config"]["num_hidden_layers"] == 2
    assert told["config"]["quantization_config"] == {"quant_method": "fp8", "weight_block_size": [128, 128]}
    assert told["tensors"] == [
        ["model.layers.*.mlp.up_proj.weight", "F8_E4M3", 450_000],
        ["model.layers.*.self_attn.q_proj.weight", "BF16", 450_000],
    ]


def test_the_token_goes_to_the_hub_and_not_where_it_redirects_to(tmp_path: Path) -> None:
    """Another host gets a signed address instead."""
    with a_hub(model(), token=TOKEN) as hub:
        ended = fetch(tmp_path / "m", hub=hub, HF_TOKEN=TOKEN)

        assert ended.status == 0, ended.output
        assert {authorization for _, _, authorization in hub.requests} == {f"Bearer {TOKEN}"}
        assert {authorization for _, authorization in hub.store_requests} == {""}


def test_a_token_comes_from_a_mounted_file(tmp_path: Path) -> None:
    """With the line's end that people leave in Secrets."""
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with a_hub(model(), token=TOKEN) as hub:
        ended = fetch(tmp_path / "m", "--token-file", tmp_path / "token", hub=hub)

    assert ended.status == 0, ended.output


def test_weights_without_an_index_are_found_by_their_name(tmp_path: Path) -> None:
    """Small models have one file."""
    files = model(shards=1)
    del files["model.safetensors.index.json"]
    with a_hub(files) as hub:
        ended = fetch(tmp_path / "m", hub=hub)

    assert ended.status == 0, ended.output
    assert contents(tmp_path / "m") == wanted(files)


def test_what_lies_there_with_the_right_hash_is_not_fetched(tmp_path: Path) -> None:
    """Copied by hand, perhaps only a part; what has a wrong hash is fetched."""
    files = wanted(model(shards=3))
    first, second, _ = (name for name in files if name.startswith("model-"))
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / first).write_bytes(files[first])
    (tmp_path / "m" / second).write_bytes(files[second][:-1] + b"?")
    with a_hub(files) as hub:
        ended = fetch(tmp_path / "m", hub=hub)

    assert ended.status == 0, ended.output
    assert contents(tmp_path / "m") == files
    assert hub.sent[first] == 0
    assert hub.sent[second] == len(files[second])


def test_a_download_that_was_begun_stays_with_its_commit(tmp_path: Path) -> None:
    """A branch that moves between two attempts does not mix two models."""
    files = model(shards=2)
    with a_hub(files) as hub:
        hub.faults.statuses = {"model-00002-of-00002.safetensors": [(404, {})]}
        assert fetch(tmp_path / "m", hub=hub).status != 0
        assert (tmp_path / "m" / LEDGER).exists()

        ended = fetch(tmp_path / "m", hub=hub)

        asked = [path for _, path, _ in hub.requests if path.startswith("/api/")]
        assert asked[-1].endswith(f"/revision/{COMMIT}")
    assert ended.status == 0, ended.output
    assert not (tmp_path / "m" / LEDGER).exists()


def test_a_commit_that_is_gone_is_replaced_by_the_present_one(tmp_path: Path) -> None:
    """Files that both have are kept, and what only the old one had goes."""
    old, new = model(shards=3), model(shards=2)
    old["old.json"], new["tokenizer.json"] = b"{}", b"another"
    with a_hub(old) as hub:
        hub.faults.statuses = {"model-00003-of-00003.safetensors": [(404, {})]}
        assert fetch(tmp_path / "m", hub=hub).status != 0
        hub.files, hub.commit = new, "f" * 40

        ended = fetch(tmp_path / "m", hub=hub)

    assert ended.told["commit"] == "f" * 40
    assert contents(tmp_path / "m") == wanted(new)
    assert hub.sent["merges.txt"] == len(new["merges.txt"])
