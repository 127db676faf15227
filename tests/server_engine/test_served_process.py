"""The whole server as a process of its own, with real weights, asked by the official client."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from typing import Any

import openai
import psutil  # type: ignore[import-untyped]
import pytest
from openai.types.chat import (
    ChatCompletionFunctionToolParam,
    ChatCompletionMessageFunctionToolCall,
    ChatCompletionMessageParam,
)
from openai.types.shared_params import ResponseFormatJSONSchema

from hack.generate import exposition
from qwen_server.engine.version import installed_version
from qwen_server.metrics import OWN
from tests.server_engine.conftest import SMOLLM2

KEY = "sk-visible-test-key-000"
LISTED = Path(exposition.__file__).with_name("vllm_series.json")
QUESTION = "What is the capital of France?"
START_SECONDS = 150
PROMPT = "canary-prompt-41c7"
REFUSED = "canary-refused-9be2"


@dataclass
class Served:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int
    management_port: int
    log: Path
    termination: Path

    def client(self, key: str = KEY) -> openai.OpenAI:
        """The official client, without its own retries."""
        return openai.OpenAI(base_url=f"http://127.0.0.1:{self.port}/v1", api_key=key, max_retries=0, timeout=120)

    def seen(self, *canaries: str) -> list[str]:
        """Those that stand in anything the process has written."""
        files = [file for file in (self.log, self.termination) if file.exists()]
        return [canary for canary in canaries if any(canary in file.read_text() for file in files)]

    def status(self, path: str) -> int:
        """The status of a management path; 0 while nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.management_port}{path}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0


def free_port() -> int:
    """A port that nobody listens on."""
    with create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


def ready(served: Served) -> Served:
    """The same server, once it is ready."""
    deadline = time.monotonic() + START_SECONDS
    while served.status("/readyz") != 200:
        assert served.process.poll() is None, served.log.read_text()
        assert time.monotonic() < deadline, served.log.read_text()
        time.sleep(0.2)
    return served


@contextmanager
def server(folder: Path) -> Iterator[Served]:
    """`qwen-server` as in a pod, on free ports."""
    if not SMOLLM2.is_dir():
        pytest.fail(f"There is no model in {SMOLLM2}; `python -m hack.weights` makes it.")
    keys, log = folder / "keys", folder / "log"
    keys.mkdir()
    (keys / "default").write_text(KEY)
    port, management_port = free_port(), free_port()
    flags = {
        "--model": SMOLLM2,
        "--served-model-name": "qwen3",
        "--device": "cpu",
        "--dtype": "float32",  # the same answers on every processor (docs/decisions/0005)
        "--keys": keys,
        "--host": "127.0.0.1",
        "--port": port,
        "--management-port": management_port,
        "--endpoint-delay": 0,
        "--drain-timeout": 60,
        "--termination-log": folder / "termination",
    }
    words = [str(word) for pair in flags.items() for word in pair]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "qwen_server", *words], stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield ready(Served(process, port, management_port, log, folder / "termination"))
        finally:
            process.kill()
            process.wait(10)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for this module's questions."""
    with server(tmp_path_factory.mktemp("served")) as one:
        yield one


def test_the_model_is_listed_with_its_context(served: Served) -> None:
    """SmolLM2 itself ends at 8,192 tokens."""
    (model,) = served.client().models.list().data
    assert (model.id, model.model_dump()["max_model_len"]) == ("qwen3", 8192)


