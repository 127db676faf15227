"""Files of a model's folder, and what a Job says of them: anything may lie there, and it is refused in words."""

import json
import struct
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from qwen_server.weights import inspection, tensors
from qwen_server.weights.description import report
from qwen_server.weights.marker import Manifest, NoManifest, Verified, manifest
from qwen_server.weights.reasons import WeightsError
from qwen_server.weights.source import source
from tests.properties.made_up import ANY, BYTES, WORDS, almost, words_of

HEAD: dict[str, Any] = {
    "__metadata__": {"format": "pt"},
    "model.layers.0.mlp.weight": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]},
    "lm_head.weight": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [8, 12]},
}
CONFIG: dict[str, Any] = {
    "architectures": ["Qwen3ForCausalLM"],
    "num_hidden_layers": 1,
    "hidden_size": 8,
    "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]},
}
INDEX: dict[str, Any] = {"metadata": {"total_size": 12}, "weight_map": {"lm_head.weight": "model.safetensors"}}
MARKER = json.loads(Manifest("hf://a/b", "3f2a", {"config.json": Verified(2, "0" * 64, "v")}).document())


def safetensors(head: Any, length: int | None, content: bytes) -> bytes:
    """A file with this header, which claims to be so long."""
    written = json.dumps(head).encode()
    return struct.pack("<Q", (len(written) if length is None else length) % 2**64) + written + content


FILES = st.builds(safetensors, almost(HEAD), st.none() | st.integers(0, 2**64), st.binary(max_size=16)) | BYTES


@given(FILES)
@example(safetensors({"a": {"dtype": "BF16", "data_offsets": []}}, None, b""))
def test_a_file_of_tensors_is_whole_or_it_is_not(content: bytes) -> None:
    """A question with an answer, whatever the header claims."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "model.safetensors"
        file.write_bytes(content)
        whole = tensors.is_complete(file)
        if whole:
            tensors.tensor_bytes(file)

    assert whole in (True, False)


@given(st.tuples(almost(CONFIG) | ANY, almost(INDEX) | ANY, FILES, st.none() | almost(MARKER) | ANY))
def test_a_folder_of_anything_is_described_or_refused_in_words(made: tuple[Any, Any, bytes, Any]) -> None:
    """The line is JSON that fits into a termination message; a refusal names its reason."""
    config, index, content, marker = made
    with TemporaryDirectory() as folder:
        there = Path(folder)
        (there / "config.json").write_text(json.dumps(config))
        (there / "model.safetensors.index.json").write_text(json.dumps(index))
        (there / "model.safetensors").write_bytes(content)
        if marker is not None:
            (there / ".qwen-weights.json").write_text(json.dumps(marker))
        assert words_of(WeightsError, judged, there)


def judged(folder: Path) -> None:
    """Describe a folder, and look at the line."""
    line = inspection.describe(folder)
    assert len(line.encode()) < 4096
    assert json.loads(line)["files"] >= 1


@given(BYTES | almost(MARKER).map(lambda value: json.dumps(value).encode()))
def test_a_marker_is_one_or_none(document: bytes) -> None:
    """And what is read is written again as it was."""
    try:
        found = manifest(document)
    except NoManifest:
        return

    assert manifest(found.document()) == found


@example({"architectures": ["Q" * 5000]}, [])
@given(almost(CONFIG), st.lists(st.builds(tensors.Tensor, WORDS, WORDS, st.integers(0, 2**40)), max_size=5))
def test_a_report_fits_into_a_termination_message(config: dict[str, Any], found: list[tensors.Tensor]) -> None:
    """Whatever the names are."""
    line = report("3f2a", [1], config, found)

    assert len(line.encode()) < 4096


@given(st.text(max_size=80) | st.tuples(st.sampled_from(["hf", "s3", "pvc", "oci"]), WORDS).map("://".join))
def test_a_place_of_weights_is_understood_or_refused_in_words(uri: str) -> None:
    """Every scheme."""
    assert words_of(WeightsError, source, uri)
