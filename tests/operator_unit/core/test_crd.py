"""The CustomResourceDefinition keeps to the rules of structural schemas, and explains every field.

That the API server accepts it and its CEL rules is shown in tests/operator_api.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from hack.generate.probes import WHOLE
from qwen_operator import crd
from qwen_operator.core import status
from qwen_operator.core.plan import Outcome, Plan
from qwen_operator.core.problems import Reason
from qwen_operator.core.resource import arguments
from qwen_operator.core.resource.environment import RESERVED
from qwen_operator.core.resource.report import Status
from qwen_operator.core.resource.spec import Spec
from qwen_operator.core.snapshot import Snapshot
from tests.builders import NOW, a_body, a_claim, a_model, recorded, recordings, rolled_out
from tests.golden.written import ROOT

Schema = dict[str, Any]

FORBIDDEN = {"$ref", "$defs", "definitions", "title", "additionalItems", "patternProperties", "dependencies", "const"}
"""What Kubernetes refuses in a structural schema (apiextensions v1), and `title`, which nobody reads."""


def version() -> Schema:
    """The one version."""
    [found] = crd.document()["spec"]["versions"]
    assert isinstance(found, dict)
    return found


def root() -> Schema:
    """Its schema."""
    found: Schema = version()["schema"]["openAPIV3Schema"]
    return found


def walk(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every schema within a schema, with its path."""
    yield path, schema
    for name, part in schema.get("properties", {}).items():
        yield from walk(part, f"{path}.{name}")
    for inside in ("items", "additionalProperties"):
        if isinstance(schema.get(inside), dict):
            yield from walk(schema[inside], f"{path}[]")


EVERY = {path: part for path, part in walk(root()) if path.startswith((".spec", ".status"))}
FIELDS = {path: part for path, part in EVERY.items() if not path.endswith("[]")}
OPTIONAL = [path for path, part in FIELDS.items() if path.startswith(".spec.") and part.get("type") != "object"]
RULES = {rule["message"]: path for path, part in walk(root()) for rule in part.get("x-kubernetes-validations", ())}


@pytest.mark.parametrize("part", EVERY.values(), ids=EVERY.keys())
def test_a_schema_is_structural(part: Schema) -> None:
    """Each has a type of its own and no construct that Kubernetes refuses."""
    assert not FORBIDDEN & part.keys()
    assert ("type" in part) != part.get("x-kubernetes-int-or-string", False)
    assert "null" not in str(part.get("type"))
    assert part.get("default", "") is not None


@pytest.mark.parametrize("part", EVERY.values(), ids=EVERY.keys())
def test_a_schema_is_bounded(part: Schema) -> None:
    """Lists, maps and texts have a greatest length: the API server must be able to tell what a CEL rule costs."""
    if part.get("type") == "array":
        assert part["maxItems"] <= 64
    if "additionalProperties" in part:
        assert part["maxProperties"] <= 64
    if part.get("type") == "string" or part.get("x-kubernetes-int-or-string"):
        assert "enum" in part or part["maxLength"] <= 4096


@pytest.mark.parametrize("part", FIELDS.values(), ids=FIELDS.keys())
def test_a_field_explains_itself(part: Schema) -> None:
    """In a sentence or two, for `kubectl explain`."""
    assert re.match(r"^[A-Z`].*\.$", part["description"], re.DOTALL)
    assert "  " not in part["description"]


@pytest.mark.parametrize("path", OPTIONAL)
def test_an_optional_field_says_its_default(path: str) -> None:
    """And what is stored by default is what the description says."""
    parent, _, name = path.rpartition(".")
    part = EVERY[path]

    assert name in EVERY[parent].get("required", ()) or "Default: " in part["description"]
    if "default" in part:
        assert f"Default: {yaml.safe_dump(part['default']).split()[0]}" in part["description"]


COUNTED = (
    "bytes? tokens? seconds? cores GPUs? share requests replicas restarts pods port generation ranks stages number"
)
UNITS = rf"(?i)\b({COUNTED.replace(' ', '|')})\b"
NUMBERS = [
    path
    for path, part in FIELDS.items()
    if part.get("type") in ("integer", "number") or part.get("x-kubernetes-int-or-string")
]


@pytest.mark.parametrize("path", NUMBERS)
def test_a_number_says_of_what_it_is(path: str) -> None:
    """Its unit, or what is counted."""
    assert re.search(UNITS, FIELDS[path]["description"]) or path.endswith("exitCode")


def test_an_amount_is_in_bytes_or_cores() -> None:
    """Since Kubernetes' quantities tell neither."""
    amounts = {path: part["description"] for path, part in FIELDS.items() if part.get("x-kubernetes-int-or-string")}

    assert amounts
    assert [path for path, words in amounts.items() if " in bytes" not in words and " in cores" not in words] == []


