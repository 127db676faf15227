"""The fit check against published figures of Qwen3-Coder-480B-A35B: eight layouts, and what an engine measured.

The layouts' figures were worked out by hand from the same formula, with every byte divided by the number of GPUs. The
code copies norms and routers to every GPU, as the engine does, which is 0.12 GiB more: hence the tolerance.
"""

from typing import Any, NamedTuple

import pytest

from qwen_operator.core.fit import measured
from qwen_operator.core.fit.facts import facts
from qwen_operator.core.fit.layout import Layout
from qwen_operator.core.fit.measured import Measured
from qwen_operator.core.fit.memory import GIB, Load, kv_per_token
from qwen_operator.core.fit.verdict import Gpu, Judgement, Verdict, judgement
from qwen_operator.core.problems import Reason
from tests.checkpoints import QWEN3_CODER_480B, quantized, tensors

TOLERANCE = 0.2
"""GiB a GPU: rounding of the published figures, and what is copied rather than divided."""

BF16 = facts(QWEN3_CODER_480B, list(tensors(QWEN3_CODER_480B)))
FP8 = facts(quantized(QWEN3_CODER_480B), list(tensors(quantized(QWEN3_CODER_480B))))

H100, H200, H20 = (int(gib * GIB) for gib in (79.6, 140.4, 139.8))
"""Memory of a GPU in the published cases; H20 is what the measurement's own two runs say (141 GB)."""

TENSOR_8_EXPERTS = Layout(8, expert=True)
DATA_8_EXPERTS = Layout(data=8, expert=True)


def load(of: Any = FP8, **more: Any) -> Load:
    """The headline model with 200,000 tokens, one request."""
    return Load(architecture=of.architecture, weights=of.weights, **({"context": 200_000} | more))


def judged(of: Any, memory: int, layout: Layout, utilization: float = 0.9, **more: Any) -> Judgement:
    """The verdict on a layout."""
    return judgement(load(of, **more), Gpu(memory=memory, utilization=utilization), layout)


class Case(NamedTuple):
    """A published layout and what was said of it."""

    judged: Judgement
    weights: float
    """GiB on a GPU."""
    free: float
    """GiB left for the KV cache on a GPU."""
    requests: float
    """Of 200,000 tokens at the same time."""
    verdict: Verdict


