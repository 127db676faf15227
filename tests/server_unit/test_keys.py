"""Keys come from a directory that others change while the server runs."""

import asyncio
import hashlib
import io
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from qwen_server.auth import RELOAD_SECONDS, KeyRing, bearer, owner
from qwen_server.journal import Journal
from qwen_server.keyfiles import Flaw, Key, Reading, complaint, digest, read_keys, settled
from tests.server_unit.waiting import eventually


def sha(text: str) -> bytes:
    """The digest of a key."""
    return hashlib.sha256(text.encode()).digest()


A, B = Key(sha("key-a")), Key(sha("key-b"))
BAD = Flaw.KEY


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"key-a", A.digest),
        (b"key-a\n", A.digest),
        (b"  key-a \r\n", A.digest),
        (b"sha256:" + A.digest.hex().encode(), A.digest),
        (b"sha256:" + A.digest.hex().upper().encode() + b"\n", A.digest),
        (b"", None),
        (b"\n", None),
        (b"sha256:", None),
        (b"sha256:" + A.digest.hex().encode()[:-1], None),
        (b"sha256:" + A.digest.hex().encode() + b"00", None),
        (b"two words", None),
        (b"key\x00", None),
        ("schlüssel".encode(), None),
    ],
)
def test_a_key_file_holds_the_key_or_its_digest(content: bytes, expected: bytes | None) -> None:
    """What cannot be sent in a header, or is half a digest, is no key."""
    assert digest(content) == expected


@pytest.mark.parametrize(
    ("keys", "before", "now", "expected"),
    [
        ({}, {}, {"a": A}, {}),
        ({}, {"a": A}, {"a": A}, {"a": A}),
        ({"a": A}, {"a": A}, {}, {"a": A}),
        ({"a": A}, {}, {}, {}),
        ({"a": A}, {"a": A}, {"a": B}, {"a": A}),
        ({"a": A}, {"a": B}, {"a": B}, {"a": B}),
        ({"a": A}, {"a": BAD}, {"a": BAD}, {"a": A}),
        ({"a": A}, {"a": BAD}, {"a": B}, {"a": A}),
        ({"a": A, "b": B}, {"a": BAD}, {"a": BAD}, {"a": A}),
        ({"a": A}, {"a": A, "b": B}, {"a": A, "b": B}, {"a": A, "b": B}),
    ],
)
def test_a_change_counts_once_two_readings_agree(
    keys: Mapping[str, Key],
    before: Reading,
    now: Reading,
    expected: Mapping[str, Key],
) -> None:
    """So a file that is being written is never taken for a key, and an unusable one takes nothing away."""
    assert settled(keys, before, now) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [(b"Bearer k", b"k"), (b"bearer  k ", b"k"), (b"Bearer", None), (b"Basic k", None), (b"", None), (None, None)],
)
def test_the_token_is_what_follows_the_scheme(header: bytes | None, expected: bytes | None) -> None:
    """White space around it does not belong to it."""
    assert bearer(header) == expected


def test_the_owner_of_a_key_is_its_name() -> None:
    """Of a key that nobody has, there is none."""
    assert (owner({"a": A, "b": B}, b"key-b", 0), owner({"a": A}, b"key-b", 0), owner({}, b"", 0)) == ("b", None, None)


def a_ring(directory: Path) -> tuple[KeyRing, io.StringIO]:
    """A loaded ring, and what it writes."""
    written = io.StringIO()
    ring = KeyRing(directory, Journal(written, now=lambda: "now"))
    ring.load()
    return ring, written


def look(ring: KeyRing, times: int = 2) -> list[str]:
    """Let the ring read so many times; the names in force afterwards."""
    for _ in range(times):
        ring.take(read_keys(ring.directory))
    return sorted(ring.keys)


def test_files_are_keys_and_dotfiles_are_not(tmp_path: Path) -> None:
    """kubelet keeps its own entries beside the keys, all with a dot in front."""
    (tmp_path / "alice").write_text("key-a")
    (tmp_path / ".hidden").write_text("key-b")
    (tmp_path / "folder").mkdir()

    ring, _ = a_ring(tmp_path)

    assert ring.keys == {"alice": A}