def test_vllms_series_are_those_that_the_page_of_metrics_lists(served: Served, tmp_path: Path) -> None:
    """By name, type, labels and help; and the server's own stand beside them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{served.management_port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = {"vllm": installed_version(), "series": exposition.series(text, "vllm:")}
    fresh = tmp_path / "vllm_series.json"
    fresh.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(LISTED.read_text()), f"cp {fresh} {LISTED} && make generate"
    assert {each.name for each in OWN} <= {
        line.split()[2].removesuffix("_total") for line in text.splitlines() if line[0] == "#"
    }


def test_the_capital_of_france_is_paris(served: Served) -> None:
    """Real weights, through the model's own chat template."""
    answer = served.client().chat.completions.create(
        model="qwen3", messages=[{"role": "user", "content": QUESTION}], temperature=0, max_tokens=30
    )
    choice, usage = answer.choices[0], answer.usage
    assert choice.message.content is not None
    assert "Paris" in choice.message.content
    assert choice.finish_reason == "stop"
    assert usage is not None
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_a_stream_says_what_the_whole_answer_says(served: Served) -> None:
    """Greedy, so that both must be equal."""
    client = served.client()
    messages: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": QUESTION}]
    whole = client.chat.completions.create(model="qwen3", messages=messages, temperature=0, max_tokens=30)
    chunks = list(
        client.chat.completions.create(model="qwen3", messages=messages, temperature=0, max_tokens=30, stream=True)
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == whole.choices[0].message.content
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]


def test_two_greedy_completions_are_the_same_text(served: Served) -> None:
    """n=2 at temperature 0 is answered."""
    answer = served.client().completions.create(
        model="qwen3", prompt="The capital of France is", n=2, temperature=0, max_tokens=4
    )
    first, second = (choice.text for choice in answer.choices)
    assert first == second
    assert "Paris" in first


def test_a_chat_has_the_logprobs_of_its_tokens(served: Served) -> None:
    """Greedy: each token is the likeliest at its place. A stream has the same ones, the token that ends it included."""
    asked: dict[str, Any] = {"model": "qwen3", "messages": [{"role": "user", "content": QUESTION}], "temperature": 0}
    asked |= {"max_tokens": 30, "logprobs": True, "top_logprobs": 3}
    whole = served.client().chat.completions.create(**asked)
    chunks = list(served.client().chat.completions.create(**asked, stream=True))
    tokens = whole.choices[0].logprobs.content
    assert [each.token for each in tokens] == [each.top_logprobs[0].token for each in tokens]
    assert all(len(each.top_logprobs) == 3 and each.logprob <= 0 for each in tokens)
    assert bytes(byte for each in tokens for byte in each.bytes).decode().startswith(whole.choices[0].message.content)
    assert len(tokens) == whole.usage.completion_tokens
    found = [chunk.choices[0].logprobs.content for chunk in chunks if chunk.choices[0].logprobs]
    assert [each.token for content in found for each in content] == [each.token for each in tokens]


def test_a_text_completion_has_the_logprobs_of_prompt_and_text(served: Served) -> None:
    """Each token stands in the text where its offset says; the prompt's own can be had alone."""
    asked: dict[str, Any] = {"model": "qwen3", "prompt": "The capital of France is", "temperature": 0}
    asked |= {"logprobs": 2, "echo": True}
    (choice,) = served.client().completions.create(**asked, max_tokens=3).choices
    (scored,) = served.client().completions.create(**asked, max_tokens=0).choices
    chunks = list(served.client().completions.create(**asked, max_tokens=3, stream=True))
    found = choice.logprobs
    assert choice.text.startswith("The capital of France is Paris")
    assert [choice.text[at:].startswith(token) for token, at in zip(found.tokens, found.text_offset, strict=True)]
    assert "".join(found.tokens) == choice.text
    assert found.token_logprobs[0] is None
    assert all(logprob < 0 for logprob in found.token_logprobs[1:])
    assert [2 <= len(top) <= 3 for top in found.top_logprobs[1:]] == [True] * (len(found.tokens) - 1)
    assert (scored.text, scored.logprobs.tokens) == (asked["prompt"], found.tokens[:-3])
    assert scored.logprobs.token_logprobs[1:] == pytest.approx(found.token_logprobs[1:-3], abs=1e-3)
    assert "".join(chunk.choices[0].text for chunk in chunks) == choice.text
    assert [token for chunk in chunks for token in chunk.choices[0].logprobs.tokens] == found.tokens


