"""Deltas folded into whole replies: the same deltas that a stream shows one by one."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from orjson import Fragment

from qwen_server.engine.base import Delta, TokenLogprob
from qwen_server.errors import INTERRUPTED, ApiError
from qwen_server.generation.logprobs import text_logprobs, worded
from qwen_server.generation.spoken import Spoken, message
from qwen_server.wire.chat import ChatReply, ReplyChoice
from qwen_server.wire.completions import CompletionReply
from qwen_server.wire.usage import usage

Speak = Callable[[int], Spoken]
"""Makes the parser of a choice, by its index."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What every part of one answer repeats. `created` is in seconds since 1970."""

    id: str
    created: int
    model: str


@dataclass(slots=True)
class Choice:
    """One of n answers while it grows."""

    texts: list[str] = field(default_factory=list)
    tokens: int = 0
    logprobs: list[TokenLogprob] = field(default_factory=list)
    worded: list[Fragment] = field(default_factory=list)
    """A chat's logprobs, as they will be sent."""
    finish_reason: str | None = None


class Unfinished(Exception):  # noqa: N818 - names what happened
    """The engine stopped before every choice had its end: a defect, and no answer to present as complete."""


def finish(reason: str) -> str:
    """The reason as a client may see it. Raises ApiError for an answer that the engine gave up on its own."""
    if reason == "abort":
        raise ApiError(INTERRUPTED)
    return reason


def fold(choices: dict[int, Choice], deltas: Iterable[Delta]) -> None:
    """Add one batch of deltas to the choices they belong to."""
    for delta in deltas:
        choice = choices.setdefault(delta.index, Choice())
        choice.texts.append(delta.text)
        choice.tokens += delta.tokens
        choice.logprobs += delta.logprobs or ()
        if delta.finish_reason is not None:
            choice.finish_reason = finish(delta.finish_reason)


def fold_chat_tokens(choices: dict[int, Choice], deltas: Iterable[Delta]) -> None:
    """The same for a chat that shows its tokens' logprobs: they are worded as they come."""
    for delta in deltas:
        fold(choices, (replace(delta, logprobs=None),))
        choices[delta.index].worded += worded(delta.logprobs or ())


def ended(choice: Choice) -> str:
    """The reason for which a choice ended. Raises Unfinished if it did not."""
    if choice.finish_reason is None:
        raise Unfinished
    return choice.finish_reason


def ordered(choices: Mapping[int, Choice]) -> list[tuple[int, str, str]]:
    """Index, text and finish reason of each choice. Raises Unfinished."""
    return [(index, "".join(each.texts), ended(each)) for index, each in sorted(choices.items())]


def generated(choices: Mapping[int, Choice]) -> int:
    """Tokens of all choices."""
    return sum(choice.tokens for choice in choices.values())


def chat_reply(
    heading: Heading,
    choices: Mapping[int, Choice],
    prompt_tokens: int,
    speak: Speak | None = None,
    *,
    with_logprobs: bool = False,
) -> ChatReply:
    """A whole chat completion.

    :param speak: a parser for each choice, where the model's answers are more than text.
    """
    told = [
        chat_choice(index, text, reason, speak(index) if speak else None) for index, text, reason in ordered(choices)
    ]
    return {
        "id": heading.id,
        "object": "chat.completion",
        "created": heading.created,
        "model": heading.model,
        "choices": [with_tokens(each, choices[each["index"]]) for each in told] if with_logprobs else told,
        "usage": usage(prompt_tokens, generated(choices)),
    }


def chat_choice(index: int, text: str, reason: str, spoken: Spoken | None) -> ReplyChoice:
    """One of its choices."""
    if spoken is None:
        return {"index": index, "message": {"role": "assistant", "content": text}, "finish_reason": reason}
    said = message([*spoken.feed(text), *spoken.end()])
    return {"index": index, "message": said, "finish_reason": spoken.reason(reason)}


def with_tokens(told: ReplyChoice, choice: Choice) -> ReplyChoice:
    """The same with the logprobs of its tokens."""
    return {
        "index": told["index"],
        "message": told["message"],
        "logprobs": {"content": choice.worded, "refusal": None},
        "finish_reason": told["finish_reason"],
    }


def completion_reply(
    heading: Heading,
    choices: Mapping[int, Choice],
    prompt_tokens: int,
    *,
    completion_tokens: int | None = None,
    with_logprobs: bool = False,
) -> CompletionReply:
    """A whole text completion.

    :param completion_tokens: where it cost more than the choices that are shown.
    """
    spent = generated(choices) if completion_tokens is None else completion_tokens
    return {
        "id": heading.id,
        "object": "text_completion",
        "created": heading.created,
        "model": heading.model,
        "choices": [
            {
                "text": text,
                "index": index,
                "logprobs": text_logprobs(choices[index].logprobs) if with_logprobs else None,
                "finish_reason": reason,
            }
            for index, text, reason in ordered(choices)
        ],
        "usage": usage(prompt_tokens, spent),
    }
