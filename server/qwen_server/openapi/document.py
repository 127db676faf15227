"""The whole document. It must never state what the routes, the wire types or the table of errors do not say."""

import json
import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from qwen_server import errors
from qwen_server.app import ROUTES
from qwen_server.errors import ApiError, Header, Kind
from qwen_server.openapi import schemas
from qwen_server.openapi.operations import OPERATIONS, Operation
from qwen_server.openapi.schemas import reference

Document = dict[str, Any]

DESCRIPTION = (
    "OpenAI's HTTP interface to one model. Every path needs a key, those that do not exist included. A path that does"
    " not exist answers 404, a method that a path does not have 405, both in the envelope of all errors. HEAD is GET"
    " without the body. Parameters that are not listed are ignored. Every answer has an X-Request-Id."
)
STREAM = (
    "A whole answer, or with `stream` events: the data of each is a chunk as described here, of the last one the word"
    " [DONE]; an error after the first event is an event too."
)
SECURITY = "key"
JSON = "application/json"
REQUEST_ID = "X-Request-Id"
NAMES = {kind: name.title().replace("_", "") for name, kind in vars(errors).items() if isinstance(kind, Kind)}
"""What the rows of the table of errors are called."""


def document(version: str) -> Document:
    """The interface of this release, as OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "qwen-server", "version": version, "description": DESCRIPTION},
        "servers": [{"url": "http://localhost:8000"}],
        "security": [{SECURITY: []}],
        "paths": {template(path): methods(path, of_path) for path, of_path in ROUTES.items()},
        "components": {
            "securitySchemes": {SECURITY: {"type": "http", "scheme": "bearer", "description": "An API key."}},
            "schemas": {**schemas.of_types(types()), "Error": schemas.error()},
            "examples": {NAMES[kind]: example(kind) for kind in errors.KINDS},
            "headers": {
                REQUEST_ID: {"description": "The request's name in the journal.", "schema": {"type": "string"}}
            },
        },
    }


def text(version: str) -> str:
    """The document as JSON that a person can read."""
    return json.dumps(document(version), indent=2, ensure_ascii=False) + "\n"


def types() -> Iterable[Any]:
    """Every type that an operation names."""
    named = (each for known in OPERATIONS.values() for each in (known.request, known.reply, known.chunk))
    return [each for each in named if each is not None]


def template(path: str) -> str:
    """A route's path without its converters."""
    return re.sub(r":\w+}", "}", path)


def methods(path: str, of_path: Mapping[str, object]) -> Document:
    """One path."""
    names = re.findall(r"{(\w+)}", template(path))
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    found = {method.lower(): operation(OPERATIONS[path, method]) for method in of_path}
    return {"parameters": parameters, **found} if parameters else found


def operation(known: Operation) -> Document:
    """One method."""
    described: Document = {"operationId": known.id, "summary": known.summary}
    if known.request is not None:
        named = {name: {"value": value} for name, value in known.request_examples.items()}
        content = {JSON: {"schema": reference(known.request), "examples": named}}
        described |= {"requestBody": {"required": True, "content": content}}
    by_status = groupby(known.errors, key=lambda kind: kind.status)
    failures = {str(status): failure(list(kinds)) for status, kinds in by_status}
    return {**described, "responses": {"200": success(known), **failures}}


def success(known: Operation) -> Document:
    """The answer of 200."""
    content = {JSON: {"schema": reference(known.reply), "example": known.reply_example}}
    if known.chunk is None:
        return {"description": "The answer.", "headers": headers(()), "content": content}
    either = {"anyOf": [reference(known.chunk), reference("Error")]}
    content["text/event-stream"] = {"schema": either, "example": known.chunk_example}
    return {"description": STREAM, "headers": headers(()), "content": content}


def failure(kinds: list[Kind]) -> Document:
    """All errors of one status."""
    examples = {NAMES[kind]: {"$ref": f"#/components/examples/{NAMES[kind]}"} for kind in kinds}
    sentences = " ".join(kind.meaning for kind in kinds)
    always = [header for header in kinds[0].headers if all(header in kind.headers for kind in kinds)]
    content = {JSON: {"schema": reference("Error"), "examples": examples}}
    return {"description": sentences, "headers": headers(always), "content": content}


def headers(more: Iterable[Header]) -> Document:
    """The headers of an answer."""
    fixed = {name.decode().title(): {"schema": {"type": "string", "const": value.decode()}} for name, value in more}
    return {REQUEST_ID: {"$ref": f"#/components/headers/{REQUEST_ID}"}, **fixed}


def example(kind: Kind) -> Document:
    """An error of this kind, as it goes out."""
    return {"summary": kind.meaning, "value": json.loads(ApiError(kind).envelope())}
