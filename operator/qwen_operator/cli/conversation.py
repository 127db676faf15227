"""A conversation with a model, streamed over OpenAI's interface.

Why it exists: the few lines of a client that `chat` needs. It must never log or keep the key or what is said.
"""

import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import aiohttp

from qwen_operator.cli.endings import Unknowable

Message = dict[str, str]
TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10)


class Piece(NamedTuple):
    """A stretch of an answer."""

    text: str
    thought: bool
    """Whether it is reasoning, before the answer."""


class Conversation:
    """Questions and answers so far."""

    def __init__(self, url: str, key: str, model_id: str) -> None:
        self._url = url
        self._key = key
        self._model_id = model_id
        self._messages: list[Message] = []

    async def ask(self, question: str) -> AsyncIterator[Piece]:
        """The answer, piece by piece.

        :raises Unknowable: the server refuses, in its own sentence.
        """
        asked = [*self._messages, {"role": "user", "content": question}]
        body = {"model": self._model_id, "messages": asked, "stream": True}
        headers = {"Authorization": f"Bearer {self._key}"}
        whole = ""
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT) as session,
                session.post(f"{self._url}/chat/completions", json=body, headers=headers) as answer,
            ):
                if answer.status != 200:
                    raise Unknowable(_refusal(answer.status, await answer.read()))
                async for line in answer.content:
                    for piece in _pieces(line):
                        whole += "" if piece.thought else piece.text
                        yield piece
        except aiohttp.ClientError as error:
            raise Unknowable(f"The answer broke off: {str(error) or type(error).__name__}.") from None
        self._messages = [*asked, {"role": "assistant", "content": whole}]


def _pieces(line: bytes) -> list[Piece]:
    """What one line of a stream says."""
    if not line.startswith(b"data: ") or line.strip() == b"data: [DONE]":
        return []
    event: dict[str, Any] = json.loads(line[6:])
    if error := event.get("error"):
        raise Unknowable(f"The answer broke off: {error.get('message', '')}")
    deltas = [choice.get("delta") or {} for choice in event.get("choices", ())]
    names = (("reasoning_content", True), ("content", False))
    return [Piece(delta[name], thought) for delta in deltas for name, thought in names if delta.get(name)]


def _refusal(status: int, body: bytes) -> str:
    try:
        message = json.loads(body)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = f"HTTP {status}"
    return f"The model does not answer: {message}"
