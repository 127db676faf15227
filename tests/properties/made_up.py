"""Input that nobody means: any JSON, any bytes, and documents that are right but for one place."""

import contextlib
import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

NUMBERS = st.one_of(
    st.integers(),
    st.sampled_from([0, -1, 2**31, 2**63, 2**64, 10**30, 10**400]),
    st.floats(allow_nan=False, allow_infinity=False),
)
WORDS = st.one_of(st.text(max_size=20), st.sampled_from(["", " ", "\x00", "é", "🦆", "null", "0", "1e999", "a" * 5000]))
ANY: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
"""Any value of JSON."""
BYTES = st.one_of(st.binary(max_size=200), ANY.map(lambda value: json.dumps(value).encode()))
"""Any bytes, half of them JSON."""


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


def almost(document: Any, inserted: st.SearchStrategy[Any] = ANY) -> st.SearchStrategy[Any]:
    """The document with something else at one, two or three of its places, or as it is."""

    def changed(changes: list[tuple[tuple[Any, ...], Any]]) -> Any:
        result = copy.deepcopy(document)
        for path, value in changes:
            _put(result, path, value)
        return result

    change = st.tuples(st.sampled_from(list(places(document))), inserted)
    return st.lists(change, max_size=3).map(changed)


def _put(document: Any, path: tuple[Any, ...], value: Any) -> None:
    """Put a value at a place, unless an earlier change has taken the way there."""
    with contextlib.suppress(KeyError, IndexError, TypeError, AttributeError):
        for key in path[:-1]:
            document = document[key]
        if path[-1] in document or isinstance(document, list):
            document[path[-1]] = value


def words_of(refusal: type[Exception], call: Callable[..., object], *arguments: object) -> str:
    """What a refusal of this kind says, or that there was none; every other exception is a defect."""
    try:
        call(*arguments)
    except refusal as said:
        return str(said)
    return "it was not refused"
