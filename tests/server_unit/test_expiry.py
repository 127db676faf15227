"""A key ends at the time that stands beside it, and nobody can tell that from a key that never was."""

import io
import json
from pathlib import Path

import pytest

from qwen_server.auth import KeyRing, owner
from qwen_server.journal import Journal
from qwen_server.keyfiles import Flaw, Key, complaint, digest, moment, read_keys
from tests.server_unit.builders import a_server

NOON = 1769860800.0
"""2026-01-31T12:00:00Z in seconds since 1970."""


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"2026-01-31T12:00:00Z", NOON),
        (b"2026-01-31t12:00:00z\n", NOON),
        (b" 2026-01-31 12:00:00.500Z ", NOON + 0.5),
        (b"2026-01-31T13:30:00+01:30", NOON),
        (b"2026-01-31T04:00:00-08:00", NOON),
        (b"2026-01-31T12:00:00", None),
        (b"2026-01-31T12:00Z", None),
        (b"2026-01-31", None),
        (b"20260131T120000Z", None),
        (b"2026-02-30T12:00:00Z", None),
        (b"2026-01-31T25:00:00Z", None),
        (b"1769860800", None),
        (b"", None),
        (b"never", None),
        (b"2026-01-31T12:00:00Z\x00", None),
        ("\N{FULLWIDTH DIGIT TWO}026-01-31T12:00:00Z".encode(), None),
        (b"\xff", None),
    ],
)
def test_an_end_is_an_rfc_3339_time_and_nothing_else(content: bytes, expected: float | None) -> None:
    """What names no place on earth's clock, or could mean two of them, is none."""
    assert moment(content) == expected


@pytest.mark.parametrize(("now", "found"), [(NOON - 0.001, "alice"), (NOON, None), (NOON + 1e9, None)])
def test_a_key_is_valid_until_its_end(now: float, found: str | None) -> None:
    """From that moment on it is not."""
    key = Key(digest(b"key-a") or b"", NOON)

    assert owner({"alice": key}, b"key-a", now) == found


def test_a_key_under_a_second_name_lives_by_that_name() -> None:
    """Whichever of the two comes first."""
    ended, endless = Key(digest(b"key-a") or b"", NOON), Key(digest(b"key-a") or b"")

    assert owner({"a": ended, "b": endless}, b"key-a", NOON) == "b"
    assert owner({"b": endless, "a": ended}, b"key-a", NOON) == "b"


class Wall:
    """A clock on the wall that the test turns."""

    now = NOON - 1

    def __call__(self) -> float:
        """What it shows."""
        return self.now


def a_ring(directory: Path, wall: Wall | None = None) -> tuple[KeyRing, io.StringIO]:
    """A ring that is not loaded yet, and what it writes."""
    written = io.StringIO()
    return KeyRing(directory, Journal(written, now=lambda: "now"), clock=wall or Wall()), written


def look(ring: KeyRing, times: int = 2) -> None:
    """Let the ring read so many times."""
    for _ in range(times):
        ring.take(read_keys(ring.directory))


def lay_out(directory: Path, **files: str) -> None:
    """Write files; `__` in a name stands for the dot."""
    for name, content in files.items():
        (directory / name.replace("__", ".")).write_text(content)


def test_a_companion_is_never_a_key(tmp_path: Path) -> None:
    """Neither beside its key nor alone, and whatever stands in it."""
    lay_out(tmp_path, alice="key-a", alice__expires="2026-01-31T12:00:00Z", bob__expires="key-b")
    ring, written = a_ring(tmp_path)

    assert ring.load() == 1
    assert [ring.owner(each) for each in (b"key-a", b"2026-01-31T12:00:00Z", b"key-b")] == ["alice", None, None]
    assert written.getvalue() == ""


def test_a_key_ends_without_any_reading(tmp_path: Path) -> None:
    """The time is looked at with each request."""
    lay_out(tmp_path, alice="key-a", alice__expires="2026-01-31T12:00:00Z")
    wall = Wall()
    ring, _ = a_ring(tmp_path, wall)
    ring.load()
    before = ring.owner(b"key-a")

    wall.now = NOON

    assert (before, ring.owner(b"key-a")) == ("alice", None)


def test_keys_that_have_all_ended_are_none_at_start(tmp_path: Path) -> None:
    """Nothing would be loaded for anybody."""
    lay_out(tmp_path, alice="key-a", alice__expires="2001-01-01T00:00:00Z")
    ring, _ = a_ring(tmp_path)

    assert ring.load() == 0


