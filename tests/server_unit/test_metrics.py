"""What an on-call person reads: every series is declared once, counts what it says, and has few labels."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from qwen_server.auth import KeyRing
from qwen_server.engine.base import Delta, Prompt, Sampling
from qwen_server.engine.scripted import Script, ScriptedEngine
from qwen_server.exchange import Interruption
from qwen_server.journal import Journal
from qwen_server.metrics import OWN, show_keys, show_release
from tests.server_unit.builders import KEY, AServer, a_chat, a_completion, a_server

CHAT = "/v1/chat/completions"


def values(server: AServer, name: str) -> dict[tuple[str, ...], float]:
    """The samples of one series by the values of their labels, in the order of the labels' names."""
    families = text_string_to_metric_families(server.metrics())
    samples = (sample for family in families for sample in family.samples if sample.name == name)
    return {tuple(value for _, value in sorted(each.labels.items())): each.value for each in samples}


async def test_tokens_are_counted_by_route_and_key() -> None:
    """Whole and streamed; of a refused request there are none."""
    server = a_server(Script(reply="one two three"))
    async with server.client() as client:
        await client.post(CHAT, json=a_chat("four words are here"))
        await client.post(CHAT, json=a_chat("two words", stream=True))
        await client.post("/v1/completions", json=a_completion(["one", "two"], max_tokens=2))
        await client.post(CHAT, json=a_chat(temperature=7))

    assert values(server, "qwen_server_tokens_total") == {
        ("alice", "prompt", CHAT): 6,
        ("alice", "completion", CHAT): 6,
        ("alice", "prompt", "/v1/completions"): 2,
        ("alice", "completion", "/v1/completions"): 4,
    }


@pytest.mark.looptime
async def test_the_time_to_the_first_output_is_that_of_streams() -> None:
    """A whole answer has none of its own."""
    server = a_server()
    async with server.client() as client:
        await client.post(CHAT, json=a_chat())
        assert values(server, "qwen_server_first_output_seconds_count") == {}
        await client.post(CHAT, json=a_chat(stream=True))

    assert values(server, "qwen_server_first_output_seconds_count") == {(CHAT,): 1}
    assert values(server, "qwen_server_request_seconds_count") == {(CHAT,): 2}


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_ends_early_is_counted_by_its_reason(*, stream: bool) -> None:
    """With the tokens that it had until then."""

    class Waiting(ScriptedEngine):
        """One that has said two words when something happens."""

        async def generate(
            self, prompt: Prompt, sampling: Sampling, request_id: str, *, stream: bool
        ) -> AsyncGenerator[Sequence[Delta], None]:
            del prompt, sampling, request_id, stream
            yield [Delta(0, "two words", 2)]
            (running,) = server.lifecycle.running
            running.interrupt(Interruption.DEADLINE)
            await asyncio.Event().wait()

    server = a_server(engine=Waiting())
    async with server.client() as client:
        await client.post(CHAT, json=a_chat(stream=stream))

    assert values(server, "qwen_server_interrupted_total") == {("deadline", CHAT): 1}
    assert values(server, "qwen_server_tokens_total")["alice", "completion", CHAT] == 2
    assert values(server, "qwen_server_requests_running") == {(): 0}


async def test_nobody_can_add_a_label_from_outside() -> None:
    """Paths that do not exist, methods, wrong keys and models are counted together."""
    server = a_server()
    async with server.client() as client:
        for number in range(20):
            await client.get(f"/nowhere/{number}")
            await client.get(f"/v1/models/{number}")
            await client.request(f"M{number}", "/health")
            await client.get("/health", headers={"Authorization": f"Bearer wrong-{number}"})
            await client.post(CHAT, json={**a_chat(), "model": f"m{number}"})

    assert values(server, "qwen_server_requests_total") == {
        ("alice", "other", "404"): 20,
        ("alice", "/v1/models/{model:path}", "404"): 20,
        ("alice", "/health", "405"): 20,
        ("", "other", "401"): 20,
        ("alice", CHAT, "400"): 20,
    }


def test_keys_are_shown_as_they_are_when_somebody_looks(tmp_path: Path) -> None:
    """How many are valid, whether some cannot be used, and how often they changed."""
    registry, now = CollectorRegistry(), [0.0]
    (tmp_path / "alice").write_text(KEY)
    (tmp_path / "bob").write_text("another-fake-key")
    (tmp_path / "bob.expires").write_text("1970-01-01T00:00:10Z")
    ring = KeyRing(tmp_path, Journal(), clock=lambda: now[0])
    ring.reloaded = show_keys(registry, lambda: len(ring.valid()), lambda: ring.flawed)
    ring.load()

    def shown() -> tuple[float | None, ...]:
        names = ("qwen_server_keys", "qwen_server_keys_flawed", "qwen_server_key_reloads_total")
        return tuple(registry.get_sample_value(name) for name in names)

    assert shown() == (2, 0, 0)
    now[0] = 10.0
    assert shown() == (1, 0, 0)
    changed = {**ring.keys, "carol": ring.keys["alice"]}
    ring.take(changed)
    ring.take(changed)
    assert shown() == (2, 0, 1)
    ring.take(None)
    assert shown() == (2, 1, 1)


async def test_every_series_is_in_the_one_list() -> None:
    """The list that docs/metrics.md is made from: name, type and help as they are scraped."""
    server = a_server()
    show_release(server.registry, "1.2.3", "qwen3")
    show_keys(server.registry, lambda: 1, lambda: False)
    async with server.client() as client:
        await client.post(CHAT, json=a_chat(stream=True))
    families = {
        family.name: (family.type, family.documentation)
        for family in text_string_to_metric_families(generate_latest(server.registry).decode())
        if not family.name.endswith("_created")  # the library's own: when a counter began
    }

    assert families == {
        each.name: ({"Counter": "counter", "Gauge": "gauge", "Histogram": "histogram"}[each.kind.__name__], each.help)
        for each in OWN
    }
