"""Key files and the Authorization header: anything may stand in them, and only a right key lets anybody in."""

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from qwen_server.auth import bearer, owner
from qwen_server.keyfiles import COMPANION, Flaw, Key, digest, moment, read_keys, settled

PRINTABLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=80)
SPACE = st.sampled_from([b"", b"\n", b" ", b"\r\n", b"\t "])
CONTENT = st.one_of(
    st.binary(max_size=120), PRINTABLE.map(str.encode), PRINTABLE.map(lambda text: b"sha256:" + text.encode())
)
NAMES = st.sampled_from(["alice", "bob", "ci.2026", "alice.expires", "bob.expires", "..data"])
TIMES = st.one_of(st.binary(max_size=40), st.datetimes().map(lambda time: f"{time.isoformat()}Z".encode()))


@given(CONTENT)
def test_a_key_file_is_a_digest_or_nothing(content: bytes) -> None:
    """32 bytes, whatever it holds; never the key itself."""
    found = digest(content)

    assert found is None or len(found) == 32


@given(PRINTABLE.filter(lambda text: not text.startswith("sha256:")), SPACE, SPACE)
def test_a_key_and_its_digest_mean_the_same(key: str, before: bytes, behind: bytes) -> None:
    """White space around it is no part of it."""
    plain = digest(before + key.encode() + behind)
    hashed = digest(before + b"sha256:" + hashlib.sha256(key.encode()).hexdigest().encode() + behind)

    assert plain == hashed == hashlib.sha256(key.encode()).digest()


@given(TIMES)
def test_an_end_is_a_time_or_nothing(content: bytes) -> None:
    """A number of seconds that can be compared with now."""
    found = moment(content)

    assert found is None or math.isfinite(found)


@given(st.dictionaries(NAMES, CONTENT | TIMES, max_size=6))
def test_a_directory_of_anything_is_read(files: Mapping[str, bytes]) -> None:
    """Each name that is no companion and not hidden is a key or a flaw, and only keys come into force."""
    with TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        reading = read_keys(Path(folder))

    assert reading is not None
    assert reading.keys() == {name for name in files if not name.endswith(COMPANION) and not name.startswith(".")}
    in_force = settled({}, reading, reading)
    assert in_force.keys() == {name for name, found in reading.items() if not isinstance(found, Flaw)}


@given(st.binary(max_size=200))
def test_a_header_is_a_token_or_nothing(value: bytes) -> None:
    """Without white space around it, and never empty."""
    found = bearer(value)

    assert found is None or (found and found == found.strip())


@given(PRINTABLE, st.sampled_from([b"Bearer", b"bearer", b"BEARER"]), st.binary(max_size=120), st.floats(-1e9, 1e12))
def test_only_a_right_key_in_its_time_has_an_owner(key: str, scheme: bytes, other: bytes, now: float) -> None:
    """Whatever else is presented has none."""
    right, keys = key.encode(), {"alice": Key(hashlib.sha256(key.encode()).digest(), expires=1000.0)}

    presented = bearer(scheme + b" " + right)
    assert presented == right
    assert owner(keys, presented, now) == ("alice" if now < 1000.0 else None)
    if (wrong := bearer(scheme + b" " + other)) is not None and wrong != right:
        assert owner(keys, wrong, 0.0) is None