def test_an_end_can_be_set_moved_and_taken_away(tmp_path: Path) -> None:
    """Each after two readings, like every change."""
    lay_out(tmp_path, alice="key-a")
    ring, _ = a_ring(tmp_path)
    ring.load()
    seen = []
    for text in ("2001-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "2001-01-01T00:00:00Z"):
        lay_out(tmp_path, alice__expires=text)
        look(ring)
        seen.append(ring.owner(b"key-a"))
    (tmp_path / "alice.expires").unlink()
    look(ring)

    assert [*seen, ring.owner(b"key-a")] == [None, "alice", None, "alice"]


@pytest.mark.parametrize("content", ["", "2026-01-31T12", "never", "key-of-somebody"])
def test_a_companion_that_cannot_be_read_keeps_the_last_good_state(tmp_path: Path, content: str) -> None:
    """The key and its end as they were, which is said once and without what stood there."""
    lay_out(tmp_path, alice="key-a", alice__expires="2026-01-31T12:00:00Z")
    wall = Wall()
    ring, written = a_ring(tmp_path, wall)
    ring.load()

    lay_out(tmp_path, alice__expires=content)
    look(ring, 5)
    before = ring.owner(b"key-a")
    wall.now = NOON

    assert (before, ring.owner(b"key-a")) == ("alice", None)
    (line,) = [json.loads(line) for line in written.getvalue().splitlines()]
    assert line["reason"].startswith("1 key file(s) have an .expires file without an RFC 3339 time")
    assert "key-of-somebody" not in written.getvalue()


def test_a_companion_that_is_no_file_is_none(tmp_path: Path) -> None:
    """A folder, or a link into nothing."""
    lay_out(tmp_path, alice="key-a", bob="key-b")
    (tmp_path / "alice.expires").mkdir()
    (tmp_path / "bob.expires").symlink_to("nowhere")

    assert read_keys(tmp_path) == {"alice": Flaw.EXPIRY, "bob": Flaw.EXPIRY}


def test_a_key_whose_companion_cannot_be_read_is_not_taken_at_start(tmp_path: Path) -> None:
    """Nobody knows whether it has ended; that is said, and the others are taken."""
    lay_out(tmp_path, alice="key-a", alice__expires="tomorrow", bob="key-b")
    ring, written = a_ring(tmp_path)

    assert ring.load() == 1
    assert (ring.owner(b"key-a"), ring.owner(b"key-b")) == (None, "bob")
    assert "1 key file(s) have an .expires file" in written.getvalue()


def test_a_key_that_comes_with_an_unreadable_companion_is_not_taken(tmp_path: Path) -> None:
    """Until the companion can be read."""
    lay_out(tmp_path, bob="key-b")
    ring, _ = a_ring(tmp_path)
    ring.load()

    lay_out(tmp_path, alice="key-a", alice__expires="tomorrow")
    look(ring, 3)
    before = ring.owner(b"key-a")
    lay_out(tmp_path, alice__expires="2099-01-01T00:00:00Z")
    look(ring)

    assert (before, ring.owner(b"key-a")) == (None, "alice")


def test_both_flaws_are_told_in_one_sentence() -> None:
    """By their number."""
    said = complaint({"a": Flaw.KEY, "b": Flaw.EXPIRY, "c": Flaw.KEY, "d": Key(b"")}) or ""

    assert said.startswith("2 key file(s) hold no usable key and 1 key file(s) have an .expires file")


async def test_a_key_that_has_ended_gets_the_answer_of_one_that_never_was() -> None:
    """To the byte, but for the request's id; and it counts as nobody's."""
    server = a_server(keys={"alice": "ended-fake-key"})
    server.ring.keys = {"alice": Key(server.ring.keys["alice"].digest, NOON)}
    async with server.client(headers={}) as client:
        ended, unknown = [
            await client.get("/v1/models", headers={"Authorization": f"Bearer {key}"})
            for key in ("ended-fake-key", "other-fake-key")
        ]

    def visible(headers: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in headers.items() if name != "x-request-id"}

    assert (ended.status_code, ended.content) == (unknown.status_code, unknown.content)
    assert (ended.status_code, visible(dict(ended.headers))) == (401, visible(dict(unknown.headers)))
    assert 'requests_total{key="",route="other",status="401"} 2.0' in server.metrics()
