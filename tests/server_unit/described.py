"""Holds an answer against the OpenAPI document, more strictly than a client would: what is not described is wrong."""

import json
import re
from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from qwen_server.openapi.document import document

JSON = "application/json"
STREAM = "text/event-stream"
DOCUMENT = document("0.0.0")
EVERYWHERE = {"400", "401", "404", "405", "431", "500", "503"}
"""Statuses of requests that mean no operation."""


def closed(schema: Any) -> Any:
    """The same schema without room for a field that it doesn't name."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(each) for name, each in schema.items()}
    return {**inner, "additionalProperties": False} if "properties" in schema else inner


COMPONENTS = closed(DOCUMENT["components"])


@cache
def judge(schema: str) -> Draft202012Validator:
    """The validator of a schema, given as JSON, in which references lead into the document."""
    return Draft202012Validator({**json.loads(schema), "components": COMPONENTS})


def check(schema: dict[str, Any], value: object) -> None:
    """Raises ValidationError."""
    judge(json.dumps(schema)).validate(value)


def operation(method: str, path: str) -> dict[str, Any] | None:
    """What the document says of a request; None if it is no operation."""
    for template, methods in DOCUMENT["paths"].items():
        if re.fullmatch(re.sub(r"{\w+}", ".+", template), path.rstrip("/")):
            found: dict[str, Any] | None = methods.get({"HEAD": "get"}.get(method, method.lower()))
            return found
    return None


def events(text: str) -> list[Any]:
    """The data of a stream's events, without the word that ends it."""
    data = [line.removeprefix("data: ") for line in text.split("\n\n") if line.startswith("data: ")]
    return [json.loads(each) for each in data if each != "[DONE]"]


async def obeys(answer: httpx.Response) -> None:
    """Assert that an answer is what the document says; a hook for a client."""
    await answer.aread()
    asked = operation(answer.request.method, answer.request.url.path)
    status = str(answer.status_code)
    if asked is None:
        assert status in EVERYWHERE or answer.request.method == "OPTIONS"
        if answer.content:
            check({"$ref": "#/components/schemas/Error"}, answer.json())
        return
    if status == "200" and "requestBody" in asked:
        check_request(asked["requestBody"]["content"][JSON]["schema"], answer.request.content)
    described = asked["responses"][status]
    for name, header in described["headers"].items():
        assert answer.headers[name] == header.get("schema", {}).get("const", answer.headers[name])
    if answer.request.method != "HEAD":
        check_body(described["content"], answer)


def check_request(schema: dict[str, Any], body: bytes) -> None:
    """Assert that what was answered is what may be asked; fields that it doesn't name are passed over."""
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(json.loads(body))


def check_body(content: dict[str, Any], answer: httpx.Response) -> None:
    """Assert that the body, or every event of it, has one of the schemas; an error is one of those that are listed."""
    kind = answer.headers["content-type"].partition(";")[0]
    for value in events(answer.text) if kind == STREAM else [answer.json()]:
        check(content[kind]["schema"], value)
    if "examples" in content[kind]:
        listed = [DOCUMENT["components"]["examples"][name]["value"]["error"] for name in content[kind]["examples"]]
        error = answer.json()["error"]
        assert (error["type"], error["code"]) in {(each["type"], each["code"]) for each in listed}
