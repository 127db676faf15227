"""A Secret of API keys means the same to `kubectl qwen keys`, which writes it, and to the server, which reads it."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qwen_operator.cli import keyring
from qwen_server import keyfiles
from qwen_server.keyfiles import Key

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
VALUES = [
    b"sk-0123",
    b" sk-0123\n",
    b"",
    b"two words",
    b"\xff\xfe",
    b"sha256:" + b"0" * 64,
    b"sha256:" + b"A" * 64,
    b"sha256:1234",
    b"sha256:",
]
TIMES = ["2026-01-31T12:00:00Z", "2026-01-31t12:00:00+02:00", " 2026-01-31T12:00:00.5Z ", "2026-01-31", "soon", ""]


@pytest.mark.parametrize("value", VALUES)
def test_both_sides_see_the_same_key_in_an_entry(value: bytes) -> None:
    """Or none."""
    assert keyring.digest(value) == keyfiles.digest(value)


@pytest.mark.parametrize("text", TIMES)
def test_both_sides_see_the_same_end(text: str) -> None:
    """Or none."""
    found = keyring.moment(text)

    assert (found.timestamp() if found else None) == keyfiles.moment(text.encode())


def test_names_and_companions_are_the_servers() -> None:
    """What is no key here is none there."""
    assert keyring.COMPANION == keyfiles.COMPANION


def test_the_server_takes_both_values_of_a_rotated_key_until_the_overlap_ends(tmp_path: Path) -> None:
    """Read from a folder as the kubelet would lay it out."""
    data = {name: value for name, value in keyring.added("alice", "sk-first", None).items() if value}
    patch = keyring.rotated(data, "alice", "sk-second", None, NOW, timedelta(hours=24))
    for name, value in (data | patch).items():
        if value is not None:
            (tmp_path / name).write_bytes(base64.b64decode(value))

    read = keyfiles.read_keys(tmp_path)

    assert read is not None
    found = {key.digest: key for key in read.values() if isinstance(key, Key)}
    first, second = (found[keyfiles.digest(value) or b""] for value in (b"sk-first", b"sk-second"))
    before, after = NOW + timedelta(hours=23), NOW + timedelta(hours=25)
    assert [key.valid(before.timestamp()) for key in (first, second)] == [True, True]
    assert [key.valid(after.timestamp()) for key in (first, second)] == [False, True]
