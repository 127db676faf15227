"""`kubectl qwen keys` on both API servers."""

import asyncio
import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest

from qwen_operator.cli import key_secret
from qwen_operator.cli.access import Access
from qwen_operator.cli.endings import Mistake
from qwen_operator.cluster import Cluster
from qwen_operator.core import kinds
from qwen_operator.core.resource import parse
from tests.operator_api.plugin import Ended, kubectl_qwen
from tests.operator_api.running import a_model
from tests.operator_api.server import Server

YES, NO, USAGE, UNKNOWN, NOT_THERE = range(5)
CANARY = "sk-canary-of-the-plug-in-0123"
"""A key that must be nowhere but in the Secret."""
NAME = "qwen3-api-keys"


async def stored(server: Server) -> dict[str, str]:
    """What the Secret holds, plain."""
    data = (await server.get(kinds.SECRET, NAME)).get("data") or {}
    return {name: base64.b64decode(value).decode() for name, value in data.items()}


async def with_keys(server: Server, **keys: str) -> None:
    """A model, and its Secret with these entries."""
    await server.create(kinds.QWEN_MODEL, a_model())
    data = {name: base64.b64encode(value.encode()).decode() for name, value in keys.items()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": NAME}, "data": data}
    await server.create(kinds.SECRET, secret)


def keys(ended: Ended) -> dict[str, Any]:
    """Of `list -o json`, by name."""
    return {each["name"]: each for each in ended.document["keys"]}


async def test_a_new_key_is_shown_once_and_alone_on_standard_output(server: Server) -> None:
    """So that it can be piped; the sentence goes beside it."""
    await with_keys(server, default="sk-first")

    ended = await kubectl_qwen(server, "keys", "create", "qwen3", "alice")

    assert ended.status == YES, ended.err
    [key] = ended.out.splitlines()
    assert await stored(server) == {"default": "sk-first", "alice": key}
    assert ended.err.startswith(f"Key alice is in Secret {NAME}.")
    assert key not in ended.err


async def test_a_list_shows_no_key(server: Server) -> None:
    """Names, ends and fingerprints, for people and for programs."""
    await with_keys(server, default=CANARY, **{"old": "sk-old", "old.expires": "2026-01-01T00:00:00Z"})

    shown = await kubectl_qwen(server, "keys", "list", "qwen3")
    found = keys(await kubectl_qwen(server, "keys", "list", "qwen3", "-o", "json"))

    assert CANARY not in shown.out + str(found)
    assert found["default"]["fingerprint"] == hashlib.sha256(CANARY.encode()).hexdigest()[:8]
    assert found["default"]["fingerprint"] in shown.out
    assert {name: each["state"] for name, each in found.items()} == {"default": "Active", "old": "Expired"}


async def test_an_own_key_comes_from_standard_input_and_is_said_nowhere(server: Server) -> None:
    """Not in the arguments, which every process of the machine can read."""
    await with_keys(server)

    ended = await kubectl_qwen(server, "keys", "create", "qwen3", "alice", "--stdin", stdin=f"{CANARY}\n")

    assert ended.status == YES, ended.err
    assert (await stored(server))["alice"] == CANARY
    assert CANARY not in ended.out + ended.err


async def test_a_hashed_key_is_stored_as_its_digest_alone(server: Server) -> None:
    """And stays one when it is rotated."""
    await with_keys(server)

    created = await kubectl_qwen(server, "keys", "create", "qwen3", "alice", "--hash")
    first = (await stored(server))["alice"]
    rotated = await kubectl_qwen(server, "keys", "rotate", "qwen3", "alice")
    second = (await stored(server))["alice"]

    assert first == f"sha256:{hashlib.sha256(created.out.strip().encode()).hexdigest()}"
    assert second == f"sha256:{hashlib.sha256(rotated.out.strip().encode()).hexdigest()}"


async def test_a_rotated_key_has_two_values_for_a_while(server: Server) -> None:
    """The former one under a name of its own, with an end."""
    await with_keys(server, alice="sk-first")

    ended = await kubectl_qwen(server, "keys", "rotate", "qwen3", "alice", "--overlap", "2h")

    found = await stored(server)
    [former] = [name for name, value in found.items() if value == "sk-first"]
    left = datetime.fromisoformat(found[f"{former}.expires"]) - datetime.now(UTC)
    assert ended.status == YES, ended.err
    assert found["alice"] == ended.out.strip()
    assert 0.9 * 7200 < left.total_seconds() <= 7200


async def test_a_second_rotation_leaves_the_first_ones_value_alone(server: Server) -> None:
    """Three values live: nobody who was promised a day loses it."""
    await with_keys(server, alice="sk-first")

    for _ in range(2):
        assert (await kubectl_qwen(server, "keys", "rotate", "qwen3", "alice")).status == YES

    found = keys(await kubectl_qwen(server, "keys", "list", "qwen3", "-o", "json"))
    assert len(found) == 3
    assert {each["state"] for each in found.values()} == {"Active"}


async def test_revoking_takes_a_key_with_its_former_values(server: Server) -> None:
    """A key that leaked once leaked under all of its values."""
    await with_keys(server, default="sk-default", alice="sk-first")
    await kubectl_qwen(server, "keys", "rotate", "qwen3", "alice", "--expires", "30d")

    ended = await kubectl_qwen(server, "keys", "revoke", "qwen3", "alice")

    assert ended.status == YES, ended.err
    assert await stored(server) == {"default": "sk-default"}
    assert "last key" not in ended.err


async def test_whoever_revokes_the_last_key_is_told_so(server: Server) -> None:
    """It is done nevertheless."""
    await with_keys(server, alice="sk-first")

    ended = await kubectl_qwen(server, "keys", "revoke", "qwen3", "alice")

    assert "That was the last key" in ended.err
    assert await stored(server) == {}


async def test_two_changes_at_the_same_time_are_both_kept(server: Server) -> None:
    """Each is made on the version that was read, and again on the next one."""
    await with_keys(server)

    ended = await asyncio.gather(*(kubectl_qwen(server, "keys", "create", "qwen3", f"k{n}") for n in range(3)))

    assert [each.status for each in ended] == [YES] * 3, [each.err for each in ended]
    assert (await stored(server)).keys() == {"k0", "k1", "k2"}


async def test_a_write_that_came_between_reading_and_writing_is_seen_before_anything_is_written(
    emulated: Server, cluster: Cluster
) -> None:
    """Without the version in the patch, the other one's value would be gone."""
    await with_keys(emulated)
    assert emulated.emulator
    objects, theirs = emulated.emulator.objects, base64.b64encode(b"sk-theirs").decode()
    model = parse(await emulated.get(kinds.QWEN_MODEL, "qwen3"))

    def decide(keys: key_secret.Keys) -> key_secret.Change:
        if "alice" in keys.data:
            raise Mistake("alice is there")
        objects.merge("secrets", emulated.namespace, NAME, {"data": {"alice": theirs}})
        return key_secret.Change({"alice": base64.b64encode(b"sk-mine").decode()}, "{}")

    with pytest.raises(Mistake):
        await key_secret.change(Access(cluster, emulated.transport, emulated.namespace), model, decide)

    assert (await stored(emulated))["alice"] == "sk-theirs"


async def test_a_conflict_is_met_by_reading_again(emulated: Server) -> None:
    """What somebody else wrote in between stays."""
    await with_keys(emulated)
    assert emulated.emulator
    emulated.emulator.faults.refuse["patch", "secrets"] = 409
    emulated.emulator.faults.times["patch", "secrets"] = 2

    ended = await kubectl_qwen(emulated, "keys", "create", "qwen3", "alice")

    assert ended.status == YES, ended.err
    assert emulated.emulator.traffic.requests["get", "secrets"] == 3
    assert (await stored(emulated))["alice"] == ended.out.strip()


async def test_a_secret_that_is_not_there_is_made_for_the_first_key(server: Server) -> None:
    """It leaves with its model, as the operator's own would."""
    model = await server.create(kinds.QWEN_MODEL, a_model())

    ended = await kubectl_qwen(server, "keys", "create", "qwen3", "alice")

    secret = await server.get(kinds.SECRET, NAME)
    assert ended.status == YES, ended.err
    assert secret["metadata"]["ownerReferences"][0]["uid"] == model["metadata"]["uid"]


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (("create", "qwen3", "alice"), USAGE, "kubectl qwen keys rotate qwen3 alice"),
        (("rotate", "qwen3", "bob"), NOT_THERE, "There is no key bob"),
        (("revoke", "qwen3", "bob"), NOT_THERE, "kubectl qwen keys list qwen3"),
        (("rotate", "qwen3", "over"), USAGE, "--expires"),
        (("create", "qwen3", "x.expires"), USAGE, "not end in .expires"),
        (("create", "qwen3", "new", "--expires", "2020-01-01T00:00:00Z"), USAGE, "must be in the future"),
        (("create", "qwen3", "new", "--stdin"), USAGE, "Standard input holds no key"),
    ],
)
async def test_what_cannot_be_done_is_one_sentence_with_a_remedy(
    emulated: Server, arguments: tuple[str, ...], status: int, sentence: str
) -> None:
    """And nothing is written."""
    before = {"alice": CANARY, "over": "sk-over", "over.expires": "2026-01-01T00:00:00Z"}
    await with_keys(emulated, **before)

    ended = await kubectl_qwen(emulated, "keys", *arguments, stdin="two words")

    assert ended.status == status, ended.err
    assert sentence in ended.err
    assert CANARY not in ended.out + ended.err
    assert await stored(emulated) == before


async def test_a_missing_right_on_the_secret_is_named_without_a_key(emulated: Server) -> None:
    """Reading is a right, and so is writing."""
    await with_keys(emulated, alice=CANARY)
    assert emulated.emulator
    emulated.emulator.faults.refuse["patch", "secrets"] = 403

    ended = await kubectl_qwen(emulated, "keys", "create", "qwen3", "bob", "--stdin", stdin=f"{CANARY}-2")

    assert ended.status == UNKNOWN
    assert "You may not patch secrets in namespace" in ended.err
    assert CANARY not in ended.out + ended.err


async def test_nothing_but_keys_may_write(emulated: Server) -> None:
    """Every other verb leaves the cluster as it is."""
    await with_keys(emulated, alice="sk-first")
    assert emulated.emulator
    emulated.emulator.traffic.requests.clear()

    for verb in (("status",), ("status", "qwen3"), ("why", "qwen3"), ("keys", "list", "qwen3")):
        await kubectl_qwen(emulated, *verb)

    assert emulated.emulator.traffic.writes() == 0
