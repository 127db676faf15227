"""vLLM's engine without a model: its own scheduler, KV cache manager and output processing, scripted tokens.

It does not compute: no logits, so no logprobs, no sampling parameters (temperature, penalties, seed, bias), no grammar.
It does not survive preemption, speculative decoding, LoRA, pipeline parallelism or data parallelism.

A request carries its script in `Sampling.extra`: "script" (the token ids to give out, then the end token), "again"
(true: from the start once more, without end) and "pause" (seconds of a step in which it takes part). Where it has none,
the JSON file that NULL_ENGINE_SCRIPT names holds the same: requests over HTTP can carry none.
"""

import json
import os
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from vllm.platforms import current_platform
from vllm.v1.executor.abstract import Executor
from vllm.v1.kv_cache_interface import FullAttentionSpec
from vllm.v1.outputs import ModelRunnerOutput

from hack.weights.tiny import token_id

END = token_id("<|im_end|>")
SCRIPT = "NULL_ENGINE_SCRIPT"
"""Environment variable."""
KV_BYTES = 1 << 28
ANSWERS: dict[str, Any] = {
    "get_supported_kv_cache_layouts": [["LBHNC", "LBNHC"]],
    "determine_available_memory": [KV_BYTES],
    "get_supported_tasks": [("generate",)],
    "compile_or_warm_up_model": [],
}
"""What a worker would answer; anything else is answered with None."""


@dataclass
class Running:
    """One request in the scheduler's running list."""

    prompt: int
    computed: int
    script: list[int]
    again: bool
    pause: float
    given: int = field(default=0)

    def token(self) -> int:
        """The next token of the script."""
        position, self.given = self.given, self.given + 1
        if self.again:
            return self.script[position % len(self.script)]
        return self.script[position] if position < len(self.script) else END


def script_of_all() -> dict[str, Any]:
    """What requests follow that bring no script; read for each, so that it may change."""
    path = os.environ.get(SCRIPT)
    found: dict[str, Any] = json.loads(Path(path).read_bytes()) if path else {}
    return found


def admitted(request: Any) -> Running:
    """A request that the scheduler has just let in."""
    extra = (request.sampling_params.extra_args if request.sampling_params else None) or script_of_all()
    return Running(
        len(request.prompt_token_ids),
        request.num_computed_tokens,
        list(extra.get("script", ())),
        bool(extra.get("again")),
        float(extra.get("pause", 0.0)),
    )


class NullExecutor(Executor):  # type: ignore[misc]
    """The executor: named by its path in `distributed_executor_backend`."""

    running: dict[str, Running]

    def _init_executor(self) -> None:
        self.running = {}
        current_platform.update_block_size_for_backend(self.vllm_config)

    def collective_rpc(self, method: Any, *_: Any, non_block: bool = False, **__: Any) -> Any:
        """Answer for the workers that do not exist."""
        if method == "get_kv_cache_spec":
            size = self.cache_config.block_size
            spec = FullAttentionSpec(block_size=size, num_kv_heads=2, head_size=32, dtype=torch.bfloat16)
            return settled([{"model.layers.0.self_attn.attn": spec}], non_block)
        return settled(ANSWERS.get(str(method), [None]), non_block)

    def execute_model(self, scheduler_output: Any, non_block: bool = False) -> Any:
        """One step: every scheduled request whose prompt is in gets its next token."""
        for finished in scheduler_output.finished_req_ids:
            self.running.pop(finished, None)
        for request in scheduler_output.scheduled_new_reqs:
            self.running[request.req_id] = admitted(request)
        scheduled = scheduler_output.num_scheduled_tokens
        tokens = [self.step(name, count) for name, count in scheduled.items()]
        time.sleep(max((self.running[name].pause for name in scheduled), default=0.0))
        order = {name: index for index, name in enumerate(scheduled)}
        result = ModelRunnerOutput(req_ids=list(scheduled), req_id_to_index=order, sampled_token_ids=tokens)
        return settled(result, non_block)

    def step(self, name: str, count: int) -> list[int]:
        """The token that a request gets in this step; none while its prompt is still being read."""
        state = self.running[name]
        state.computed += count
        return [state.token()] if state.computed >= state.prompt + state.given else []

    def take_draft_token_ids(self) -> None:
        """No speculation."""

    def execute_dummy_batch(self) -> None:
        """Nothing to keep in step with."""

    def check_health(self) -> None:
        """Always well."""

    def shutdown(self) -> None:
        """Nothing to end."""


def settled(value: Any, non_block: bool) -> Any:
    """The value, or a future that has it already."""
    if not non_block:
        return value
    future: Future[Any] = Future()
    future.set_result(value)
    return future
