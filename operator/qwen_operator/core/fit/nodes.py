"""The memory of a GPU, from what the nodes' labels say.

Why it exists: GPU feature discovery knows it, slices of a GPU included, and a list of products never can. It must never
take the memory of a node that could not run the model.
"""

from collections.abc import Iterable, Mapping

from qwen_operator.core.fit.products import MIB

Labels = Mapping[str, str]
"""Labels of a node."""

PRODUCT = "nvidia.com/gpu.product"
SHARERS = "nvidia.com/gpu.replicas"
"""Pods that share one GPU by time-slicing, and all of its memory: what one of them gets is not known."""


def memory(nodes: Iterable[Labels], resource: str, wanted: Labels) -> int | None:
    """Bytes of the smallest GPU on the nodes that would do, or None if none of them tells.

    :param resource: name under which the GPU is offered: the label is called like it, with `.memory` behind, in MiB.
    :param wanted: labels that a node must have.
    """
    told = (_memory(node, resource) for node in nodes if wanted.items() <= node.items())
    return min((size for size in told if size), default=None)


def _memory(node: Labels, resource: str) -> int:
    size = node.get(f"{resource}.memory", "")
    shared = node.get(SHARERS, "1") not in ("", "0", "1")
    return int(size) * MIB if size.isdecimal() and not shared else 0
