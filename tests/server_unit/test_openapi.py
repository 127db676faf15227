"""The OpenAPI document is valid, complete, and what the application does: every other test's answers obey it too."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from openapi_spec_validator import validate

from qwen_server import errors
from qwen_server.app import ROUTES
from qwen_server.drain import Event
from qwen_server.engine.base import Delta, Prompt, Sampling
from qwen_server.engine.scripted import Script, ScriptedEngine
from qwen_server.errors import KINDS, Kind
from qwen_server.limits import Limits
from qwen_server.openapi.operations import NOWHERE, OPERATIONS
from tests.server_unit.builders import AUTHORIZED, AServer, a_chat, a_server
from tests.server_unit.described import DOCUMENT, check

CHAT = "/v1/chat/completions"


def test_the_document_is_valid() -> None:
    """By the rules of OpenAPI 3.1."""
    validate(DOCUMENT)


def test_every_route_is_described() -> None:
    """And nothing else."""
    assert set(OPERATIONS) == {(path, method) for path, methods in ROUTES.items() for method in methods}
    assert len({known.id for known in OPERATIONS.values()}) == len(OPERATIONS)


def test_every_error_belongs_to_an_operation_or_to_none() -> None:
    """A new row of the table has to be put somewhere."""
    assert {kind for known in OPERATIONS.values() for kind in known.errors} | set(NOWHERE) == set(KINDS)


def test_a_refused_key_is_described_with_its_challenge() -> None:
    """On every path, below the scheme that all of them have."""
    assert DOCUMENT["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert DOCUMENT["security"] == [{"key": []}]
    for methods in DOCUMENT["paths"].values():
        for method in {"get", "post"} & set(methods):
            assert methods[method]["responses"]["401"]["headers"]["Www-Authenticate"]["schema"]["const"] == "Bearer"


def contents() -> list[dict[str, Any]]:
    """Everything in the document that has a schema and examples."""
    found: list[dict[str, Any]] = []

    def look(value: object) -> None:
        children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        if isinstance(value, dict) and "schema" in value and ("example" in value or "examples" in value):
            found.append(value)
        for child in children:
            look(child)

    look(DOCUMENT["paths"])
    return found


def test_every_example_has_the_shape_that_is_described() -> None:
    """Of requests, answers, chunks and errors."""
    shared = DOCUMENT["components"]["examples"]
    for content in contents():
        named = content.get("examples", {"": {"value": content.get("example")}})
        for name, example in named.items():
            check(content["schema"], example["value"] if "value" in example else shared[name]["value"])
    assert len(contents()) >= 40


@pytest.mark.parametrize(
    ("path", "body"),
    [(path, body) for (path, _), known in OPERATIONS.items() for body in known.request_examples.values()],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_every_example_of_a_request_is_answered(path: str, body: dict[str, object]) -> None:
    """By a server whose model is called as in the examples."""
    async with a_server().client() as client:
        answer = await client.post(path, json=body)

    assert answer.status_code == 200


def test_a_parameter_that_is_not_supported_takes_what_asks_for_nothing() -> None:
    """And says so."""
    functions = DOCUMENT["components"]["schemas"]["ChatRequest"]["properties"]["functions"]

    assert functions["enum"] == [None, []]
    assert functions["description"].startswith("Not supported")


class Defective(ScriptedEngine):
    """An engine with a defect."""

    async def ping(self) -> None:
        """Fail as no engine should."""
        raise KeyError


class Aborting(ScriptedEngine):
    """An engine that gives answers up."""

    async def generate(
        self, prompt: Prompt, sampling: Sampling, request_id: str, *, stream: bool
    ) -> AsyncGenerator[Sequence[Delta], None]:
        """At once."""
        del prompt, sampling, request_id, stream
        yield [Delta(0, "", 0, "abort")]


def silenced(server: AServer) -> None:
    """The engine's last sign of life was long ago."""
    server.pulse.last -= 3600


