"""What an expression of PromQL asks for, by the grammar of a library; it evaluates nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser


@dataclass(frozen=True)
class Asked:
    """One series as an expression selects it."""

    name: str
    labels: frozenset[str]


def selected(expression: str) -> list[Asked]:
    """Every series that an expression reads; raises ValueError where it is none."""
    return [asked(node) for node in nodes(expression) if isinstance(node, promql_parser.VectorSelector)]


def grouped(expression: str) -> set[str]:
    """Every label by which it groups."""
    found = [node.modifier for node in nodes(expression) if isinstance(node, promql_parser.AggregateExpr)]
    return {label for modifier in found if modifier for label in modifier.labels}


def asked(selector: Any) -> Asked:
    """A selector's series and the labels that it matches."""
    return Asked(selector.name, frozenset(matcher.name for matcher in selector.matchers.matchers))


def nodes(expression: str) -> Iterator[Any]:
    """Every part of an expression, the whole first."""
    waiting = [promql_parser.parse(expression)]
    while waiting:
        node = waiting.pop()
        yield node
        parts = (getattr(node, name, None) for name in ("lhs", "rhs", "expr", "vector_selector"))
        waiting += [part for part in (*parts, *arguments(node)) if part is not None]


def arguments(node: Any) -> list[Any]:
    """Of a function, or nothing."""
    return list(node.args) if isinstance(node, promql_parser.Call) else []
