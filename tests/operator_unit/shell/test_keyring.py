"""What changes in a Secret when a key comes, changes or goes."""

import base64
from datetime import UTC, datetime, timedelta

from qwen_operator.cli import keyring

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def data(**plain: str) -> dict[str, str]:
    """Entries as the API server has them."""
    return {name.replace("__", "."): base64.b64encode(value.encode()).decode() for name, value in plain.items()}


def after(before: dict[str, str], patch: keyring.Patch) -> dict[str, str]:
    """Entries in plain text once a merge patch was done."""
    merged = {name: value for name, value in (before | patch).items() if value is not None}
    return {name: base64.b64decode(value).decode() for name, value in merged.items()}


def test_a_former_value_never_outlives_its_own_end() -> None:
    """An overlap makes no key valid for longer than it was."""
    before = data(alice="sk-first", alice__expires="2026-11-25T13:00:00Z")

    found = after(before, keyring.rotated(before, "alice", "sk-second", None, NOW, DAY))

    assert found["alice.before-20261125T120000Z.expires"] == "2026-11-25T13:00:00Z"
    assert found["alice.expires"] == "2026-11-25T13:00:00Z"


def test_two_rotations_in_one_second_keep_three_values() -> None:
    """The second one takes the next second's name."""
    before = data(alice="sk-first")
    once = data(
        **{
            name.replace(".", "__"): value
            for name, value in after(before, keyring.rotated(before, "alice", "sk-second", None, NOW, DAY)).items()
        }
    )

    found = after(once, keyring.rotated(once, "alice", "sk-third", None, NOW, DAY))

    assert sorted(value for value in found.values() if value.startswith("sk-")) == ["sk-first", "sk-second", "sk-third"]


def test_without_an_overlap_the_former_value_is_gone_at_once() -> None:
    """For a key that leaked."""
    before = data(alice="sk-first")

    assert after(before, keyring.rotated(before, "alice", "sk-second", None, NOW, timedelta())) == {
        "alice": "sk-second"
    }


def test_a_rotation_clears_former_values_that_have_ended_and_no_others() -> None:
    """Neither those of another key nor those that still live."""
    old = "before-20261101T000000Z"
    before = data(
        alice="sk-2",
        bob="sk-b",
        **{f"alice__{old}": "sk-1", f"alice__{old}__expires": "2026-11-02T00:00:00Z"},
        **{f"bob__{old}": "sk-a", f"bob__{old}__expires": "2026-11-02T00:00:00Z"},
    )

    found = after(before, keyring.rotated(before, "alice", "sk-3", None, NOW, timedelta()))

    assert found.keys() == {"alice", "bob", f"bob.{old}", f"bob.{old}.expires"}


def test_when_a_key_was_made_moves_with_its_value() -> None:
    """The former value is as old as it was, the new one is new."""
    before = data(alice="sk-first")
    patch = keyring.rotated(before, "alice", "sk-second", None, NOW, DAY)

    noted = keyring.born({keyring.BORN: keyring.born_after({"alice": "2026-01-01T00:00:00Z"}, patch, "alice", NOW)})

    assert noted == {"alice": "2026-11-25T12:00:00Z", "alice.before-20261125T120000Z": "2026-01-01T00:00:00Z"}


def test_an_entry_that_the_server_would_pass_over_is_said_to_be_unusable() -> None:
    """A key of two words, a digest of a few digits, an end that is no time."""
    before = data(words="two words", short="sha256:12", endless="sk-1", endless__expires="soon", good="sk-2")

    states = {each.name: each.state for each in keyring.entries(before, {}, NOW)}

    assert states == {"words": "Unusable", "short": "Unusable", "endless": "Unusable", "good": "Active"}
