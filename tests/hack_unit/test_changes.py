"""What the page of fields says that a change does: every field has its row, and a row can't be of another opinion."""

from typing import Any

import pytest

from hack.generate import changes
from hack.generate.changes import Change, Effect
from hack.generate.probes import SMALLER
from qwen_operator import crd

SCHEMA: dict[str, Any] = crd.document()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
ROWS = {row.path: row for row in changes.changes(SCHEMA)}


def test_every_field_has_its_row() -> None:
    """Those that hold others don't."""
    assert list(ROWS) == changes.leaves(SCHEMA)
    assert "server.env[].name" in ROWS
    assert "server.env" not in ROWS


def test_a_field_without_a_probe_is_named() -> None:
    """So whoever adds one knows what is missing."""
    more = SCHEMA | {"properties": SCHEMA["properties"] | {"colour": {"type": "string"}}}

    with pytest.raises(LookupError, match=r"two values for each field; see colour\."):
        list(changes.changes(more))


@pytest.mark.parametrize(
    ("path", "effect", "touched"),
    [
        ("model.uri", Effect.ROLLOUT, ("Deployment", "Job")),
        ("server.image", Effect.ROLLOUT, ("Deployment",)),
        ("replicas", Effect.IN_PLACE, ("Deployment",)),
        ("suspend", Effect.IN_PLACE, ("Deployment",)),
        ("service.port", Effect.IN_PLACE, ("Service",)),
        ("networkPolicy.mode", Effect.IN_PLACE, ("NetworkPolicy",)),
        ("cache.size", Effect.IN_PLACE, ("PersistentVolumeClaim",)),
        ("cache.accessMode", Effect.NOTHING, ()),
        ("validation.headroom", Effect.NOTHING, ()),
    ],
)
def test_an_effect_is_the_plans(path: str, effect: Effect, touched: tuple[str, ...]) -> None:
    """A few of them, said once more by hand."""
    assert ROWS[path] == Change(path=path, effect=effect, touched=touched, refused=ROWS[path].refused)


@pytest.mark.parametrize("path", ROWS)
def test_a_probe_changes_its_field_and_no_other(path: str) -> None:
    """Else a row would be about something else."""
    before, after = changes.pair(path)

    assert before != after
    assert _differing(before, after) == {path}


def test_what_is_refused_has_a_probe_of_its_own() -> None:
    """For the real API server."""
    assert {path for path, row in ROWS.items() if row.refused} == SMALLER.keys()


def _differing(before: Any, after: Any, path: str = "") -> set[str]:
    """Paths of what is not the same."""
    if path in ROWS or not isinstance(before or after, dict | list):
        return set() if before == after else {path}
    if isinstance(before or after, list):
        return _differing((before or [{}])[0], (after or [{}])[0], f"{path}[]")
    before, after = before or {}, after or {}
    found = (
        _differing(before.get(key), after.get(key), f"{path}.{key}".lstrip(".")) for key in before.keys() | after.keys()
    )
    return set().union(*found)
