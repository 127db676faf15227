"""Everything up to a running `AsyncLLM`: vLLM imported, configured for the model, its processes started.

Runs in a thread of its own, because vLLM's constructors block for as long as a model loads. It must never be imported
by anything but the engine, and imports vLLM only inside of functions, after the environment is set.
"""

import contextlib
import gc
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing import active_children
from pathlib import Path
from shutil import rmtree
from signal import SIGINT
from typing import Any

from qwen_server.engine import environment, failure, model_folder, progress
from qwen_server.engine.arguments import context_length, cpu_cache_bytes, engine_arguments
from qwen_server.engine.base import EngineStartFailed, ModelFacts
from qwen_server.engine.forkserver import ForkServer, abandon, blocked
from qwen_server.engine.version import installed_version, is_tested
from qwen_server.journal import Journal
from qwen_server.settings import Device, EngineSettings
from qwen_server.termination import Reason

GRAMMARS = "xgrammar"
"""What holds answers to schemas: one for all. vLLM's `auto` keeps the first it used and lets it pass over what another
would have enforced (docs/decisions/0006)."""
YOUNG_OBJECTS = 10_000
"""Objects that come before the garbage collector looks at the young ones. Python's 700 come with every request, so that
it looked again and again at what 128 requests hold: 8 % of the CPU that their intake takes."""
STOCK = "QWEN_SERVER_STOCK_START"
"""Environment variable; 1 starts vLLM's processes in vLLM's own, slower way."""


