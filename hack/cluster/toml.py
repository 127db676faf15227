"""Nested mappings as TOML text, which Python's standard library reads but does not write."""

import json
from collections.abc import Mapping, Sequence

Value = bool | int | str | Sequence[str] | Mapping[str, "Value"]


def dumps(document: Mapping[str, Value]) -> str:
    """TOML text that `tomllib` reads back to an equal document; tables come after plain values, as TOML demands."""
    return "".join(f"{line}\n" for line in _lines(document, ()))


def _lines(table: Mapping[str, Value], path: tuple[str, ...]) -> list[str]:
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    lines = [f"[{'.'.join(map(json.dumps, path))}]"] if path and plain else []
    lines += [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in plain.items()]
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines += _lines(value, (*path, key))
    return lines
