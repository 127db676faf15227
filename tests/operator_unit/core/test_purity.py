"""The core depends on its arguments alone."""

import subprocess
import sys

LOOK = """
import sys
from qwen_operator import crd
from qwen_operator.core import plan, status
print(sorted({"asyncio", "logging", "random", "secrets", "kopf", "kubernetes", "aiohttp"} & sys.modules.keys()))
"""

SAY = """
from tests.golden.written import files
import hashlib
print(hashlib.sha256(repr(files()).encode()).hexdigest())
"""


def child(code: str, seed: str) -> str:
    """What an interpreter of its own prints."""
    environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(path for path in sys.path if path)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout


def test_the_core_loads_neither_a_loop_nor_a_logger_nor_a_client() -> None:
    """`qwen-operator render` starts in a moment."""
    assert child(LOOK, "0").strip() == "[]"


def test_children_and_messages_do_not_depend_on_the_order_of_sets() -> None:
    """Two operators decide the same, whatever the seed of their hashes."""
    assert child(SAY, "1") == child(SAY, "2")