def test_a_swap_of_kubelets_link_changes_all_keys(tmp_path: Path) -> None:
    """A mounted Secret is a link to `..data`, which kubelet swaps in one step."""
    for name, keys in (("..one", {"old": "key-a"}), ("..two", {"new": "key-b"})):
        (tmp_path / name).mkdir()
        for key, content in keys.items():
            (tmp_path / name / key).write_text(content)
    (tmp_path / "..data").symlink_to("..one")
    (tmp_path / "old").symlink_to("..data/old")
    ring, _ = a_ring(tmp_path)

    (tmp_path / "..next").symlink_to("..two")
    (tmp_path / "..next").rename(tmp_path / "..data")
    (tmp_path / "new").symlink_to("..data/new")
    during = look(ring)
    (tmp_path / "old").unlink()
    after = look(ring)

    assert (during, after) == (["new", "old"], ["new"])


def test_a_new_key_is_valid_after_two_readings(tmp_path: Path) -> None:
    """And a removed one no longer is."""
    (tmp_path / "alice").write_text("key-a")
    ring, written = a_ring(tmp_path)

    (tmp_path / "bob").write_text("key-b")
    added = look(ring, 1), look(ring, 1)
    (tmp_path / "alice").unlink()
    removed = look(ring, 1), look(ring, 1)

    assert added == (["alice"], ["alice", "bob"])
    assert removed == (["alice", "bob"], ["bob"])
    assert written.getvalue().count("keys reloaded") == 2


@pytest.mark.parametrize("content", [b"", b"sha256:12", b"two words"])
def test_a_half_written_file_keeps_the_last_good_key(tmp_path: Path, content: bytes) -> None:
    """And says so once, without telling what stood there."""
    (tmp_path / "alice").write_text("key-a")
    ring, written = a_ring(tmp_path)

    (tmp_path / "alice").write_bytes(content)
    look(ring, 5)

    assert ring.keys == {"alice": A}
    assert written.getvalue().count("\n") == 1
    assert "1 key file(s) hold no usable key" in written.getvalue()


def test_half_of_a_key_that_is_there_at_each_reading_is_no_key(tmp_path: Path) -> None:
    """Who writes a file anew has it half-written in between; two such moments are not one state."""
    (tmp_path / "alice").write_text("key-a")
    ring, _ = a_ring(tmp_path)

    for moment in range(6):
        (tmp_path / "alice").write_text("key-a")
        (tmp_path / "alice").write_text("key")
        os.utime(tmp_path / "alice", ns=(0, moment))
        look(ring, 1)

    assert ring.keys == {"alice": A}


def test_an_unreadable_file_keeps_the_last_good_key(tmp_path: Path) -> None:
    """A link into nothing cannot be read by anybody, not even by root."""
    (tmp_path / "alice").write_text("key-a")
    ring, _ = a_ring(tmp_path)

    (tmp_path / "alice").unlink()
    (tmp_path / "alice").symlink_to("nowhere")

    assert look(ring, 5) == ["alice"]


def test_a_vanished_directory_keeps_the_last_good_keys(tmp_path: Path) -> None:
    """A volume that is being mounted anew locks nobody out."""
    directory = tmp_path / "keys"
    directory.mkdir()
    (directory / "alice").write_text("key-a")
    ring, written = a_ring(directory)

    directory.rename(tmp_path / "elsewhere")
    look(ring, 5)

    assert ring.keys == {"alice": A}
    assert "cannot be read" in written.getvalue()


def test_an_emptied_directory_revokes_all_keys(tmp_path: Path) -> None:
    """Who deletes every key means it."""
    (tmp_path / "alice").write_text("key-a")
    ring, _ = a_ring(tmp_path)

    (tmp_path / "alice").unlink()

    assert look(ring) == []


def test_what_is_good_needs_no_words() -> None:
    """Only a reading with something unusable in it is complained about."""
    assert complaint({"a": A}) is None
    assert complaint({}) is None


def test_no_key_stays_in_memory_or_in_a_representation(tmp_path: Path) -> None:
    """A ring shows neither keys nor digests."""
    (tmp_path / "alice").write_text("key-a")
    ring, _ = a_ring(tmp_path)

    assert "key-a" not in repr(ring)
    assert A.digest.hex() not in repr(ring)
    assert repr(A.digest) not in repr(ring)


def test_a_change_takes_two_periods_which_is_less_than_promised() -> None:
    """It may come right after a reading."""
    assert 2 * RELOAD_SECONDS <= 1.0


async def test_following_takes_a_change(tmp_path: Path) -> None:
    """With the real clock and the real file system."""
    (tmp_path / "alice").write_text("key-a")
    ring, _ = a_ring(tmp_path)
    following = asyncio.ensure_future(ring.follow())

    (tmp_path / "bob").write_text("key-b")
    await eventually(lambda: "bob" in ring.keys, within=20)
    following.cancel()

    assert ring.keys == {"alice": A, "bob": B}
