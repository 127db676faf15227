"""The answer of `kubectl qwen fit` as a document, for scripts.

Why it exists: the words are those of `status.fit`. Bytes are bytes, and those of a layout are those of its fullest GPU.
It must never round.
"""

from typing import Any

from qwen_operator.cli.answer import Answer
from qwen_operator.core.fit.layout import Layout
from qwen_operator.core.fit.verdict import Judgement


def document(answer: Answer) -> dict[str, Any]:
    """The answer in plain values."""
    asked, facts, load = answer.asked, answer.asked.facts, answer.asked.load
    return {
        "model": asked.model,
        "architecture": facts.architecture.name,
        "parameters": facts.parameters,
        "weightsBytes": sum(facts.weights.values()),
        "weightsAreExact": facts.exact,
        "gpu": asked.gpu_name,
        "gpuMemoryBytes": asked.gpu.memory,
        "utilization": asked.gpu.utilization,
        "headroom": asked.gpu.headroom,
        "contextLength": load.context,
        "concurrency": load.concurrency,
        "gpus": answer.gpus,
        "gpusNeeded": answer.needed,
        **_judgement(answer.best),
        "layouts": [_judgement(one) for one in answer.judgements],
    }


def _judgement(one: Judgement) -> dict[str, Any]:
    return {
        "verdict": one.verdict.value,
        "reason": one.problem.reason.value,
        "message": one.problem.message,
        "layout": _layout(one.layout),
        **_sizes(one),
    }


def _layout(layout: Layout) -> dict[str, Any]:
    return {
        "tensor": layout.tensor,
        "pipeline": layout.pipeline,
        "data": layout.data,
        "expert": "Enabled" if layout.expert else "Disabled",
    }


def _sizes(one: Judgement) -> dict[str, Any]:
    sizes = one.sizes
    if sizes is None:
        return {}
    return {
        "weightsPerGPUBytes": sizes.weights,
        "overheadPerGPUBytes": sizes.overhead,
        "kvCachePerGPUBytes": sizes.kv_cache,
        "needPerGPUBytes": sizes.need,
        "havePerGPUBytes": sizes.usable,
        "kvBytesPerToken": sizes.kv_per_token,
        "largestContext": sizes.largest_context,
        "concurrentFullLength": round(sizes.requests, 2),
    }
