"""vLLM's AsyncLLM as the server's engine: the one door to vLLM.

It must never log, keep or echo content, speak HTTP, or block the event loop. vLLM is imported when the engine starts,
in the thread that starts it, so that probes are answered meanwhile.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from prometheus_client import CollectorRegistry

from qwen_server.engine import decoding, failure, model_folder, progress
from qwen_server.engine.base import (
    Delta,
    EngineDead,
    EngineError,
    EngineStartFailed,
    InvalidRequest,
    ModelFacts,
    Progress,
    Prompt,
    Sampling,
    Stage,
    TemplateOptions,
)
from qwen_server.engine.gathering import EACH_UP_TO, Gatherer
from qwen_server.engine.roundtrip import answered
from qwen_server.engine.startup import Startup, settle
from qwen_server.engine.statistics import VllmMetrics, statistics_logger
from qwen_server.engine.threads import in_thread
from qwen_server.engine.version import check_device, check_version, computes_on_cpu_only, installed_version
from qwen_server.journal import Journal
from qwen_server.settings import EngineSettings

DEAD = "The engine's process died; the server restarts."
WARM_UP_TOKENS = 2
"""One step that reads the prompt, and one that continues it."""


class VllmEngine:
    """One model on vLLM."""

    def __init__(
        self,
        settings: EngineSettings,
        registry: CollectorRegistry,
        *,
        journal: Journal | None = None,
        more: Mapping[str, Any] | None = None,
        each_up_to: int = EACH_UP_TO,
    ) -> None:
        """Refuse at once what cannot be served. Raises EngineStartFailed.

        :param more: arguments of AsyncEngineArgs that no flag offers.
        :param each_up_to: how many streams get each token in a chunk of its own.
        """
        model_folder.check(settings.model, needs_weights=settings.arguments.load_format != "dummy")
        check_version(installed_version(), os.environ)
        check_device(settings.device, cpu_only=computes_on_cpu_only())
        self._journal = journal or Journal()
        self._statistics = VllmMetrics(registry)
        self._settings = settings
        self._startup: Startup | None = Startup(settings, self._journal, more or {}, self._stat_loggers)
        self._bytes_total = model_folder.weight_bytes(settings.model)
        self._stage = Stage.PREPARING
        self._gatherer = Gatherer(each_up_to)
        self._llm: Any = None
        self._words: Any = None
        self._rendering: Any = None
        self._defaults: Mapping[str, Any] = {}

    def _stat_loggers(self) -> list[Any]:
        """vLLM's hook for statistics of its scheduler."""
        return [statistics_logger(self._statistics)]

    async def start(self) -> ModelFacts:
        """Load in a thread, then let the model say one token."""
        startup = self._startup
        if startup is None:
            raise EngineStartFailed("The engine was closed before it was started.")
        startup.begin()
        facts: ModelFacts
        self._llm, facts = await in_thread(startup.run)
        facts = self._acquainted(facts)
        self._stage = Stage.WARMING
        await self._warm_up()
        startup.finish()
        settle()
        self._startup = None
        self._stage = Stage.READY
        return facts

    def _acquainted(self, facts: ModelFacts) -> ModelFacts:
        """Take what the loaded engine offers; the facts with what only it knows. Its modules are imported by now."""
        from vllm import envs

        from qwen_server.engine import translation
        from qwen_server.engine.rendering import rendering

        self._words = translation
        self._rendering = rendering(self._llm.renderer, facts.context_length)
        self._defaults = self._llm.model_config.get_diff_sampling_param()
        decoding.install()
        self._statistics.register()
        why = self._gatherer.install(self._llm.engine_core)
        if why is not None:
            self._journal.note("every token alone", "warning", why=why)
        envs.enable_envs_cache()  # the front end asks os.environ for each token otherwise
        return replace(facts, chat_template=self._rendering.template())

    async def _warm_up(self) -> None:
        """One greedy answer, so that nothing is imported, compiled or allocated under the first client's eyes."""
        prompt = await self.render_text([0])
        with contextlib.suppress(InvalidRequest):  # a model without a chat template
            await self.render_chat([{"role": "user", "content": "."}], TemplateOptions())
        sampling = Sampling(max_tokens=WARM_UP_TOKENS, temperature=0.0, ignore_eos=True)
        try:
            async for _ in self.generate(prompt, sampling, "warm-up", stream=False):
                pass
        except EngineError as error:
            raise EngineStartFailed(
                f"The loaded model gives no token ({type(error).__name__}); see the log."
            ) from error

    async def render_chat(self, messages: Sequence[Mapping[str, object]], options: TemplateOptions) -> Prompt:
        """Messages through the model's template and tokenizer, in the renderer's own threads."""
        prompt: Prompt = await self._rendering.chat(messages, options)
        return prompt

    async def render_text(self, text: str | Sequence[int], *, with_text: bool = False) -> Prompt:
        """A text through the tokenizer, or ids as they are."""
        prompt: Prompt = await self._rendering.text(text, with_text=with_text)
        return prompt

    async def generate(
        self, prompt: Prompt, sampling: Sampling, request_id: str, *, stream: bool
    ) -> AsyncGenerator[Sequence[Delta], None]:
        """vLLM's outputs as deltas. Equal greedy choices are computed once."""
        from vllm.exceptions import VLLMClientError
        from vllm.v1.engine.exceptions import EngineDeadError

        words, asked, of_prompt = self._words, sampling.logprobs, sampling.prompt_logprobs
        with self._gatherer.counted() if stream else contextlib.nullcontext():
            try:
                times = words.copies(sampling, self._defaults)
                params = await self._params(sampling, stream=stream)
                async with contextlib.aclosing(self._llm.generate(prompt.payload, params, request_id)) as outputs:
                    async for output in outputs:
                        found = words.repeated([words.delta(each, asked) for each in output.outputs], times)
                        if of_prompt:  # vLLM forgets them behind the first output
                            of_prompt, first = False, self._rendering.word(prompt.token_ids[0])
                            found = [words.of_prompt(output, prompt.token_ids, first, asked), *found]
                        yield found
            except EngineDeadError:
                raise EngineDead(DEAD) from None
            except (VLLMClientError, ValueError) as error:
                raise words.refusal(error, sampling.schema) from None

    async def _params(self, sampling: Sampling, *, stream: bool) -> Any:
        """vLLM's parameters. To look at a schema takes 20 ms for 1,000 properties, and seconds for some patterns."""
        words = self._words
        if sampling.schema is None:
            return words.sampling_params(sampling, self._defaults, stream=stream)
        processor, defaults = self._llm.input_processor, self._defaults
        return await asyncio.to_thread(lambda: words.verified_params(sampling, defaults, processor, stream=stream))

    async def ping(self) -> None:
        """Ask the engine core whether its scheduler is paused: 0.5 ms, and only a living loop answers."""
        from vllm.v1.engine.exceptions import EngineDeadError

        llm = self._llm
        if llm is None or llm.errored:
            raise EngineDead(DEAD)
        try:
            if not await answered(llm.is_paused(), lambda: llm.errored):
                raise EngineDead(DEAD)
        except EngineDeadError:
            raise EngineDead(DEAD) from None

    async def close(self, within: float) -> None:
        """End vLLM's processes, by force after `within` seconds."""
        startup, self._startup = self._startup, None
        llm, self._llm = self._llm, None
        logging.getLogger("vllm").setLevel(logging.CRITICAL)  # it reports the end that we bring about as a failure
        if startup is not None:
            startup.cancel()
        if llm is not None:
            await in_thread(lambda: llm.shutdown(timeout=within))

    def progress(self) -> Progress:
        """The stage, and the bytes that the engine's workers have read."""
        startup = self._startup
        if self._stage is Stage.PREPARING and startup is not None:
            done, error = progress.bytes_done(startup.weights), failure.first_cause(startup.failures)
            return Progress(Stage.LOADING if done else Stage.PREPARING, done, self._bytes_total, error)
        return Progress(self._stage, self._bytes_total or 0, self._bytes_total)

    @property
    def running(self) -> int:
        """Requests in the engine that do not wait."""
        unfinished = 0 if self._llm is None else int(self._llm.get_num_unfinished_requests())
        return max(0, unfinished - self.waiting)

    @property
    def waiting(self) -> int:
        """Requests in the scheduler's queue, after its latest step."""
        return self._statistics.waiting
