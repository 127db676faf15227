"""values.yaml and the table of chart values, both from values.schema.json, so that a value is described once.

Never holds a default or a description of its own.
"""

import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

HEADER = "Generated from values.schema.json by `make generate`; edit that file. Both are checked by helm."
WIDTH = 110


@dataclass(frozen=True, kw_only=True)
class Value:
    """One value of the chart: its path in values.yaml, its default and its description."""

    path: tuple[str, ...]
    default: Any
    description: str


def values(schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[Value]:
    """Return every value that has a default, in the schema's order."""
    for name, property_ in schema["properties"].items():
        if "default" in property_:
            yield Value(path=(*path, name), default=property_["default"], description=property_["description"])
        else:
            yield from values(property_, (*path, name))


def document(schema_text: str) -> str:
    """Return values.yaml: the defaults, each below its description."""
    return _comment(HEADER) + "\n" + "\n".join(_entries(json.loads(schema_text)))


def _entries(schema: dict[str, Any]) -> Iterator[str]:
    """Return one block of YAML for each property of an object."""
    for name, property_ in schema["properties"].items():
        comment = _comment(property_["description"])
        if "default" in property_:
            yield comment + yaml.safe_dump({name: property_["default"]}, sort_keys=False)
        else:
            yield comment + f"{name}:\n" + textwrap.indent("".join(_entries(property_)), "  ")


def _comment(text: str) -> str:
    """Return a sentence as comment lines."""
    return textwrap.indent(textwrap.fill(text, WIDTH, break_long_words=False), "# ") + "\n"
