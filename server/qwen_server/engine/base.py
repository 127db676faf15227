"""The engine as the rest of the server sees it, so that vLLM has one door and every test an exact stand-in.

It must never import an engine, know HTTP, or hold anything longer than one call.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from qwen_server.termination import Reason


class Stage(StrEnum):
    """How far a starting engine has come."""

    PREPARING = "preparing"
    LOADING = "loading weights"
    WARMING = "warming up"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Progress:
    """A true measure of the load, never a clock. Bytes are of weights; `bytes_total` is None while unknown."""

    stage: Stage
    bytes_done: int = 0
    bytes_total: int | None = None
    error: str | None = None
    """What one of the engine's processes has reported while it loads, in one line."""

    @property
    def percent(self) -> float | None:
        """How much of the weights is loaded; None while their size is unknown."""
        return round(100 * self.bytes_done / self.bytes_total, 1) if self.bytes_total else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What a loaded engine knows of its model. `context_length` counts prompt and completion together, in tokens."""

    context_length: int
    architecture: str
    dtype: str = "auto"
    vocabulary: int | None = None
    chat_template: str = ""
    """The model's own chat template; empty where it has none."""
    cache_tokens: int | None = None
    """Tokens that the KV cache of one data-parallel rank holds; None where the engine does not say."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A rendered prompt: its tokens, and what the engine that rendered it wants back (opaque to everyone else)."""

    token_ids: Sequence[int]
    payload: object = None
    tail: str = ""
    """The text of the last few tokens of a rendered chat: whether the template has opened the reasoning shows there."""
    text: str = ""
    """The whole prompt as text, where the caller wanted it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateOptions:
    """What may reach the model's chat template. A template itself never comes from a request."""

    tools: Sequence[Mapping[str, object]] = ()
    arguments: Mapping[str, object] = field(default_factory=dict)
    add_generation_prompt: bool = True
    size: int = 0
    """Bytes of the body that they came in, which tell light work from heavy."""


@dataclass(frozen=True, slots=True)
class Preface:
    """Free text that may stand before a held answer, between two marks; `opened`: the prompt has written the first."""

    begin: str
    end: str
    opened: bool
    never: tuple[str, ...] = ()
    """What the text must not hold."""


@dataclass(frozen=True, slots=True)
class OutputSchema:
    """A JSON schema that the text behind the preface must obey, and the request's parameter that it came from."""

    json: Mapping[str, object]
    param: str
    preface: Preface | None = None
    instead: tuple[str, str] | None = None
    """Marks: free text between them, once or more often, may be said in the place of the JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How to sample. None means the model's own default (generation_config.json), then the engine's.

    `max_tokens` is always given and always fits the context. `n > 1` never comes with `temperature == 0`: the caller
    fans such a request out. `logprobs` is the number of alternatives for each token (0: the chosen token alone);
    `prompt_logprobs` wants as many for the prompt's tokens.
    """

    max_tokens: int
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repetition_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    n: int = 1
    logprobs: int | None = None
    prompt_logprobs: bool = False
    logit_bias: Mapping[int, float] | None = None
    ignore_eos: bool = False
    min_tokens: int = 0
    schema: OutputSchema | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
    """For the engine's own test executors and later features (structured output); empty in ordinary requests."""


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """One token's text with its natural-log probability, and the alternatives asked for.

    The prompt's first token has no probability: nothing comes before it.
    """

    token: str
    logprob: float | None
    top: tuple["TokenLogprob", ...] = ()


@dataclass(slots=True)
class Delta:
    """What one engine step, or a few, add to one choice. Not frozen: that would triple the time it takes to make one.

    `text` may be empty (a held-back stop string, half a character). `tokens` counts generated tokens.
    `finish_reason` is "stop", "length" or "abort" in the last delta of a choice, else None.
    """

    index: int
    text: str
    tokens: int
    finish_reason: str | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None


class EngineError(Exception):
    """Whatever an engine reports of its own accord."""


class EngineStartFailed(EngineError):  # noqa: N818 - names what happened
    """The engine will not come up; `reason` and the message (one sentence with the remedy) go to the operator."""

    def __init__(self, message: str, reason: Reason = Reason.ENGINE_START_FAILED) -> None:
        super().__init__(message)
        self.reason = reason


class EngineDead(EngineError):  # noqa: N818 - names what happened
    """The engine is gone for good; the process has to end."""


class InvalidRequest(EngineError):  # noqa: N818 - names what happened
    """Only the engine could judge this request, and refuses it. `param` is the caller's name of the field.

    The message is one sentence for the caller, without any of the caller's content.
    """

    def __init__(self, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code


class Engine(Protocol):
    """One loaded model. All methods run in the server's event loop and must not block it."""

    async def start(self) -> ModelFacts:
        """Load and warm up. Raises EngineStartFailed. Minutes may pass; the loop keeps answering meanwhile."""

    async def render_chat(self, messages: Sequence[Mapping[str, object]], options: TemplateOptions) -> Prompt:
        """Messages (OpenAI's shape, plain dictionaries) through the model's template. Raises InvalidRequest."""

    async def render_text(self, text: str | Sequence[int], *, with_text: bool = False) -> Prompt:
        """A text, or ready token ids, as a prompt. Raises InvalidRequest (also for ids outside of the vocabulary).

        :param with_text: the prompt's `text` is wanted, which costs something where only ids are given.
        """

    def generate(
        self, prompt: Prompt, sampling: Sampling, request_id: str, *, stream: bool
    ) -> AsyncGenerator[Sequence[Delta], None]:
        """Yield deltas as they come; with `stream=False` one batch at the end is enough.

        Closing the generator, or cancelling the task that waits on it, aborts the request within 0.2 s. Raises
        InvalidRequest before the first output, EngineDead at any time. Every choice ends with a finish_reason.
        With `prompt_logprobs` the first delta of all is the prompt's: its logprobs, no text and no generated token.
        """

    async def ping(self) -> None:
        """A round trip through the engine's core. Raises EngineDead; hangs when the engine hangs (bound it)."""

    async def close(self, within: float) -> None:
        """End the engine and its processes within so many seconds. May be called before or during start, and twice."""

    def progress(self) -> Progress:
        """How far the load is; cheap, may be called at any time."""

    @property
    def running(self) -> int:
        """Requests that are being computed."""

    @property
    def waiting(self) -> int:
        """Requests that wait in the engine's queue."""
