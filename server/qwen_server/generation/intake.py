"""From the request's words to the engine's: messages, sampling, and how much of the context the completion may take."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from qwen_server.engine.base import Sampling
from qwen_server.errors import CONTEXT_EXCEEDED, IMPOSSIBLE, MODEL_UNKNOWN, UNSUPPORTED, ApiError
from qwen_server.wire.base import GenerationRequest
from qwen_server.wire.chat import AssistantMessage, ChatRequest, Message, TextPart, ToolMessage
from qwen_server.wire.completions import CompletionRequest

TOKEN_ID = re.compile("[0-9]{1,9}")

COMPLETION_TOKENS = 16
"""OpenAI's default of max_tokens for text completions."""

MAX_CHOICES = 1024
"""Sequences of one request, over all its prompts."""

NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "functions": (None, []),
    "function_call": (None, "none", "auto"),
    "audio": (None,),
    "modalities": (None, ["text"]),
    "chat_template": (None,),
    "suffix": (None, ""),
}
"""Parameters that are not supported, with the values that ask for nothing."""
NEVER: Mapping[str, str] = {"chat_template": "is not accepted: the model's own template is used"}
"""Those that never will be, and why; the others may come."""


@dataclass(frozen=True, slots=True)
class Job:
    """One prompt's part of a request: which prompt, how to sample, and the index of its first choice."""

    prompt: int
    sampling: Sampling
    first_index: int
    echo: bool = False
    """The prompt's text stands before each of its choices."""


def check_model(asked: str, served: str) -> None:
    """Raises ApiError unless the request names exactly the model that is served."""
    if asked != served:
        raise ApiError(MODEL_UNKNOWN, "The model does not exist here: GET /v1/models lists the one that does.", "model")


def asks_for_nothing(value: object, neutral: Sequence[object]) -> bool:
    """Whether this is one of the neutral values; to Python alone 0 is False and 1 is True."""
    return value is neutral[0] or any(type(value) is type(each) and value == each for each in neutral)


def check_supported(request: GenerationRequest) -> None:
    """Raises ApiError for the first parameter that asks for what the server does not do."""
    for name, neutral in NEUTRAL.items():
        if not asks_for_nothing(getattr(request, name, None), neutral):
            raise ApiError(UNSUPPORTED, f"{name} {NEVER.get(name, 'is not supported yet')}.", name)
    if request.stream_options is not None and not request.stream:
        raise ApiError(IMPOSSIBLE, "stream_options is only allowed when stream is true.", "stream_options")


def plain_content(content: str | Sequence[TextPart] | None) -> str | None:
    """Parts joined by line breaks, as chat templates expect a string."""
    return content if content is None or isinstance(content, str) else "\n".join(part.text for part in content)


def plain_message(message: Message) -> dict[str, object]:
    """A message as a template reads it: `developer` is `system`, content is a string."""
    role = "system" if message.role == "developer" else message.role
    plain: dict[str, object] = {"role": role, "content": plain_content(message.content)}
    if isinstance(message, ToolMessage):
        plain["tool_call_id"] = message.tool_call_id
    elif message.name is not None:
        plain["name"] = message.name
    return plain | thought_and_called(message) if isinstance(message, AssistantMessage) else plain


def thought_and_called(message: AssistantMessage) -> dict[str, object]:
    """What a model did beside speaking, by the names that vLLM's renderer passes on to a template."""
    thought = message.reasoning or message.reasoning_content
    calls = [call.model_dump() for call in message.tool_calls or ()]
    return {name: value for name, value in (("reasoning", thought), ("tool_calls", calls)) if value}


def plain_messages(request: ChatRequest) -> list[dict[str, object]]:
    """The whole conversation."""
    return [plain_message(message) for message in request.messages]


def prompts(request: CompletionRequest) -> list[str | list[int]]:
    """The prompts of a text completion, whichever of the four forms they came in."""
    given = request.prompt
    if isinstance(given, str):
        return [given]
    ids = [item for item in given if isinstance(item, int)]
    return [ids] if ids else [item for item in given if not isinstance(item, int)]


def asked_tokens(request: GenerationRequest) -> int | None:
    """What the caller says of the completion's length; for a chat None is all that is left."""
    if isinstance(request, ChatRequest):
        return request.max_completion_tokens or request.max_tokens
    return COMPLETION_TOKENS if request.max_tokens is None else request.max_tokens


def granted_tokens(prompt_tokens: int, asked: int | None, context: int, *, clamp: bool, source: str) -> int:
    """How many tokens the completion may have. Raises ApiError when prompt and completion do not fit the context.

    `source` is the parameter that holds the prompt. With `clamp` a completion is cut to what is left, a prompt never.
    """
    left = context - prompt_tokens
    if left < 1:
        needs = f"the {source} alone have {prompt_tokens}: shorten the {source}"
    elif asked is not None and asked > left and not clamp:
        parts = f"{prompt_tokens} in the {source}, {asked} in the completion"
        needs = f"{prompt_tokens + asked} were requested ({parts}): shorten the {source} or lower max_tokens"
    else:
        return left if asked is None else min(asked, left)
    raise ApiError(CONTEXT_EXCEEDED, f"This model's maximum context length is {context} tokens, but {needs}.", source)


def token_biases(biases: Mapping[str, float] | None) -> dict[int, float] | None:
    """logit_bias by token number. Raises ApiError for a key that is no number."""
    if biases is None:
        return None
    if not all(TOKEN_ID.fullmatch(key) for key in biases):
        raise ApiError(IMPOSSIBLE, "logit_bias must have token ids as keys.", "logit_bias")
    return {int(key): value for key, value in biases.items()}


def sampling(request: GenerationRequest, max_tokens: int) -> Sampling:
    """The request's way to sample; what it leaves open stays open for the model's own defaults."""
    stop = request.stop
    return Sampling(
        max_tokens=max_tokens,
        temperature=request.temperature,
        top_p=request.top_p,
        top_k=request.top_k,
        min_p=request.min_p,
        presence_penalty=request.presence_penalty,
        frequency_penalty=request.frequency_penalty,
        repetition_penalty=request.repetition_penalty,
        seed=request.seed,
        stop=(stop,) if isinstance(stop, str) else tuple(stop or ()),
        n=request.n or 1,
        logit_bias=token_biases(request.logit_bias),
        ignore_eos=request.ignore_eos or False,
    )


def jobs(samplings: Sequence[Sampling], *, echo: bool = False) -> list[Job]:
    """The work of a request, a sampling for each prompt. Greedy choices are asked for one by one, as engines want it.

    Raises ApiError when it is too much for one request.
    """
    result: list[Job] = []
    index = 0
    for prompt, each in enumerate(samplings):
        parts = [single(each)] * each.n if each.n > 1 and each.temperature == 0 else [each]
        for part in parts:
            result.append(Job(prompt, part, index, echo))
            index += part.n
    if index > MAX_CHOICES:
        raise ApiError(IMPOSSIBLE, f"n times the number of prompts must be at most {MAX_CHOICES}.", "n")
    return result


def single(several: Sampling) -> Sampling:
    """The same for one choice."""
    return replace(several, n=1)
