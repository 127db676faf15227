"""How a setting becomes a flag: its group in `--help`, what it means, and how its value is read.

It must never know a setting: those stand in settings.py, each with its flag.
"""

import argparse
import contextlib
from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

Value = TypeVar("Value")
Metadata = dict[str, object]


class Group(StrEnum):
    """The headings of `--help`, in its order."""

    MODEL = "model"
    KEYS = "keys"
    LISTENING = "listening"
    ENGINE = "engine"
    OF_VLLM = "engine, vLLM's own (left out: vLLM's default)"
    LIFE = "life, in seconds"
    AROUND = "for pods and tests"


def whole(text: str) -> int:
    """A number of 1 or more."""
    return read(int, text, "a whole number of 1 or more", lambda value: value >= 1)


def integer(text: str) -> int:
    """A whole number."""
    return read(int, text, "a whole number", lambda _: True)


def tcp_port(text: str) -> int:
    """A TCP port; 0 lets the system choose a free one."""
    return read(int, text, "a port from 0 to 65535", lambda value: 0 <= value <= 65535)


def seconds(text: str) -> float:
    """A duration."""
    return read(float, text, "a number of seconds, 0 or more", lambda value: 0 <= value < float("inf"))


def longer_than(least: float) -> Callable[[str], float]:
    """A reader of a duration, in seconds, above `least`."""
    expectation = f"a number of seconds, more than {least:g}"
    return lambda text: read(float, text, expectation, lambda value: least < value < float("inf"))


def share(text: str) -> float:
    """A part of a whole."""
    return read(float, text, "a number above 0 and at most 1", lambda value: 0 < value <= 1)


def is_visible(name: str) -> bool:
    """Whether this can be a model id."""
    return name.isprintable() and 0 < len(name) < 254


def visible(text: str) -> str:
    """A model id as clients send it."""
    return read(str, text, "a name of 1 to 253 visible characters", is_visible)


def read(convert: Callable[[str], Value], text: str, expectation: str, holds: Callable[[Value], bool]) -> Value:
    """The converted text, or the error that argparse turns into a sentence."""
    with contextlib.suppress(ValueError):
        if holds(value := convert(text)):
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is not {expectation}")


def flag(group: Group, shape: str, help_text: str, parse: Callable[[str], object]) -> Metadata:
    """The metadata of a field that is a flag with a value; a field without a default must be given.

    :param shape: what stands for the value in `--help`.
    """
    return {"group": group, "shape": shape, "help": help_text, "parse": parse}


def choice(group: Group, help_text: str, choices: type[StrEnum]) -> Metadata:
    """The metadata of a field that is a flag with one of an enumeration's values."""

    def parse(text: str) -> StrEnum:
        return read(choices, text, f"one of {', '.join(choices)}", lambda _: True)

    return flag(group, f"{{{','.join(choices)}}}", help_text, parse)


def switch(group: Group, help_text: str) -> Metadata:
    """The metadata of a field that is a flag without a value, `--name` or `--no-name`."""
    return {"group": group, "shape": None, "help": help_text, "parse": None}
