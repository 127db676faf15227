"""A foreign text is shown on one line, short, and without what looks like a secret."""

import pytest

from qwen_operator.core.excerpt import LONGEST, excerpt, last_words

SECRETS = {
    "an OpenAI-like key": ("got sk-proj-abcdefgh12345678 instead", "got [removed] instead."),
    "a hub token": ("token hf_abcdefghijklmnop is bad", "token [removed] is bad."),
    "a bearer header": ("Authorization: Bearer abc.def.ghi", "Authorization: Bearer [removed]."),
    "a password in an address": (
        "Head https://joe:hunter2@registry.example/v2",
        "Head https://[removed]@registry.example/v2.",
    ),
    "a signed address": (
        "GET https://s3.example/x?a=1&sig=abcdef&b=2",
        "GET https://s3.example/x?a=1&sig=[removed]&b=2.",
    ),
    "a web token": ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "[removed]."),
}


@pytest.mark.parametrize(("text", "shown"), SECRETS.values(), ids=SECRETS.keys())
def test_what_looks_like_a_secret_is_removed(text: str, shown: str) -> None:
    """The rest of the sentence stays."""
    assert excerpt(text) == shown


def test_a_text_becomes_one_line_without_colours() -> None:
    """Control characters and line breaks would break a terminal or a table."""
    assert excerpt("\x1b[31merror:\x1b[0m\n\tno\x00 such   file\n") == "error: no such file."


def test_a_long_text_is_cut_and_says_so() -> None:
    """The cut is marked."""
    shown = excerpt("word " * 500)

    assert len(shown) <= LONGEST
    assert shown.endswith("…")


@pytest.mark.parametrize("text", ["It failed.", "Why?", "cut…"])
def test_a_finished_sentence_gets_no_second_full_stop(text: str) -> None:
    """It is followed by a remedy."""
    assert excerpt(text) == text


def test_nothing_stays_nothing() -> None:
    """No lone full stop."""
    assert excerpt(" \n") == ""


def test_of_a_log_the_last_line_with_words_is_kept() -> None:
    """In a Python traceback that is the exception."""
    assert (
        last_words("Traceback (most recent call last):\n  File x\nValueError: no such dtype\n\n")
        == "ValueError: no such dtype."
    )


def test_of_an_interpreter_that_died_its_own_line_is_kept() -> None:
    """What it prints after that is where it was, not why it ended; recorded from a kubelet."""
    log = (
        'Fatal Python error: config_init_hash_seed: PYTHONHASHSEED must be "random" or an integer\n'
        "Python runtime state: preinitialized\n\n"
    )

    assert last_words(log) == (
        'Fatal Python error: config_init_hash_seed: PYTHONHASHSEED must be "random" or an integer.'
    )


def test_an_empty_log_has_no_words() -> None:
    """The caller says so in its own words."""
    assert last_words("\n\n") == ""