def test_the_best_of_several_is_the_likeliest(served: Served) -> None:
    """All are paid for; a prompt of token ids comes back as text."""
    asked: dict[str, Any] = {"model": "qwen3", "prompt": [504, 3575], "echo": True, "best_of": 4, "n": 2, "logprobs": 0}
    answer = served.client().completions.create(**asked, max_tokens=5, temperature=1.5, seed=1)
    logprobs = [choice.logprobs.token_logprobs[2:] for choice in answer.choices]
    means = [sum(each) / len(each) for each in logprobs]
    assert answer.usage.completion_tokens > sum(map(len, logprobs))
    assert means == sorted(means, reverse=True)
    assert [choice.text for choice in answer.choices] == ["".join(choice.logprobs.tokens) for choice in answer.choices]


SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"city": {"enum": ["Paris", "Rome"]}},
    "required": ["city"],
    "additionalProperties": False,
}
LOOK_UP: ChatCompletionFunctionToolParam = {"type": "function", "function": {"name": "look_up", "parameters": SCHEMA}}
ASKED: list[ChatCompletionMessageParam] = [{"role": "user", "content": f"{QUESTION} Answer as JSON."}]


def test_an_answer_obeys_its_schema(served: Served) -> None:
    """As the client's own helper demands it; the model alone is far too small for that."""
    schema: ResponseFormatJSONSchema = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
    answer = served.client().chat.completions.create(
        model="qwen3", messages=ASKED, response_format=schema, temperature=0, max_tokens=60
    )
    assert json.loads(answer.choices[0].message.content or "")["city"] in ("Paris", "Rome")
    assert answer.choices[0].finish_reason == "stop"


@pytest.mark.parametrize(
    ("choice", "reason"),
    [({"type": "function", "function": {"name": "look_up"}}, "stop"), ("required", "tool_calls")],
    ids=["named", "required"],
)
def test_a_call_that_must_be_made_is_made(served: Served, choice: Any, reason: str) -> None:
    """Whole and streamed alike."""
    client = served.client()
    whole = client.chat.completions.create(
        model="qwen3",
        messages=ASKED,
        tools=[LOOK_UP],
        tool_choice=choice,
        parallel_tool_calls=False,
        temperature=0,
        max_tokens=80,
    )
    with client.chat.completions.stream(
        model="qwen3",
        messages=ASKED,
        tools=[LOOK_UP],
        tool_choice=choice,
        parallel_tool_calls=False,
        temperature=0,
        max_tokens=80,
    ) as stream:
        streamed = stream.get_final_completion()
    for answer in (whole, streamed):
        (call,) = answer.choices[0].message.tool_calls or []
        assert isinstance(call, ChatCompletionMessageFunctionToolCall)
        assert call.function.name == "look_up"
        assert json.loads(call.function.arguments)["city"] in ("Paris", "Rome")
        assert answer.choices[0].finish_reason == reason


@pytest.mark.parametrize("stream", [False, True])
def test_a_schema_that_can_not_be_enforced_is_refused_and_named(served: Served, *, stream: bool) -> None:
    """With its status, in a stream too, and without vLLM's words about it."""
    broken: dict[str, object] = {"type": "object", "properties": {"x": {"$ref": "#/nowhere"}}}
    schema: ResponseFormatJSONSchema = {"type": "json_schema", "json_schema": {"name": "x", "schema": broken}}
    with pytest.raises(openai.BadRequestError) as caught:
        served.client().chat.completions.create(model="qwen3", messages=ASKED, response_format=schema, stream=stream)
    assert caught.value.param == "response_format.json_schema.schema"
    assert "write a simpler JSON schema" in caught.value.message


def test_a_wrong_key_is_refused(served: Served) -> None:
    """With the code that clients look for."""
    with pytest.raises(openai.AuthenticationError) as caught:
        served.client("sk-wrong").models.list()
    assert caught.value.code == "invalid_api_key"


