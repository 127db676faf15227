"""Memory of GPUs that are known by name.

Why it exists: `kubectl qwen fit --gpu H200` has no node to ask, and a cluster may have none up yet. It must never be
used where somebody says how much memory there is, and never take a part of a GPU for the whole.

The numbers are `memory.total` of nvidia-smi, seen on machines with error correction on; GPU feature discovery writes
the same number into the node label `nvidia.com/gpu.memory`. CUDA itself gives 0.4 % less, which the headroom covers.
"""

import re
from typing import NamedTuple

MIB = 2**20


class Product(NamedTuple):
    """One GPU."""

    name: str
    """As people write it; `kubectl qwen fit --gpu` takes it."""
    pattern: str
    """What the value of the node label `nvidia.com/gpu.product` must hold, such as NVIDIA-H100-80GB-HBM3."""
    mib: int


PRODUCTS = (
    Product("A10", r"\bA10G?\b", 23_028),
    Product("A40", r"\bA40\b", 46_068),
    Product("A100-40GB", r"\bA100\b.*\b40GB\b", 40_960),
    Product("A100-80GB", r"\bA100\b.*\b80GB\b", 81_920),
    Product("B200", r"\bB200\b", 183_359),
    Product("H20", r"\bH20\b(?!.*3E)", 97_871),
    Product("H100-NVL", r"\bH100\b.*\bNVL\b", 95_830),
    Product("H100", r"\bH100\b", 81_559),
    Product("H200", r"\bH200\b(?!.*NVL)", 143_771),
    Product("L4", r"\bL4\b", 23_034),
    Product("L40S", r"\bL40S\b", 46_068),
    Product("RTX-PRO-6000", r"\bRTX-PRO-6000\b", 97_887),
    Product("T4", r"\bT4\b", 15_360),
)
"""First match decides."""

_PART = re.compile(r"\bMIG\b|\bSHARED\b")
"""A slice of a GPU, or one whose memory several pods use."""


def memory_of(name: str) -> int | None:
    """Bytes of one GPU of this name, short or as a node label spells it; None if it is not known."""
    spelled = re.sub(r"[\s_]+", "-", name.strip().upper())
    if _PART.search(spelled):
        return None
    found = (product.mib * MIB for product in PRODUCTS if re.search(product.pattern, spelled))
    return next(found, None)
