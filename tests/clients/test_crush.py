"""crush with the configuration of the reference: its requests, and the program itself where it is installed."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients import crush
from tests.clients.agents import DONE, PLAN, WRITTEN, solving
from tests.clients.calls import TEMPLATES
from tests.clients.crush import Message, Provider
from tests.clients.node_programs import SECONDS
from tests.clients.page import snippet
from tests.clients.servers import environment
from tests.server_unit.builders import KEY, events
from tests.server_unit.process import Process, a_process

TASK = "Write hello.txt as plan.txt says"


def ask(process: Process, body: dict[str, Any]) -> list[Any]:
    """The events of a streamed answer. Raises where crush would show an error."""
    answer = httpx.post(f"{process.url}/v1/chat/completions", json=body, headers=crush.headers(KEY), timeout=60)
    assert answer.status_code == 200, answer.text
    *chunks, usage, done = events(answer.text)
    assert (usage["choices"], usage["usage"]["total_tokens"] > 0, done) == ([], True, "[DONE]")
    return chunks


def text(chunks: Sequence[Any], name: str = "content") -> str:
    """What the deltas say under this name."""
    return "".join(choice["delta"].get(name) or "" for chunk in chunks for choice in chunk["choices"])


def calls(chunks: Sequence[Any]) -> list[Message]:
    """The calls put together by their index: the first part has id and name, arguments are joined."""
    found: dict[int, Message] = {}
    parts = [part for chunk in chunks for choice in chunk["choices"] for part in choice["delta"].get("tool_calls", ())]
    for part in parts:
        known = found.setdefault(part["index"], {"id": part.get("id"), "function": {"name": "", "arguments": ""}})
        known["function"]["name"] += part["function"].get("name", "")
        known["function"]["arguments"] += part["function"]["arguments"]
    return [found[index] for index in sorted(found)]


@pytest.mark.parametrize("provider", Provider)
@pytest.mark.parametrize("form", TEMPLATES)
def test_a_session_comes_to_its_end_and_goes_on(tmp_path: Path, form: str, provider: Provider) -> None:
    """A title, a task in three steps with three calls, and a second task in the same session."""
    messages, used = crush.opening(TASK), []
    with a_process(tmp_path, **solving(form, "view", "write", Path("/home/somebody"))) as process:
        named = ask(process.ready(), crush.title(TASK))
        while made := calls(chunks := ask(process, crush.turn(messages))):
            messages.append(crush.said(provider, text(chunks), text(chunks, "reasoning_content"), made))
            messages += [crush.result(call, "Done.") for call in made]
            used += [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in made]
        messages.append(crush.said(provider, text(chunks), text(chunks, "reasoning_content"), []))
        again = ask(process, crush.turn([*messages, {"content": "Thanks", "role": "user"}]))

    assert [name for name, _ in used] == ["view", "write", "view"]
    assert used[1][1] == {"file_path": "/home/somebody/hello.txt", "content": WRITTEN}
    assert messages[-1]["content"] == text(again).strip() == DONE
    assert [message.get("reasoning_content") for message in messages if message["role"] == "assistant"] == [
        "Hm." if provider is Provider.COMPATIBLE else None
    ] * 3
    assert text(named)


@pytest.mark.parametrize("form", TEMPLATES)
@pytest.mark.parametrize("provider", Provider)
def test_crush_does_its_task(tmp_path: Path, form: str, provider: Provider) -> None:
    """With the configuration that the page shows; the file is there to the character."""
    program = shutil.which("crush")
    if program is None:
        pytest.skip("crush is not installed; its requests are tried without it")
    served, work, home = (tmp_path / name for name in ("served", "work", "home"))
    for folder in (served, work, home):
        folder.mkdir()
    (work / "plan.txt").write_text(PLAN)
    configured = snippet("crush", "json").replace('"type": "openai-compat"', f'"type": "{provider}"')
    (work / "crush.json").write_text(configured)
    _, *task = shlex.split(snippet("crush", "bash"))
    with a_process(served, **solving(form, "view", "write", work)) as process:
        given = {**environment(process.ready()), "HOME": str(home), "PATH": os.environ["PATH"]}
        ended = subprocess.run(
            [program, *task],
            env=given,
            cwd=work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    assert ended.returncode == 0, ended.stderr
    assert (work / "hello.txt").read_text() == WRITTEN
    assert ended.stdout.strip().endswith(DONE)