def test_requests_leave_no_line_in_the_log(served: Served) -> None:
    """Neither one each, nor statistics of them; what vLLM says of its own configuration has been said at the start."""
    before = served.log.read_text()
    with served.client() as client:
        client.completions.create(model="qwen3", prompt="Hello", max_tokens=20)
        client.models.list()
        with pytest.raises(openai.BadRequestError):
            client.completions.create(model="no-such-model", prompt="Hello")

    assert served.log.read_text() == before
    assert "throughput" not in before


def test_no_process_has_the_key_in_its_command_line_or_environment(served: Served) -> None:
    """Nor those that vLLM starts."""
    server = psutil.Process(served.process.pid)
    processes = [server, *server.children(recursive=True)]
    shown = [word for each in processes for word in (*each.cmdline(), *each.environ().values())]

    assert len(processes) > 3
    assert [word for word in shown if KEY in word] == []


def test_no_canary_is_seen_through_vllm(served: Served) -> None:
    """Neither of what it answers nor of what it refuses: too long for its context, or a token that it does not have."""
    client = served.client()
    client.completions.create(model="qwen3", prompt=PROMPT, max_tokens=5)
    with pytest.raises(openai.BadRequestError) as too_long:
        client.chat.completions.create(model="qwen3", messages=[{"role": "user", "content": REFUSED * 8192}])
    with pytest.raises(openai.BadRequestError) as no_token:
        client.completions.create(model="qwen3", prompt=REFUSED, logit_bias={"999999": 1})
    with pytest.raises(openai.AuthenticationError):
        served.client(REFUSED).models.list()

    assert too_long.value.code == "context_length_exceeded"
    assert REFUSED not in too_long.value.message + no_token.value.message
    assert served.seen(PROMPT, REFUSED, KEY) == []


def test_a_killed_server_takes_its_engine_along(served: Served) -> None:
    """Nobody else would end the engine's processes. This module's server ends with it."""
    processes = psutil.Process(served.process.pid).children(recursive=True)
    assert len(processes) >= 3
    served.process.kill()
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert alive == []


def test_a_terminated_server_finishes_its_streams(tmp_path: Path) -> None:
    """SIGTERM to the whole process group, as a supervisor may send it: all twenty streams end by themselves."""
    with server(tmp_path) as one:
        ends: list[str] = []

        def stream(number: int) -> None:
            chunks = one.client().completions.create(
                model="qwen3", prompt=f"Story {number}:", max_tokens=100, stream=True, extra_body={"ignore_eos": True}
            )
            reasons = []
            for index, chunk in enumerate(chunks):
                if index == 1:
                    begun.release()
                reasons.append(chunk.choices[0].finish_reason)
            ends.append(reasons[-1])

        begun = threading.Semaphore(0)
        threads = [threading.Thread(target=stream, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        assert all(begun.acquire(timeout=60) for _ in threads)
        os.killpg(one.process.pid, signal.SIGTERM)
        while one.status("/readyz") == 200:
            assert len(ends) < 20, "the signal has not been noticed"
        assert (one.status("/readyz"), one.status("/livez")) == (503, 200)
        for thread in threads:
            thread.join(120)
        assert ends == ["length"] * 20
        assert one.process.wait(30) == 0
        assert not one.termination.exists()


def test_a_killed_core_ends_every_stream_and_the_process_without_a_word_of_them(tmp_path: Path) -> None:
    """The largest of its processes dies in the middle of an answer; the operator learns why, and nothing else."""
    with server(tmp_path) as one:
        chunks = one.client().completions.create(
            model="qwen3", prompt=PROMPT, max_tokens=4000, stream=True, extra_body={"ignore_eos": True}
        )
        next(chunks)
        core = max(psutil.Process(one.process.pid).children(recursive=True), key=lambda each: each.memory_info().rss)
        core.kill()
        with pytest.raises(openai.APIError) as caught:
            list(chunks)

        assert caught.value.code == "engine_dead"
        assert one.process.wait(30) == 70
        assert "EngineDead" in one.termination.read_text()
        assert one.seen(PROMPT, KEY) == []