@dataclass(slots=True)
class Startup:
    """One start of one engine."""

    settings: EngineSettings
    journal: Journal
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of AsyncEngineArgs, which no flag offers."""
    stat_loggers: Callable[[], list[Any]] = list
    folder: Path = field(init=False)
    fork_server: ForkServer | None = None
    cancelled: bool = False

    def __post_init__(self) -> None:
        self.folder = environment.prepare(self.settings.device)
        of = self.settings
        progress.make(self.weights, of.tensor_parallel_size * of.pipeline_parallel_size * of.data_parallel_size)

    @property
    def weights(self) -> Path:
        """The count of loaded bytes."""
        return self.folder / environment.WEIGHTS

    @property
    def failures(self) -> Path:
        """The errors of vLLM's processes."""
        return self.folder / environment.FAILURES

    def begin(self) -> None:
        """Start the fork server, first of all, so that its imports run beside ours."""
        if is_tested(installed_version()) and os.environ.get(STOCK) != "1":
            self.fork_server = ForkServer()
            self.fork_server.start(self.settings.device, architectures(self.settings.model))

    def run(self) -> tuple[Any, ModelFacts]:
        """Import, configure, load; returns the AsyncLLM. Blocks. Raises EngineStartFailed."""
        reason = Reason.INVALID_ARGUMENT
        try:
            config = self.configured()
            reason = Reason.ENGINE_START_FAILED
            self.choose_processes()
            return self.loaded(config), facts(config)
        except EngineStartFailed:
            raise
        except Exception as error:  # whatever it is, it becomes one sentence
            general = Reason.ENGINE_START_FAILED if isinstance(error, ImportError) else reason
            raise failure.explained(error, self.failures, general, loaded=self.weights_are_read()) from error

    def weights_are_read(self) -> bool:
        """Whether every worker has read all weights."""
        return 0 < (model_folder.weight_bytes(self.settings.model) or 0) <= progress.bytes_done(self.weights)

    def configured(self) -> Any:
        """vLLM's configuration for this model. Resolving the architecture takes 8 to 10 s without a primed cache."""
        from vllm.config import StructuredOutputsConfig
        from vllm.config.logging import LoggingConfig
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.usage.usage_lib import UsageContext

        self.check_device()
        logging = LoggingConfig(pylogging_config_file=str(self.folder / environment.LOGGING))
        held = StructuredOutputsConfig(backend=GRAMMARS)
        own: dict[str, Any] = {"logging_config": logging, "structured_outputs_config": held}
        arguments = AsyncEngineArgs(**engine_arguments(self.settings) | own | dict(self.more))
        model = arguments.create_model_config()
        arguments.max_model_len = context_length(self.settings.max_model_len, model.max_model_len, self.settings.device)
        if self.settings.device is Device.CPU:
            arguments.kv_cache_memory_bytes = self.cpu_cache(model, arguments.max_model_len)
        return arguments.create_engine_config(UsageContext.OPENAI_API_SERVER)

    def check_device(self) -> None:
        """Raises EngineStartFailed when vLLM computes elsewhere than asked."""
        from vllm.platforms import current_platform

        if current_platform.is_cpu() != (self.settings.device is Device.CPU):
            remedy = (
                "use the CPU image for --device cpu"
                if self.settings.device is Device.CPU
                else "no GPU is visible to vLLM; check the node's driver and the image, or ask for --device cpu"
            )
            message = f"--device {self.settings.device} does not fit this installation of vLLM; {remedy}."
            raise EngineStartFailed(message, Reason.INVALID_ARGUMENT)

    def cpu_cache(self, model: Any, context: int) -> int | None:
        """Bytes for the KV cache; without a number vLLM takes a share of the whole node. None leaves it to vLLM."""
        from vllm.utils.cpu_resource_utils import get_memory_node_info

        if model.is_hybrid or model.use_mla:
            return None
        width = model.get_total_num_kv_heads() * model.get_head_size() * model.dtype.itemsize
        tokens = 2 * model.get_total_num_hidden_layers() * width
        available = get_memory_node_info(0).available_memory
        weights = model_folder.weight_bytes(self.settings.model) or 0
        return cpu_cache_bytes(tokens, context, available, self.settings.gpu_memory_utilization, weights)

    def choose_processes(self) -> None:
        """Use the fork server if it proves good, else say so and leave vLLM its own way."""
        if self.fork_server is None:
            return
        objection = self.fork_server.objection()
        if objection is None:
            self.fork_server.install(self.weights)
            return
        self.fork_server = None
        self.journal.note("slow start", "warning", why=objection)

    def loaded(self, config: Any) -> Any:
        """The running engine. Blocks until all weights are in."""
        from vllm.usage.usage_lib import UsageContext
        from vllm.v1.engine.async_llm import AsyncLLM

        self.give_up_if_cancelled()
        with blocked(SIGINT):  # Ctrl-C in a terminal goes to every process of the group; children inherit the mask
            llm = AsyncLLM.from_vllm_config(
                config,
                usage_context=UsageContext.OPENAI_API_SERVER,
                stat_loggers=self.stat_loggers(),
                enable_log_requests=False,
            )
        self.give_up_if_cancelled(llm)
        return llm

    def give_up_if_cancelled(self, llm: Any = None) -> None:
        """Raise EngineStartFailed when the server was asked to stop meanwhile."""
        if self.cancelled:
            if llm is not None:
                llm.shutdown(timeout=0)
            raise EngineStartFailed("The start was given up.")

    def finish(self) -> None:
        """Forget what was only needed to start: from now on no error is recorded."""
        rmtree(self.folder, ignore_errors=True)

    def cancel(self) -> None:
        """Give up a start that is under way: without its children vLLM's constructor returns with an error."""
        self.cancelled = True
        for child in active_children():
            child.kill()
        if self.fork_server is not None:
            abandon()
        self.finish()


def settle() -> None:
    """Take what a start leaves, half a million objects that stay, out of the garbage collector's sight."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


def architectures(model: Path) -> list[str]:
    """What config.json names, so that the fork server can import it."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return [str(name) for name in json.loads((model / "config.json").read_bytes()).get("architectures") or ()]
    return []


def facts(config: Any) -> ModelFacts:
    """What the configuration says of the model; the engine's core writes the size of its cache into it."""
    model = config.model_config
    return ModelFacts(
        context_length=model.max_model_len,
        architecture=str(model.architecture),
        dtype=str(model.dtype).removeprefix("torch."),
        vocabulary=model.get_vocab_size(),
        cache_tokens=config.cache_config.kv_cache_size_tokens,
    )
