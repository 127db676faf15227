"""Events as they reach the API server: for news only, merged, and never in the way."""

from typing import Any

import pytest

from qwen_operator.announcer import QUIET_SECONDS, Announcer
from qwen_operator.cluster import Cluster
from qwen_operator.core import kinds
from qwen_operator.core.kinds import Kind, Scope
from qwen_operator.core.news import News
from qwen_operator.core.snapshot import Manifest
from tests.operator_api.emulator.app import Emulator
from tests.operator_api.running import a_claim, a_model, condition, found, running
from tests.operator_api.server import Server

EVENTS = Kind(api_version="v1", kind="Event", plural="events", verbs=("list",), scope=Scope.OURS)
TIMES = iter(f"2026-11-24T12:{minute:02}:00Z" for minute in range(60))


async def events(server: Server) -> list[Manifest]:
    """All events of the test's namespace."""
    return (await Cluster(server.transport).list_page(EVENTS, server.namespace)).items


@pytest.fixture
async def model(server: Server) -> Manifest:
    """A stored model."""
    return await server.create(kinds.QWEN_MODEL, a_model())


async def test_the_same_reason_within_ten_minutes_is_one_event_that_counts(server: Server, model: Manifest) -> None:
    """One write; the next one, after that, tells how often it was so."""
    clock = [0.0]
    announcer = Announcer(Cluster(server.transport), lambda: next(TIMES), lambda: clock[0])
    crashed = News("Warning", "CrashLoop", "The server ended.")

    for _ in range(3):
        await announcer.announce(model, crashed)
    (one,) = await events(server)
    assert (one["count"], one["reason"], one["type"]) == (1, "CrashLoop", "Warning")
    assert one["involvedObject"]["name"] == "qwen3"

    clock[0] = QUIET_SECONDS
    await announcer.announce(model, crashed)
    (one,) = await events(server)
    assert one["count"] == 4
    assert one["firstTimestamp"] < one["lastTimestamp"]


async def test_two_reasons_are_two_events(server: Server, model: Manifest) -> None:
    """Neither hides the other."""
    announcer = Announcer(Cluster(server.transport), lambda: "2026-11-24T12:00:00Z", lambda: 0.0)
    for reason in ("CrashLoop", "Ready"):
        await announcer.announce(model, News("Normal", reason, "It is so."))

    assert {one["reason"] for one in await events(server)} == {"CrashLoop", "Ready"}


async def a_turn(server: Server) -> Manifest:
    """A model without its claim, which then comes: Ready has another reason."""
    await server.create(kinds.QWEN_MODEL, a_model())
    await found(server, kinds.QWEN_MODEL, "qwen3", lambda model: reason(model) == "ClaimNotFound")
    await server.create(kinds.CLAIM, a_claim())
    await found(server, kinds.QWEN_MODEL, "qwen3", lambda model: reason(model) == "RollingOut")
    await server.delete(kinds.CLAIM, "weights")
    return await found(server, kinds.QWEN_MODEL, "qwen3", lambda model: reason(model) == "ClaimNotFound")


def reason(model: Manifest) -> Any:
    """Why it is not ready."""
    return condition(model, "Ready").get("reason")


async def test_a_lost_claim_is_an_event_and_a_new_model_is_none(emulated: Server) -> None:
    """Only what turned out otherwise than it was."""
    async with running(emulated) as operator:
        await a_turn(emulated)
        await operator.settle()

        assert [one["reason"] for one in await events(emulated)] == ["ClaimNotFound"]


async def test_an_event_that_may_not_be_written_costs_nothing(emulated: Server, emulator: Emulator) -> None:
    """The status is written all the same, and nothing is tried again for it."""
    emulator.faults.refuse["patch", "events"] = 403
    async with running(emulated) as operator:
        await a_turn(emulated)
        await operator.settle()

        assert await events(emulated) == []
        assert operator.requests({"patch"}, "events") == 1
