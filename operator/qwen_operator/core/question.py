"""A spec as the question that the fit check answers: which GPUs, which load, which layouts are allowed.

Why it exists: `fit` knows numbers and no QwenModel. What is missing in the spec is named here, in its own words. It
must never look at what lives.
"""

from collections.abc import Iterable

from qwen_operator.core import affinity
from qwen_operator.core.fit import products
from qwen_operator.core.fit.facts import Facts
from qwen_operator.core.fit.layout import Wish
from qwen_operator.core.fit.memory import Load
from qwen_operator.core.fit.nodes import PRODUCT, Labels, memory
from qwen_operator.core.fit.verdict import Gpu
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.quantity import whole
from qwen_operator.core.resource.spec import Spec

LONGEST_CONTEXT = 200_000
"""Tokens of prompt and completion together that the server serves at most."""
UTILIZATION = 0.9
"""Of a GPU's memory, where server.gpuMemoryUtilization is not given; the server's default."""
EXPERT = {"Auto": None, "Enabled": True, "Disabled": False}
WHOLE_GPU = "nvidia.com/gpu"
"""Resource name whose GPUs are those of the node label nvidia.com/gpu.product, undivided."""


def gpus(spec: Spec) -> int:
    """GPUs of one replica: as asked, else as many as the layout asked for has, else one."""
    asked = spec.parallelism
    return spec.resources.gpus or (asked.tensor or 1) * (asked.pipeline or 1) * (asked.data or 1)


def wish(spec: Spec) -> Wish:
    """The layouts that will do."""
    asked = spec.parallelism
    return Wish(tensor=asked.tensor, pipeline=asked.pipeline, data=asked.data or 1, expert=EXPERT[asked.expert])


def load(spec: Spec, facts: Facts) -> Load:
    """What is to be held in memory."""
    asked, limit = spec.model, facts.architecture.context_limit
    return Load(
        architecture=facts.architecture,
        weights=facts.weights,
        context=min(LONGEST_CONTEXT, asked.context_length or limit),
        dtype=asked.dtype,
        cache_dtype=asked.kv_cache_dtype,
    )


def gpu(spec: Spec, nodes: Iterable[Labels]) -> Gpu | Problem:
    """One GPU, or why there is nothing to judge, whatever the model's own facts are.

    :param nodes: labels of the cluster's nodes with GPUs, as far as they are known.
    """
    if (nothing := _not_judged(spec)) is not None:
        return nothing
    size = _memory(spec, nodes)
    if size is None:
        return Reason.GPU_MEMORY_UNKNOWN.about(why=_unknown_gpu(spec))
    return Gpu(
        memory=size,
        utilization=spec.server.gpu_memory_utilization or UTILIZATION,
        headroom=float(spec.validation.headroom.removesuffix("%")) / 100,
    )


def _not_judged(spec: Spec) -> Problem | None:
    if spec.validation.fit == "Off":
        return Reason.NOT_JUDGED.about(why="spec.validation.fit is Off.")
    if spec.device == "CPU":
        return Reason.NOT_JUDGED.about(why="it is about GPUs, and spec.device is CPU.")
    if any(argument.startswith("--quantization") for argument in spec.server.args):
        return Reason.NOT_JUDGED.about(why="--quantization in server.args changes the weights while they are loaded.")
    return None


def _unknown_gpu(spec: Spec) -> str:
    asked = spec.resources
    if asked.gpu_resource_name not in (None, WHOLE_GPU):
        return f"{asked.gpu_resource_name} may be a part of a GPU."
    return f"there is no {asked.gpu_product} in the list." if asked.gpu_product else "any product will do."


def _memory(spec: Spec, nodes: Iterable[Labels]) -> int | None:
    """Bytes of one GPU: as said in the spec, else as the nodes' labels say, else as the product has."""
    asked = spec.resources
    if asked.gpu_memory is not None:
        return whole(asked.gpu_memory)
    product = {PRODUCT: asked.gpu_product} if asked.gpu_product else {}
    wanted = {**spec.scheduling.node_selector, **product}
    allowed = (node for node in nodes if affinity.allows(spec.scheduling.affinity, node))
    if told := memory(allowed, asked.gpu_resource_name or WHOLE_GPU, wanted):
        return told
    if asked.gpu_product is None or asked.gpu_resource_name not in (None, WHOLE_GPU):
        return None
    return products.memory_of(asked.gpu_product)
