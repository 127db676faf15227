"""What a request may hold, and that a wrong one costs no more than its first error."""

import json
from collections.abc import Mapping

import pytest
from pydantic import ValidationError

from qwen_server.errors import ApiError
from qwen_server.generation.complaints import read_body
from qwen_server.wire.base import MAX_BIASES, Request
from qwen_server.wire.chat import ChatRequest
from qwen_server.wire.completions import CompletionRequest
from tests.server_unit.builders import a_chat, a_completion

MANY = 1000
CALLS = {"role": "assistant", "tool_calls": [{}] * MANY}
PARTS = {"role": "user", "content": [{}] * MANY}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (ChatRequest, a_chat() | {"messages": [{}] * MANY}),
        (ChatRequest, a_chat() | {"messages": [CALLS] * MANY}),
        (ChatRequest, a_chat() | {"messages": [PARTS] * MANY}),
        (ChatRequest, a_chat(logit_bias={str(number): 200 for number in range(MANY)})),
        (ChatRequest, a_chat(logit_bias={str(number): None for number in range(MANY)})),
        (ChatRequest, a_chat(stop=[5] * MANY)),
        (CompletionRequest, a_completion(["", *[5] * MANY])),
        (CompletionRequest, a_completion([5, *["x"] * MANY])),
        (CompletionRequest, a_completion([["x"] * MANY] * MANY)),
    ],
)
def test_of_many_errors_in_a_collection_one_is_collected(kind: type[Request], body: Mapping[str, object]) -> None:
    """Half a million of them would stop every other answer for seconds."""
    with pytest.raises(ValidationError) as raised:
        kind.model_validate_json(json.dumps(body))

    assert raised.value.error_count() <= 2  # a message without a role lacks its content as well


@pytest.mark.parametrize(("entries", "fits"), [(MAX_BIASES, True), (MAX_BIASES + 1, False)])
def test_biases_are_limited(entries: int, fits: bool) -> None:
    """Whether their values are right or not."""
    body = json.dumps(a_chat(logit_bias={str(number): 1 for number in range(entries)})).encode()

    if fits:
        assert len(read_body(ChatRequest, body).logit_bias or {}) == entries
    else:
        with pytest.raises(ApiError, match=r"^logit_bias must have at most 1024 items\.$") as raised:
            read_body(ChatRequest, body)
        assert raised.value.kind.status == 400