def drained(server: AServer) -> None:
    """No new request is taken any more."""
    server.lifecycle.advance(Event.TERMINATE)
    server.lifecycle.advance(Event.NOTICED)


async def endless() -> AsyncIterator[bytes]:
    """A body whose end never comes."""
    yield b"{"
    await asyncio.sleep(10_000)


@dataclass(frozen=True, kw_only=True)
class Provocation:
    """A request that is answered with one kind of error."""

    make: Callable[[], AServer] = a_server
    before: Callable[[AServer], None] = lambda _: None
    method: str = "POST"
    path: str = CHAT
    body: object = field(default_factory=a_chat)
    headers: dict[str, str] = field(default_factory=lambda: dict(AUTHORIZED))

    async def answered(self) -> tuple[int, dict[str, Any]]:
        """Status and error."""
        server = self.make()
        self.before(server)
        content = self.body if not isinstance(self.body, dict) else json.dumps(self.body).encode()
        headers = {"Content-Type": "application/json", **self.headers}
        async with server.client(headers) as client:
            answer = await client.request(self.method, self.path, content=content)  # type: ignore[arg-type]
        return answer.status_code, answer.json()["error"]


PROVOCATIONS: dict[Kind, Provocation] = {
    errors.MALFORMED: Provocation(body=b"{"),
    errors.IMPOSSIBLE: Provocation(body=a_chat(temperature=7)),
    errors.UNSUPPORTED: Provocation(body=a_chat(audio={})),
    errors.MODEL_MISSING: Provocation(body={}),
    errors.MODEL_UNKNOWN: Provocation(body={**a_chat(), "model": "gpt-4"}),
    errors.CONTEXT_EXCEEDED: Provocation(make=lambda: a_server(context=3)),
    errors.UNAUTHORIZED: Provocation(headers={}),
    errors.NOT_FOUND: Provocation(path="/v1/embeddings"),
    errors.NO_SUCH_MODEL: Provocation(method="GET", path="/v1/models/gpt-4", body=b""),
    errors.METHOD_NOT_ALLOWED: Provocation(method="PUT"),
    errors.SLOW_BODY: Provocation(body=endless()),
    errors.TOO_LARGE: Provocation(make=lambda: a_server(limits=Limits(body_bytes=10))),
    errors.NOT_JSON: Provocation(headers={**AUTHORIZED, "Content-Type": "text/plain"}),
    errors.INVALID: Provocation(body={"model": "qwen3"}),
    errors.HEADERS_TOO_LARGE: Provocation(headers={**AUTHORIZED, "X": "x" * 10_000}),
    errors.INTERNAL: Provocation(make=lambda: a_server(engine=Defective())),
    errors.ENGINE_DEAD: Provocation(make=lambda: a_server(Script(dies_after_tokens=0))),
    errors.STARTING: Provocation(make=lambda: a_server(loaded=False)),
    errors.ENGINE_SILENT: Provocation(before=silenced, method="GET", path="/health", body=b""),
    errors.DRAINING: Provocation(before=drained),
    errors.INTERRUPTED: Provocation(make=lambda: a_server(engine=Aborting())),
}


@pytest.mark.looptime
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.status}-{kind.code}")
async def test_every_kind_of_error_is_answered_as_described(kind: Kind) -> None:
    """The client of these tests holds each answer against the document."""
    status, error = await PROVOCATIONS[kind].answered()

    assert (status, error["type"], error["code"]) == (kind.status, kind.type, kind.code)


def test_the_document_is_printed_without_an_engine() -> None:
    """By `qwen-server openapi`, as it is checked in, and no library of the engine is imported for it."""
    code = (
        "import sys; sys.argv = ['qwen-server', 'openapi']; from qwen_server.__main__ import main; main();"
        "print(sorted({'vllm', 'torch', 'transformers'} & set(sys.modules)), file=sys.stderr)"
    )

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert json.loads(printed.stdout)["paths"] == DOCUMENT["paths"]
    assert printed.stderr.strip() == "[]"