@pytest.mark.parametrize("message", RULES)
def test_a_rule_names_its_field(message: str) -> None:
    """A person reads the message, not the rule; 2048 characters are what Kubernetes allows."""
    parts = "model|resources|server|service|scheduling|metadata|parallelism|cache|networkPolicy|rollout"
    assert re.search(rf"({parts})\.|^device CPU|^matchExp", message)
    assert len(message) <= 2048


def test_lists_that_several_may_add_to_are_keyed() -> None:
    """Server-side apply merges them item by item."""
    lists = {path: part.get("x-kubernetes-list-type") for path, part in EVERY.items() if part.get("type") == "array"}
    inside = tuple(f".spec.{whole}" for whole in WHOLE)

    assert {kind for path, kind in lists.items() if path.startswith(inside)} == {"atomic"}
    assert {path: kind for path, kind in lists.items() if not path.startswith(inside)} == {
        ".spec.server.imagePullSecrets": "map",
        ".spec.server.args": "atomic",
        ".spec.server.env": "map",
        ".spec.scheduling.tolerations": "atomic",
        ".spec.scheduling.topologySpreadConstraints": "map",
        ".status.conditions": "map",
    }


def test_keys_of_a_list_are_there() -> None:
    """A key must be required or have a default, or the API server refuses the definition."""
    for part in EVERY.values():
        for key in part.get("x-kubernetes-list-map-keys", ()):
            assert key in part["items"].get("required", ()) or "default" in part["items"]["properties"][key]


def test_the_columns_are_those_that_a_person_asks_for() -> None:
    """The message only with -o wide."""
    columns = version()["additionalPrinterColumns"]

    assert [column["name"] for column in columns if not column.get("priority")] == [
        "READY",
        "REASON",
        "PROGRESS",
        "REPLICAS",
        "GPUS",
        "MODEL",
        "AGE",
    ]


def test_the_definition_scales_and_keeps_its_status_apart() -> None:
    """`kubectl scale` and autoscalers use the scale subresource."""
    assert version()["subresources"] == {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        },
    }


def test_the_definition_has_its_names() -> None:
    """Short name and category."""
    names = crd.document()["spec"]["names"]

    assert (names["shortNames"], names["categories"], names["plural"]) == (["qm"], ["ai"], "qwenmodels")
    assert crd.document()["metadata"]["name"] == "qwenmodels.qwen-operator.io"


def test_the_definition_is_the_same_each_time_and_shares_nothing() -> None:
    """A caller may change its copy."""
    first = crd.document()
    first["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"].clear()

    assert crd.document() == crd.document()
    assert crd.document() != first


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_keeps_to_the_schema(example: Any) -> None:
    """Ranges and patterns; the rules are tried on an API server."""
    spec = yaml.safe_load(example.read_text())["spec"]

    Draft202012Validator(crd.structural(Spec)).validate(spec)


def test_a_wrong_value_does_not_keep_to_the_schema() -> None:
    """So the test above can fail."""
    errors = Draft202012Validator(crd.structural(Spec)).iter_errors(a_body(replicas=-1, device="TPU")["spec"])

    assert sorted(error.json_path for error in errors) == ["$.device", "$.replicas"]


def documents() -> Iterator[Schema]:
    """Every status that the tests know."""
    for situation in recordings():
        model, seen = recorded(situation)
        yield status.document(model, seen, Plan(), Outcome(), NOW)
    model = a_model()
    yield status.document(model, Snapshot(claim=a_claim(), deployment=rolled_out(model, 1)), Plan(), Outcome(), NOW)
    yield status.unreadable(a_body(), Reason.INVALID_SPEC.about(field="spec", why="x"), NOW)


def test_every_status_keeps_to_the_schema_and_loses_nothing() -> None:
    """The API server prunes what the schema lacks without a word."""
    schema = crd.structural(Status)
    closed = {**schema, "additionalProperties": False}

    for document in documents():
        Draft202012Validator(closed).validate(document)


def test_reserved_variables_are_refused_by_the_definition() -> None:
    """All of them, by name."""
    [message] = [message for message, path in RULES.items() if path == ".spec.server.env[]"]

    assert all(name in message for name in RESERVED)


def test_allowed_flags_match_their_pattern() -> None:
    """One element, one flag."""
    pattern = re.compile(arguments.allowed_pattern())

    assert pattern.search("--enforce-eager")
    assert pattern.search("--block-size=32")
    for refused in (
        "--block-size 32",
        "--block-size=",
        "--enforce-eager=1",
        "--api-key=x",
        "--model=/x",
        "block-size=1",
    ):
        assert not pattern.search(refused)
