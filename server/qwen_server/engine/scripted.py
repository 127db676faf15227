"""An engine without a model: exact, repeatable text, so that everything around an engine can be tried in milliseconds.

It does not tokenise as a model does (a token is a word with the white space before it), does not sample (temperature,
penalties, seed and logit_bias change nothing), and makes its logprobs up. It must never be reachable by accident: only
`--engine scripted` selects it.
"""

import asyncio
import itertools
import json
import re
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from qwen_server.engine.base import (
    Delta,
    EngineDead,
    EngineStartFailed,
    InvalidRequest,
    ModelFacts,
    Progress,
    Prompt,
    Sampling,
    Stage,
    TemplateOptions,
)
from qwen_server.engine.scripted_logprobs import made_up, of_prompt
from qwen_server.termination import Reason

WORD = re.compile(r"\s*\S+|\s+$")
VOCABULARY = 1 << 20
CONTEXT = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What the engine does. Durations are in seconds."""

    reply: str | Sequence[str] | None = None
    """Every answer's text, or those of a conversation in turn, the last one again and again.

    Without it, the last message or the prompt comes back.
    """
    chat_template: str = ""
    """What the model's template is said to be; nothing is rendered by it."""
    prompt_tail: str = ""
    """What every rendered chat is said to end with."""
    load_seconds: float = 0.0
    first_token_seconds: float = 0.0
    token_seconds: float = 0.0
    start_error: str | None = None
    """The sentence with which the start fails."""
    refusal: str | None = None
    """The sentence with which every request is refused before its first token."""
    dies_after_tokens: int | None = None
    """The engine is dead from the moment one choice has so many tokens."""


def read_script(path: Path | None) -> Script:
    """The script in a JSON file with Script's fields. Raises EngineStartFailed (InvalidArgument) for anything else."""
    try:
        return Script(**json.loads(path.read_bytes())) if path else Script()
    except (OSError, ValueError, TypeError) as error:
        known = ", ".join(each.name for each in fields(Script))
        message = f"--script {path} is no JSON object with the fields {known}."
        raise EngineStartFailed(message, Reason.INVALID_ARGUMENT) from error


def words(text: str) -> list[str]:
    """The text cut into tokens; joined again they are the text."""
    return WORD.findall(text)


def answer(script: Script, asked: str, turn: int = 0) -> str:
    """What comes back to a conversation that holds `turn` answers already."""
    replies = [script.reply] if isinstance(script.reply, str) else script.reply
    return replies[min(turn, len(replies) - 1)] if replies else asked


def token_id(word: str) -> int:
    """A number for a word, the same in every process."""
    return zlib.crc32(word.encode(errors="replace")) % VOCABULARY


def reply_words(text: str, sampling: Sampling) -> list[str]:
    """The tokens of an answer, ended by max_tokens; with `ignore_eos` the text is repeated until then."""
    tokens = words(text) or ["."]
    return list(itertools.islice(itertools.cycle(tokens) if sampling.ignore_eos else tokens, sampling.max_tokens))


def held_back(text: str, stops: Sequence[str]) -> int:
    """How many characters at the end of the text may be the beginning of a stop string."""
    return max((size for stop in stops for size in range(1, len(stop)) if text.endswith(stop[:size])), default=0)


def cut_at_stop(text: str, stops: Sequence[str]) -> int | None:
    """Where the first stop string begins."""
    return min((found for stop in stops if (found := text.find(stop)) >= 0), default=None)


def deltas(text: str, sampling: Sampling, index: int) -> list[Delta]:
    """The whole life of one choice, a delta a token: stop strings are held back and never shown."""
    tokens, seen, shown = reply_words(text, sampling), "", 0
    ends = "length" if len(tokens) == sampling.max_tokens else "stop"
    result: list[Delta] = []
    for number, word in enumerate(tokens, start=1):
        seen += word
        if (stop := cut_at_stop(seen, sampling.stop)) is not None:
            return [*result, Delta(index, seen[shown:stop], 1, "stop", made_up(word, number, index, sampling))]
        last = number == len(tokens)
        visible = len(seen) if last else len(seen) - held_back(seen, sampling.stop)
        logprobs = made_up(word, number, index, sampling)
        result.append(Delta(index, seen[shown:visible], 1, ends if last else None, logprobs))
        shown = max(shown, visible)
    return result


