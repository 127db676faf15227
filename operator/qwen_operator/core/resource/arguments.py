"""Which of the engine's own flags a model may set.

Why it exists: the operator sets all others, and two places that set one flag are one too many. The list becomes a CEL
rule in the CustomResourceDefinition; the server's parser is held against it by a test. It must never hold a flag that
has a field of its own.
"""

from enum import StrEnum


class Value(StrEnum):
    """What may follow a flag's equal sign, as a regular expression."""

    NONE = ""
    NUMBER = "=[0-9]{1,9}"
    WORD = "=[A-Za-z0-9_.-]{1,64}"


ALLOWED: dict[str, Value] = {
    "--block-size": Value.NUMBER,
    "--enforce-eager": Value.NONE,
    "--generation-config": Value.WORD,
    "--load-format": Value.WORD,
    "--max-num-batched-tokens": Value.NUMBER,
    "--no-enable-prefix-caching": Value.NONE,
    "--quantization": Value.WORD,
    "--seed": Value.NUMBER,
}
"""Flags of `spec.server.args` and their values."""


def allowed_pattern() -> str:
    """Regular expression (RE2) that one element of `spec.server.args` must match as a whole."""
    by_value = {value: sorted(flag[2:] for flag, kind in ALLOWED.items() if kind is value) for value in Value}
    return "^--(" + "|".join(f"({'|'.join(flags)}){value.value}" for value, flags in by_value.items()) + ")$"
