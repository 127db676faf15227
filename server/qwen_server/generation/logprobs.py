"""Logprobs as a request asks for them and as an answer shows them: every generated token has its own, markup included.

It must never drop a token: a client adds them up.
"""

from collections.abc import Iterable, Sequence

import orjson

from qwen_server.engine.base import TokenLogprob
from qwen_server.errors import IMPOSSIBLE, ApiError
from qwen_server.wire.chat import ChatRequest
from qwen_server.wire.completions import CompletionRequest
from qwen_server.wire.logprobs import Alternative, ChatLogprobs, ChatToken, TextLogprobs


def asked_logprobs(request: ChatRequest | CompletionRequest) -> int | None:
    """How many alternatives are wanted for each token; None where no logprobs are."""
    if isinstance(request, CompletionRequest):
        return request.logprobs
    return request.top_logprobs or 0 if request.logprobs else None


def check_logprobs(request: ChatRequest) -> None:
    """Raises ApiError for alternatives to nothing."""
    if request.top_logprobs and not request.logprobs:
        raise ApiError(IMPOSSIBLE, "top_logprobs is only allowed when logprobs is true.", "top_logprobs")


def alternative(found: TokenLogprob) -> Alternative:
    """One token as a chat shows it."""
    return {"token": found.token, "logprob": found.logprob, "bytes": list(found.token.encode(errors="replace"))}


def chat_token(found: TokenLogprob) -> ChatToken:
    """The same with the likeliest tokens at its place."""
    return {**alternative(found), "top_logprobs": [alternative(each) for each in found.top]}


def worded(tokens: Iterable[TokenLogprob]) -> list[orjson.Fragment]:
    """Chat tokens as bytes at once: thousands of them as objects would stop the event loop when they are collected."""
    return [orjson.Fragment(orjson.dumps(chat_token(each))) for each in tokens]


def chat_logprobs(tokens: Iterable[TokenLogprob]) -> ChatLogprobs:
    """A chat's shape."""
    return {"content": [chat_token(each) for each in tokens], "refusal": None}


def likeliest(found: TokenLogprob) -> dict[str, float | None] | None:
    """The likeliest tokens and the chosen one: one more than was asked for, if it is none of them."""
    if found.logprob is None:
        return None
    by_token: dict[str, float | None] = {}
    for each in (*found.top, found):
        by_token.setdefault(each.token, each.logprob)
    return by_token


def text_logprobs(tokens: Sequence[TokenLogprob], offset: int = 0) -> TextLogprobs:
    """A text completion's shape.

    :param offset: characters of the choice's text before these tokens.
    """
    offsets = []
    for each in tokens:
        offsets.append(offset)
        offset += len(each.token)
    return {
        "tokens": [each.token for each in tokens],
        "token_logprobs": [each.logprob for each in tokens],
        "top_logprobs": [likeliest(each) for each in tokens],
        "text_offset": offsets,
    }
