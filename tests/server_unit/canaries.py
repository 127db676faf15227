"""Canaries: words that stand for content and keys, and every place where none of them may ever be seen."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx

from tests.server_unit.process import Process

PROMPT = "canary-prompt-5d1c"
COMPLETION = "canary-completion-77aa"
KEY = "canary-key-e0b3"
WRONG_KEY = "canary-wrong-key-19f4"
TOOL = "canary-tool-3b20"
ARGUMENT = "canary-argument-c4e1"
FILE = "canary-file-90d7.py"
CANARY = re.compile(r"canary-[a-z-]+-[0-9a-f]{4}")

TALKATIVE = {
    "PYTHONASYNCIODEBUG": "1",
    "PYTHONWARNINGS": "default",
    "PYTHONFAULTHANDLER": "1",
    "VLLM_LOGGING_LEVEL": "DEBUG",
    "TRANSFORMERS_VERBOSITY": "debug",
    "RUST_LOG": "trace",
    "TORCH_CPP_LOG_LEVEL": "INFO",
}
"""All that makes the server, Python or the libraries below say more; the server itself has no such flag."""

MESSAGES: list[dict[str, object]] = [
    {"role": "system", "content": PROMPT},
    {"role": "user", "content": [{"type": "text", "text": PROMPT}], "name": PROMPT},
    {
        "role": "assistant",
        "content": PROMPT,
        "tool_calls": [
            {"id": TOOL, "type": "function", "function": {"name": TOOL, "arguments": f'{{"{ARGUMENT}": "{FILE}"}}'}}
        ],
    },
    {"role": "tool", "tool_call_id": TOOL, "content": PROMPT},
]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": TOOL,
            "description": PROMPT,
            "parameters": {"type": "object", "properties": {ARGUMENT: {"enum": [FILE]}}},
        },
    }
]
CHAT: dict[str, object] = {"model": "qwen3", "messages": MESSAGES, "user": PROMPT, "max_tokens": 20}
COMPLETIONS: dict[str, object] = {"model": "qwen3", "prompt": PROMPT, "user": PROMPT, "max_tokens": 20}


def system_files(pid: int) -> Iterator[Path]:
    """What anybody on the machine can read of a process: its command line, its environment, its threads' names."""
    folder = Path("/proc") / str(pid)
    yield from (folder / "cmdline", folder / "environ", *folder.glob("task/*/comm"))


def family(pid: int) -> Iterator[int]:
    """A process, and all that it has started."""
    yield pid
    for children in Path("/proc").glob(f"{pid}/task/*/children"):
        with suppress(OSError):
            for child in children.read_text().split():
                yield from family(int(child))


def told(process: Process) -> Iterator[str]:
    """Everything that is said of itself by a process that lives: to probes, and to the system."""
    for path in ("/metrics", "/progress", "/readyz", "/livez", "/startupz", f"/{PROMPT}"):
        answer = httpx.get(process.management + path, headers={"X-Canary": PROMPT})
        yield answer.text + str(answer.headers)
    for pid in family(process.running().pid):
        for file in system_files(pid):
            with suppress(OSError):
                yield file.read_bytes().decode(errors="replace")


def written(process: Process) -> Iterator[str]:
    """Everything that it has written."""
    yield process.output()
    with suppress(FileNotFoundError):
        yield (process.folder / "termination-log").read_text()


def sightings(*texts: str) -> list[str]:
    """Every canary in any of the texts."""
    return [found for text in texts for found in CANARY.findall(text)]