CASES = {
    "FP8 on 8 H100, TP8 + EP: fits, tight": Case(judged(FP8, H100, TENSOR_8_EXPERTS), 56.1, 10.4, 1.8, Verdict.TIGHT),
    "the same with an FP8 cache: room for 3.5 requests": Case(
        judged(FP8, H100, TENSOR_8_EXPERTS, cache_dtype="FP8"), 56.1, 10.4, 3.5, Verdict.FITS
    ),
    "the same at utilization 0.84: refused": Case(
        judged(FP8, H100, TENSOR_8_EXPERTS, 0.84), 56.1, 5.6, 0.95, Verdict.DOES_NOT_FIT
    ),
    "FP8 on 8 H200, TP8 + EP: comfortable": Case(judged(FP8, H200, TENSOR_8_EXPERTS), 56.1, 65, 11, Verdict.FITS),
    "BF16 on 8 H200, TP8 + EP: tight": Case(judged(BF16, H200, TENSOR_8_EXPERTS), 111.8, 6.7, 1.1, Verdict.TIGHT),
    "FP8 on 4 H200, TP4: refused": Case(judged(FP8, H200, Layout(4)), 112.3, 6.2, 0.5, Verdict.DOES_NOT_FIT),
    "FP8 on 8 H20 as measured, DP8 + EP: barely": Case(
        judged(FP8, H20, DATA_8_EXPERTS), 67.4, 48.66, 8 * 48.66 / 47.30, Verdict.TIGHT
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_published_layout_gets_its_published_verdict(case: Case) -> None:
    """One of Fits, Tight and DoesNotFit."""
    assert case.judged.verdict is case.verdict


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_published_layout_comes_to_its_published_figures(case: Case) -> None:
    """Weights and what is left for the KV cache, and with that the requests at the same time."""
    sizes = case.judged.sizes

    assert sizes is not None
    assert sizes.weights / GIB == pytest.approx(case.weights, abs=TOLERANCE)
    assert sizes.free / GIB == pytest.approx(case.free, abs=max(TOLERANCE, 0.01 * case.free))
    assert sizes.requests == pytest.approx(case.requests, rel=0.04)


def test_eight_ways_through_an_expert_cut_a_quantization_block() -> None:
    """2560 / 8 = 320 is not a multiple of 128; the sentence says so, and that whole experts are the remedy."""
    refused = judged(FP8, H200, Layout(8))

    assert refused.verdict is Verdict.DOES_NOT_FIT
    assert refused.problem.reason is Reason.QUANTIZATION_BLOCK_NOT_DIVISIBLE
    assert "2560 over 8 GPUs is 320" in refused.problem.message
    assert "parallelism.expert to Enabled" in refused.problem.message


def test_four_gpus_would_do_for_about_half_the_context() -> None:
    """104,000 tokens by hand; 0.12 GiB of copies cost a hundredth of them."""
    sizes = judged(FP8, H200, Layout(4)).sizes

    assert sizes is not None
    assert sizes.largest_context == pytest.approx(104_000, rel=0.01)


def test_parameters_are_counted_to_the_last_one() -> None:
    """480.15 billion, in either type: scales are none."""
    assert BF16.parameters == FP8.parameters == 480_154_875_392


def test_all_weights_come_to_the_size_of_the_published_files() -> None:
    """894 GiB in bfloat16; 482 GB in FP8."""
    assert sum(BF16.weights.values()) / GIB == pytest.approx(894.4, abs=0.05)
    assert sum(FP8.weights.values()) / 1e9 == pytest.approx(482, abs=0.2)


def test_a_token_keeps_248_kib() -> None:
    """2 x 62 layers x 8 heads x 128 x 2 bytes."""
    assert kv_per_token(load(), Layout()) == 248 * 1024


def test_the_models_whole_context_keeps_what_the_engine_printed() -> None:
    """62.00 GiB for 262,144 tokens, to the byte."""
    sizes = judged(FP8, H200, DATA_8_EXPERTS, context=262_144).sizes

    assert sizes is not None
    assert sizes.kv_cache == 62 * GIB


def test_two_hundred_thousand_tokens_keep_47_30_gib() -> None:
    """On a rank of data parallelism, which splits no heads."""
    sizes = judged(FP8, H200, DATA_8_EXPERTS).sizes

    assert sizes is not None
    assert sizes.kv_cache / GIB == pytest.approx(47.30, abs=0.005)


@pytest.mark.parametrize(("utilization", "left"), [(0.90, 48.66), (0.95, 55.65)])
def test_what_is_left_is_within_one_percent_of_what_an_engine_measured(utilization: float, left: float) -> None:
    """DP8 + EP on H20, two runs of one report."""
    sizes = judged(FP8, H20, DATA_8_EXPERTS, utilization).sizes

    assert sizes is not None
    assert sizes.free / GIB == pytest.approx(left, rel=0.01)


def test_the_largest_context_is_within_one_percent_of_what_the_engine_advised() -> None:
    """It said 205,728 tokens."""
    sizes = judged(FP8, H20, DATA_8_EXPERTS).sizes

    assert sizes is not None
    assert sizes.largest_context == pytest.approx(205_728, rel=0.01)


def test_a_measured_start_corrects_the_next_estimate_exactly() -> None:
    """From the cache of the run at 0.90, what the run at 0.95 had left is known to a hundredth of a GiB."""
    cache = Measured(cache_tokens=round(48.66 * GIB / (248 * 1024)))
    seen = measured.overhead(load(), Gpu(memory=H20), DATA_8_EXPERTS, cache)

    corrected = judgement(load(), Gpu(memory=H20, utilization=0.95), DATA_8_EXPERTS, overhead=seen).sizes

    assert corrected is not None
    assert corrected.free / GIB == pytest.approx(55.65, abs=0.01)