class ScriptedEngine:
    """An Engine that follows a Script."""

    def __init__(
        self,
        script: Script | None = None,
        context_length: int | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.script = script or Script()
        self.context_length = context_length or CONTEXT
        self.aborted: list[str] = []
        self._sleep = sleep
        self._stage = Stage.PREPARING
        self._running = 0
        self._dead = False

    async def start(self) -> ModelFacts:
        """Wait as long as the script says, then be ready or fail."""
        self._stage = Stage.LOADING
        await self._sleep(self.script.load_seconds)
        if self.script.start_error is not None:
            raise EngineStartFailed(self.script.start_error)
        self._stage = Stage.READY
        return self.facts()

    def facts(self) -> ModelFacts:
        """What it says of its model."""
        return ModelFacts(
            context_length=self.context_length,
            architecture="Scripted",
            vocabulary=VOCABULARY,
            chat_template=self.script.chat_template,
        )

    async def render_chat(self, messages: Sequence[Mapping[str, object]], options: TemplateOptions) -> Prompt:
        """All messages' words count."""
        del options  # No template, no choices.
        contents = [str(message.get("content") or "") for message in messages]
        ids = [token_id(word) for content in contents for word in words(content)]
        turn = sum(message["role"] == "assistant" for message in messages)
        return Prompt(ids, answer(self.script, contents[-1], turn), self.script.prompt_tail)

    async def render_text(self, text: str | Sequence[int], *, with_text: bool = False) -> Prompt:
        """The words of a text, or the ids as given."""
        del with_text  # It is always there.
        if isinstance(text, str):
            return Prompt([token_id(word) for word in words(text)], answer(self.script, text), text=text)
        if not all(0 <= number < VOCABULARY for number in text):
            raise InvalidRequest("prompt holds a token id that the model does not have.", "prompt")
        legible = " ".join(f"<{number}>" for number in text)
        return Prompt(list(text), answer(self.script, legible), text=legible)

    async def generate(
        self, prompt: Prompt, sampling: Sampling, request_id: str, *, stream: bool
    ) -> AsyncGenerator[Sequence[Delta], None]:
        """One token of every choice at a time; everything at the end if it is not streamed."""
        text = str(prompt.payload)
        steps = list(itertools.zip_longest(*(deltas(text, sampling, index) for index in range(sampling.n))))
        collected = of_prompt(words(prompt.text), sampling)
        finished = False
        self._running += 1
        try:
            await self._first_token()
            for number, step in enumerate(steps):
                await self._token(number)
                batch = [delta for delta in step if delta is not None]
                finished = number + 1 == len(steps)
                collected += batch
                if stream:
                    yield collected
                    collected = []
            if not stream:
                yield collected
        finally:
            self._running -= 1
            if not finished:
                self.aborted.append(request_id)

    async def _first_token(self) -> None:
        """Wait for the first token, and refuse if the script says so."""
        await self._sleep(self.script.first_token_seconds)
        if self.script.refusal is not None:
            raise InvalidRequest(self.script.refusal)

    async def _token(self, number: int) -> None:
        """Wait for one more token after `number` of them, or die."""
        if number and self.script.token_seconds:
            await self._sleep(self.script.token_seconds)
        self._dead = self._dead or number == self.script.dies_after_tokens
        await self.ping()

    async def ping(self) -> None:
        """Alive until the script lets the engine die."""
        if self._dead:
            raise EngineDead("The scripted engine died.")

    async def close(self, within: float) -> None:
        """Nothing to end."""
        del within

    def progress(self) -> Progress:
        """The stage alone: there are no weights."""
        return Progress(self._stage)

    @property
    def running(self) -> int:
        """Requests between their start and their last token."""
        return self._running

    @property
    def waiting(self) -> int:
        """Nothing ever waits."""
        return 0
