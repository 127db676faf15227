"""A definition's schema at work: prune, default, validate, and judge by CEL, in the server's order.

What of CEL is judged: every rule of a schema, by the library `common-expression-language`; Kubernetes' own functions as
far as our definition uses them (`quantity`, `compareTo`, `isLessThan`). A rule of transition (`oldSelf`) is asked where
the value was there before, except in lists, of whose items nobody knows which was which. Patterns are read as Python's,
which differ from Go's nowhere in ours.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import cel
import jsonschema

Tree = dict[str, Any]

_UNITS = {"m": Fraction(1, 1000), "": Fraction(1), "k": Fraction(10**3)}
_UNITS |= {"M": Fraction(10**6), "G": Fraction(10**9), "T": Fraction(10**12), "P": Fraction(10**15)}
_UNITS |= {f"{unit}i": Fraction(1024 ** (at + 1)) for at, unit in enumerate("KMGTP")}


class Schema:
    """The schema of one version of a CustomResourceDefinition."""

    def __init__(self, root: Tree) -> None:
        self._root = root
        self._judge = jsonschema.Draft7Validator(_for_json_schema(root))
        self._programs = {rule: cel.compile(rule) for rule in sorted(_rules(root))}
        self._context = cel.Context()
        for name, function in (("quantity", quantity), ("compareTo", compared), ("isLessThan", less)):
            self._context.add_function(name, function)

    def unknown(self, manifest: Tree) -> list[str]:
        """Paths of fields that the schema does not know, and that are dropped."""
        return list(_unknown(self._root, manifest, ""))

    def admitted(self, manifest: Tree) -> Tree:
        """The object as it is stored: without what the schema does not know, with its defaults."""
        admitted: Tree = _shaped(self._root, manifest, root=True)
        return admitted

    def complaints(self, manifest: Tree, old: Tree | None = None) -> list[str]:
        """What the schema says against an object, `path: sentence` each; CEL is asked only if all else is well.

        :param old: what it is to replace.
        """
        errors = sorted(self._judge.iter_errors(manifest), key=lambda error: list(map(str, error.absolute_path)))
        if errors:
            return [f"{_path(error.absolute_path, error)}: {_sentence(error)}" for error in errors]
        return list(self._broken_rules(self._root, manifest, old, ""))

    def _broken_rules(self, schema: Tree, value: Any, old: Any, path: str) -> Iterator[str]:
        for rule in schema.get("x-kubernetes-validations", ()):
            if "oldSelf" in rule["rule"] and old is None:
                continue
            self._context.add_variable("self", value)
            self._context.add_variable("oldSelf", old)
            if not self._programs[rule["rule"]].execute(self._context):
                yield f"{path or '<nil>'}: Invalid value: {rule['message']}"
        if _twice(schema, value):
            yield f"{path}: Duplicate value"
        for name, inner, of in _inside(schema, value, path):
            before = old.get(name.rpartition(".")[2]) if isinstance(old, dict) else None
            yield from self._broken_rules(of, inner, before, name)


def quantity(text: str) -> float:
    """A quantity of Kubernetes as a number that compares as the exact one does, for all that our pattern allows."""
    digits = text.rstrip("mkMGTPi")
    return float(Fraction(digits) * _UNITS[text[len(digits) :]])


def compared(one: float, other: float) -> int:
    """-1, 0 or 1."""
    return (one > other) - (one < other)


def less(one: float, other: float) -> bool:
    """Whether one is less than the other."""
    return one < other


def _twice(schema: Tree, value: Any) -> bool:
    """Whether two items of a keyed list have the same keys."""
    keys = schema.get("x-kubernetes-list-map-keys")
    if not keys or not isinstance(value, list):
        return False
    found = [tuple(item.get(key) for key in keys) for item in value]
    return len(found) != len(set(found))


def _for_json_schema(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_for_json_schema(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    extensions = ("default", "description", "format")
    result = {k: _for_json_schema(v) for k, v in schema.items() if not k.startswith("x-") and k not in extensions}
    if "properties" in schema:
        result["properties"] = {name: _for_json_schema(each) for name, each in schema["properties"].items()}
    if schema.get("x-kubernetes-int-or-string"):
        result["type"] = ["integer", "string"]
    return result


def _rules(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from (rule["rule"] for rule in schema.get("x-kubernetes-validations", ()) if "rule" in rule)
        for value in schema.values():
            yield from _rules(value)


def _inside(schema: Tree, value: Any, path: str) -> Iterator[tuple[str, Any, Tree]]:
    """Path, value and schema of everything directly inside a value."""
    if isinstance(value, dict):
        known, others = schema.get("properties") or {}, schema.get("additionalProperties")
        for name, inner in value.items():
            of = known.get(name, others if isinstance(others, dict) else None)
            if of is not None:
                yield (f"{path}.{name}" if path else name), inner, of
    elif isinstance(value, list) and "items" in schema:
        for at, inner in enumerate(value):
            yield f"{path}[{at}]", inner, schema["items"]


def _unknown(schema: Tree, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict) and not path.startswith("metadata"):
        known = schema.get("properties") or {}
        if "additionalProperties" not in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
            yield from (f"{path}.{name}" if path else name for name in value if name not in known)
    for name, inner, of in _inside(schema, value, path):
        if name != "metadata":
            yield from _unknown(of, inner, name)


def _shaped(schema: Tree, value: Any, *, root: bool = False) -> Any:
    if isinstance(value, list) and "items" in schema:
        return [_shaped(schema["items"], item) for item in value]
    if not isinstance(value, dict):
        return value
    known, others = schema.get("properties"), schema.get("additionalProperties")
    if isinstance(others, dict):
        return {name: _shaped(others, inner) for name, inner in value.items()}
    return value if known is None else _with_known(known, value, root=root)


def _with_known(known: Tree, value: Tree, *, root: bool) -> Tree:
    """A map's known fields, those that are missing with their defaults; metadata is its own schema's business."""
    apart = {"metadata": value["metadata"]} if root and "metadata" in value else {}
    given = {name: _shaped(known[name], inner) for name, inner in value.items() if name in known}
    missing = {name: of for name, of in known.items() if name not in value and "default" in of}
    return given | {name: _shaped(of, of["default"]) for name, of in missing.items()} | apart


def _path(parts: Any, error: jsonschema.ValidationError) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).removeprefix(".")
    if error.validator == "required":
        missing = error.message.split("'")[1]  # one error for each field that is missing
        return f"{text}.{missing}" if text else missing
    return text


def _sentence(error: jsonschema.ValidationError) -> str:
    if error.validator == "required":
        return "Required value"
    if error.validator == "enum":
        return f"Unsupported value: {error.instance!r}: supported values: {error.validator_value}"
    return f"Invalid value: {error.message}"
