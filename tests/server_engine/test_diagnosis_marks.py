"""The sentences that a start's failure is known by, held against the sources of the vLLM that is installed."""

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from qwen_server.engine.diagnosis import MARKS

pytestmark = pytest.mark.engine

FOREIGN = {
    "Error while deserializing header",
    "driver on your system is too old",
    "CUDA driver version is insufficient",
    "Found no NVIDIA driver",
    "unable to open shared memory object",
    "unable to mmap",
    "creating shared memory segment",
    "CUDA error",
}
"""Marks of torch, CUDA, NCCL and safetensors, whose sentences are compiled into libraries."""
PLACES = ("config", "platforms", "v1/core", "v1/worker", "distributed/device_communicators", "model_executor")
"""Where vLLM says why a model cannot be served."""


def sentences(text: ast.expr) -> str:
    """A text as it is written, values left out."""
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    return "".join(
        part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "…" for part in parts
    )


def written_in(folder: Path) -> Iterator[str]:
    """Every text of every module below a folder."""
    for module in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.JoinedStr | ast.Constant):
                yield sentences(node)


def test_every_mark_of_vllms_is_in_its_sources() -> None:
    """A release that words a cause otherwise is noticed here, not by a person at night."""
    spec = find_spec("vllm")
    assert spec is not None
    assert spec.origin is not None
    texts = {text for place in PLACES for text in written_in(Path(spec.origin).parent / place)}

    missing = [mark for mark, _ in MARKS if mark not in FOREIGN and not any(mark in text for text in texts)]

    assert missing == []
