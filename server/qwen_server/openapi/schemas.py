"""Types as JSON schemas: pydantic's of the wire types, and the envelope of errors from its table."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from qwen_server.errors import KINDS
from qwen_server.generation.intake import NEUTRAL

Schema = dict[str, Any]

TEMPLATE = "#/components/schemas/{model}"


class Untitled(GenerateJsonSchema):
    """Without a title for each field: it would only repeat the name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never."""
        del schema
        return False


def of_types(types: Iterable[Any]) -> dict[str, Schema]:
    """Every type, and every type within, by its name."""
    mode: JsonSchemaMode = "validation"
    adapters = [(kind, mode, TypeAdapter(kind)) for kind in types]
    _, found = TypeAdapter.json_schemas(adapters, ref_template=TEMPLATE, schema_generator=Untitled)
    return {name: honest(schema) for name, schema in found["$defs"].items()}


def honest(schema: Schema) -> Schema:
    """The same, where a parameter that is not supported takes the values that ask for nothing, and no others."""
    properties: Mapping[str, Schema] = schema.get("properties", {})
    return {**schema, "properties": {name: supported(name, each) for name, each in properties.items()}}


def supported(name: str, schema: Schema) -> Schema:
    """One property's schema."""
    if name not in NEUTRAL:
        return schema
    return {"enum": list(NEUTRAL[name]), "description": "Not supported: these values ask for nothing."}


def error() -> Schema:
    """The one envelope of all errors."""
    codes = sorted({kind.code for kind in KINDS if kind.code})
    fields = {
        "message": {"type": "string", "description": "One sentence that names what to change."},
        "type": {"enum": sorted({kind.type for kind in KINDS})},
        "param": {"type": ["string", "null"], "description": "The place in the request that is to blame."},
        "code": {"enum": [*codes, None]},
    }
    inner = {"type": "object", "properties": fields, "required": list(fields)}
    return {
        "title": "Error",
        "description": "Every error, whatever its status.",
        "type": "object",
        "properties": {"error": inner},
        "required": ["error"],
    }


def reference(kind: Any) -> Schema:
    """Where the document holds a type."""
    return {"$ref": TEMPLATE.format(model=kind if isinstance(kind, str) else kind.__name__)}
