"""A write is skipped only if all that is wanted lives."""

import hashlib
import json
from typing import Any

import pytest

from qwen_operator.core import kinds
from qwen_operator.core.living import difference, digest, stamped
from tests.builders import a_deployment, a_model, a_service, applied

HELD: dict[str, tuple[Any, Any]] = {
    "fields that others added": ({"a": 1}, {"a": 1, "b": 2}),
    "a keyed list in another order": (
        {"env": [{"name": "A", "value": "1"}, {"name": "B"}]},
        {"env": [{"name": "B"}, {"name": "C"}, {"name": "A", "value": "1"}]},
    ),
    "ports by number and protocol": (
        {"ports": [{"port": 80, "protocol": "TCP"}]},
        {"ports": [{"port": 80, "protocol": "UDP"}, {"port": 80, "protocol": "TCP", "nodePort": 30000}]},
    ),
    "items with defaults": (
        {"tolerations": [{"key": "a"}]},
        {"tolerations": [{"key": "a", "operator": "Equal"}]},
    ),
    "nothing at all": ({}, {"a": 1}),
}

MISSED: dict[str, tuple[Any, Any, str]] = {
    "a missing field": ({"a": {"b": 1}}, {"a": {}}, "a.b"),
    "another value": ({"a": 1}, {"a": 2}, "a"),
    "a truth that is a number": ({"a": True}, {"a": 1}, "a"),
    "another shape": ({"a": {"b": 1}}, {"a": "b"}, "a.b"),
    "a missing item of a keyed list": ({"env": [{"name": "A"}]}, {"env": []}, "env[A].name"),
    "another value in a keyed list": (
        {"env": [{"name": "A", "value": "1"}]},
        {"env": [{"name": "A", "value": "2"}]},
        "env[A].value",
    ),
    "a longer plain list": ({"args": ["a"]}, {"args": ["a", "b"]}, "args"),
    "a plain list in another order": ({"args": ["a", "b"]}, {"args": ["b", "a"]}, "args"),
    "no list at all": ({"args": ["a"]}, {"args": None}, "args"),
}


@pytest.mark.parametrize(("wanted", "living"), HELD.values(), ids=HELD.keys())
def test_what_is_wanted_lives(wanted: Any, living: Any) -> None:
    """More than that may live."""
    assert difference(wanted, living) is None


@pytest.mark.parametrize(("wanted", "living", "place"), MISSED.values(), ids=MISSED.keys())
def test_the_first_thing_that_does_not_live_is_named(wanted: Any, living: Any, place: str) -> None:
    """By its path, never by its value."""
    assert difference(wanted, living) == place


def test_a_deployment_with_the_api_servers_defaults_is_as_asked() -> None:
    """Else every look would end in a write."""
    model = a_model(device="GPU", resources={"gpus": 2}, scheduling={"tolerations": [{"key": "x"}]})

    assert difference(applied(model, kinds.DEPLOYMENT), a_deployment(model)) is None


def test_a_service_with_the_api_servers_defaults_is_as_asked() -> None:
    """Addresses and families are the API server's own business."""
    model = a_model()

    assert difference(applied(model, kinds.SERVICE), a_service(model)) is None


def test_a_field_that_is_no_longer_wanted_is_seen_by_the_digest() -> None:
    """As a subset alone it would live on."""
    with_it = a_model(server={"env": [{"name": "A", "value": "1"}]})

    place = difference(applied(a_model(), kinds.DEPLOYMENT), a_deployment(with_it))

    assert place == "metadata.annotations.qwen-operator.io/applied"


def test_a_digest_is_the_same_for_the_same_content() -> None:
    """In whatever order it was put together."""
    one = stamped({"metadata": {"name": "x"}, "spec": {"a": 1, "b": 2}})
    other = stamped({"spec": {"b": 2, "a": 1}, "metadata": {"name": "x"}})

    assert one == other


@pytest.mark.parametrize("text", ["plain", "é", "🦆", '"\\/\x00\x1f\x7f', ""])
def test_a_digest_is_what_the_first_release_made_of_the_same_content(text: str) -> None:
    """Else an upgrade would write every child anew."""
    manifest = {"b": [1, -2, True, None, {"z": text, "a": {}}], "a": {text: [], "B": 2**40}}
    written = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    assert digest(manifest) == hashlib.sha256(written.encode()).hexdigest()[:16]
