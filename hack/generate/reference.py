"""docs/reference.md: what a person can write or will read, looked up in the sources. Holds headings, no facts."""

import json
from collections.abc import Iterable
from typing import Any

from hack.generate import changes, commands, fields, rules, values
from hack.generate.markdown import block, code, table
from qwen_operator.core import kinds, names
from qwen_operator.core.problems import Reason
from qwen_operator.core.resource import arguments
from qwen_server.errors import KINDS, Kind
from qwen_server.management import PATHS

Document = dict[str, Any]

MODEL = "<model>"
_MEANT = (
    "Of a model that serves, each found out by changing it: *rollout* replaces every replica, *in place* changes "
    "children while all replicas go on, *nothing* leaves the children as they are.\n\n"
)


def document(definition: Document, values_schema: str) -> str:
    """Return the page from the CustomResourceDefinition, the chart's schema and the operator's tables."""
    [version] = definition["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]["properties"]
    sections = [
        ("Fields of a QwenModel", _spec(schema["spec"])),
        ("What the API server refuses", _refusals(schema["spec"])),
        ("What changing a field does", _changes(schema["spec"])),
        ("Status", _status(schema["status"], version.get("additionalPrinterColumns", []))),
        ("Reasons", _reasons()),
        ("Names and labels", _names()),
        ("Engine flags in spec.server.args", _arguments()),
        ("Errors of the API", _errors()),
        ("The management port", _management()),
        ("Rights of the operator", _rights()),
        ("Values of the chart", _values(values_schema)),
        ("qwen-operator", _usage("qwen_operator", "run", "render", "crd")),
        ("kubectl qwen", _usage("qwen_operator.cli", "fit")),
        ("qwen-server", _usage("qwen_server")),
    ]
    head = "# Reference\n\nGenerated from the sources by `make generate`; never edit it by hand.\n"
    return head + "".join(f"\n## {title}\n\n{text}" for title, text in sections)


def _spec(schema: Document) -> str:
    rows = [
        (code(field.path), field.type, "required" if field.required else code(field.default), _meaning(field))
        for field in fields.fields(schema, "spec")
    ]
    return table(("field", "type", "default", "meaning"), rows)


def _status(schema: Document, columns: Iterable[Document]) -> str:
    rows = [(code(field.path), field.type, _meaning(field)) for field in fields.fields(schema, "status")]
    shown = table(("column", "from"), [(column["name"], code(column["jsonPath"])) for column in columns])
    return f"{table(('field', 'type', 'meaning'), rows)}\nColumns of `kubectl get`:\n\n{shown}"


def _meaning(field: fields.Field) -> str:
    return f"{field.description} ({field.limits})" if field.limits else field.description


def _refusals(schema: Document) -> str:
    found = [(code(rule.path), rule.message) for rule in fields.rules(schema, "spec")]
    return table(("at", "sentence"), found)


def _changes(schema: Document) -> str:
    found = list(changes.changes(schema))
    rows = [(code(f"spec.{row.path}"), str(row.effect), ", ".join(row.touched), row.refused) for row in found]
    return _MEANT + table(("field", "effect", "children", "refused"), rows)


def _reasons() -> str:
    rows = [(code(item.value), item.sentence, item.remedy) for item in Reason]
    return "Words in braces stand for the facts of the case.\n\n" + table(("reason", "sentence", "remedy"), rows)


def _names() -> str:
    children = {
        "Deployment": names.deployment(MODEL),
        "Service": names.service(MODEL),
        "Secret of API keys": f"{names.key_secret(MODEL)}, generated entry {names.GENERATED_KEY}",
        "field manager": names.FIELD_MANAGER,
        "port of the API": str(names.API_PORT),
        "port of the kubelet and Prometheus": str(names.MANAGEMENT_PORT),
    }
    labels = {f"label {key}": value for key, value in names.labels(MODEL).items()}
    return table(("what", "is"), [(what, code(value)) for what, value in (children | labels).items()])


def _arguments() -> str:
    return table(("flag", "value"), [(code(flag), value.name.lower()) for flag, value in arguments.ALLOWED.items()])


def _errors() -> str:
    head = (
        'Every error is `{"error": {"message", "type", "param", "code"}}`; a `param` that is not null names the place '
        "in the request. In a stream that has begun it comes as an event.\n\n"
    )
    rows = [
        (str(kind.status), code(kind.type), code(kind.code or "null"), _headers(kind), kind.meaning) for kind in KINDS
    ]
    return head + table(("status", "type", "code", "headers", "meaning"), rows)


def _management() -> str:
    head = "Port 8001 asks for no key, tells no content and is in no Service.\n\n"
    return head + table(("path", "answer"), [(code(path), meaning) for path, meaning in PATHS.items()])


def _headers(kind: Kind) -> str:
    return ", ".join(code(f"{name.decode()}: {value.decode()}") for name, value in kind.headers)


def _rights() -> str:
    lists = rules.document()
    rows = [
        (code(f"{rule['resources'][0]}.{rule['apiGroups'][0]}".rstrip(".")), ", ".join(rule["verbs"]), where)
        for where, found in (("served namespaces", lists["models"]), ("its own namespace", lists["lease"]))
        for rule in found
    ]
    reading = [kind for kind in kinds.ALL if kind.kind == "Secret" and set(kind.verbs) & {"get", "list", "watch"}]
    sentence = "" if reading else "\nIt can create a Secret, and read none.\n"
    return table(("resource", "verbs", "where"), rows) + sentence


def _values(schema: str) -> str:
    rows = [
        (code(".".join(value.path)), code(json.dumps(value.default)), value.description)
        for value in values.values(json.loads(schema))
    ]
    return table(("value", "default", "meaning"), rows)


def _usage(module: str, *verbs: str) -> str:
    asked: list[tuple[str, ...]] = [(verb,) for verb in verbs] or [()]
    return "\n".join(block(commands.usage(module, *each)) for each in asked)
