"""Will it fit: split rules, layouts that are ruled out, the choice among the others."""

from dataclasses import replace
from typing import Any

import pytest

from qwen_operator.core.fit import choice, nodes, products
from qwen_operator.core.fit.architecture import Unsupported, architecture
from qwen_operator.core.fit.facts import facts
from qwen_operator.core.fit.layout import Layout, Wish, layouts, obstacle
from qwen_operator.core.fit.memory import GIB, Load, kv_cache, kv_per_token, state_per_request, weights_of_a_gpu
from qwen_operator.core.fit.tensors import Split, Tensor, loaded, parameters, split, weights
from qwen_operator.core.fit.verdict import Gpu, Verdict, judgement
from qwen_operator.core.problems import Reason
from tests.checkpoints import QWEN3_8B, QWEN3_CODER_480B, Config, quantized, tensors

QWEN3_NEXT: Config = {
    "architectures": ["Qwen3NextForCausalLM"],
    "num_hidden_layers": 48,
    "full_attention_interval": 4,
    "num_attention_heads": 16,
    "num_key_value_heads": 2,
    "head_dim": 256,
    "hidden_size": 2048,
    "max_position_embeddings": 262_144,
    "num_experts": 512,
    "num_experts_per_tok": 10,
    "moe_intermediate_size": 512,
    "shared_expert_intermediate_size": 512,
}
A100 = Gpu(memory=81_920 * 2**20)


def load(config: Config = QWEN3_8B, **more: Any) -> Load:
    """A model with 32,768 tokens, one request."""
    known = facts(config, list(tensors(config)))
    return Load(architecture=known.architecture, weights=known.weights, **({"context": 32_768} | more))


SPLITS = {
    "model.embed_tokens.weight": Split.EMBEDDING,
    "lm_head.weight": Split.HEAD,
    "model.norm.weight": Split.COPY,
    "model.layers.0.input_layernorm.weight": Split.COPY,
    "model.layers.0.self_attn.q_proj.weight": Split.DENSE,
    "model.layers.0.self_attn.q_proj.weight_scale_inv": Split.DENSE,
    "model.layers.0.self_attn.q_norm.weight": Split.COPY,
    "model.layers.0.self_attn.k_proj.bias": Split.KEY_VALUE,
    "model.layers.0.self_attn.v_proj.qweight": Split.KEY_VALUE,
    "model.layers.0.self_attn.o_proj.weight": Split.DENSE,
    "model.layers.0.mlp.gate_proj.weight": Split.DENSE,
    "model.layers.0.mlp.gate.weight": Split.COPY,
    "model.layers.0.mlp.experts.17.gate_proj.weight": Split.EXPERT,
    "model.layers.*.mlp.experts.*.down_proj.weight": Split.EXPERT,
    "model.layers.0.mlp.shared_expert.up_proj.weight": Split.DENSE,
    "model.layers.0.mlp.shared_expert_gate.weight": Split.COPY,
    "model.layers.0.linear_attn.in_proj_qkvz.weight": Split.DENSE,
    "model.layers.0.linear_attn.A_log": Split.DENSE,
    "mtp.layers.0.mlp.experts.3.up_proj.weight": Split.UNUSED,
}


@pytest.mark.parametrize(("name", "how"), SPLITS.items())
def test_a_tensors_name_says_how_it_is_shared(name: str, how: Split) -> None:
    """As vLLM's layers of the same names share it."""
    assert split(name) is how


def test_what_is_not_loaded_takes_no_memory() -> None:
    """The heads of multi-token prediction."""
    assert weights([Tensor("mtp.fc.weight", "BF16", 8), Tensor("model.norm.weight", "BF16", 2)]) == {
        (Split.COPY, "BF16"): 2
    }


def test_floats_are_loaded_in_the_type_that_is_computed_in_and_others_as_they_are() -> None:
    """float32 doubles bfloat16; FP8 and packed integers stay."""
    stored = {(Split.DENSE, "BF16"): 10, (Split.DENSE, "F8_E4M3"): 7, (Split.EXPERT, "I32"): 5}

    assert loaded(stored, width=4) == {Split.DENSE: 27, Split.EXPERT: 5}


def test_packed_integers_do_not_say_how_many_parameters_there_are() -> None:
    """No number is better than a wrong one."""
    assert parameters([Tensor("model.layers.0.mlp.up_proj.qweight", "I32", 8)]) is None


def test_keys_and_values_are_held_several_times_beyond_as_many_gpus_as_heads() -> None:
    """Eight heads: sixteen GPUs hold as much as eight."""
    of = load()

    assert kv_per_token(of, Layout(8)) == kv_per_token(of, Layout(16)) == kv_per_token(of, Layout()) // 8


def test_weights_of_keys_and_values_are_split_no_further_than_their_heads() -> None:
    """Eight heads: of these two matrices sixteen GPUs hold as much as eight."""
    matrices = Load(
        architecture=load().architecture, weights={(Split.KEY_VALUE, "BF16"): 800}, context=1, concurrency=1
    )

    assert [weights_of_a_gpu(matrices, Layout(tensor)) for tensor in (1, 8, 16)] == [800, 100, 100]


def test_pipeline_stages_divide_layers_and_the_fullest_counts() -> None:
    """36 layers in 5 stages: one has eight."""
    of = load()

    assert kv_per_token(of, Layout(pipeline=5)) == kv_per_token(of, Layout()) * 8 // 36


def test_embedding_and_head_are_on_different_stages() -> None:
    """With one stage a GPU holds both."""
    of = load()
    matrix = 151_936 * 4096 * 2
    whole, half = weights_of_a_gpu(of, Layout()), weights_of_a_gpu(of, Layout(pipeline=2))

    assert half - matrix == (whole - 2 * matrix) // 2


def test_ranks_of_data_parallelism_share_the_experts_and_nothing_else() -> None:
    """A dense model is held whole by each."""
    dense, mixture = load(), load(QWEN3_CODER_480B)

    assert weights_of_a_gpu(dense, Layout(data=4)) == weights_of_a_gpu(dense, Layout())
    experts = mixture.weights[Split.EXPERT, "BF16"]
    saved = weights_of_a_gpu(mixture, Layout()) - weights_of_a_gpu(mixture, Layout(data=4, expert=True))
    assert saved == experts * 3 // 4


def test_ranks_take_their_share_of_the_requests() -> None:
    """Five requests over four ranks: one of them has two."""
    assert kv_cache(load(concurrency=5), Layout(data=4)) == 2 * kv_cache(load(), Layout(data=4))


def test_linear_attention_keeps_a_state_a_request_and_nothing_a_token() -> None:
    """12 of 48 layers keep keys and values: 24 KiB a token; the other 36 keep 2.2 MiB each at two bytes a value."""
    known = architecture(QWEN3_NEXT)
    of = Load(architecture=known, weights={}, context=1000)

    assert kv_per_token(of, Layout()) == 24 * 1024
    assert state_per_request(of, Layout()) == 36 * 2 * (8192 * 3 + 32 * 128 * 128)
    assert kv_cache(of, Layout()) == 1000 * 24 * 1024 + state_per_request(of, Layout())


RULED_OUT = {
    "attention heads": (QWEN3_8B, Layout(3), Reason.TENSOR_SIZE_NOT_DIVISIBLE),
    "KV heads": (
        QWEN3_8B | {"num_key_value_heads": 6, "num_attention_heads": 48},
        Layout(4),
        Reason.TENSOR_SIZE_NOT_DIVISIBLE,
    ),
    "layers": (QWEN3_8B, Layout(pipeline=37), Reason.PIPELINE_SIZE_INVALID),
    "experts": (QWEN3_CODER_480B, Layout(data=3, expert=True), Reason.EXPERT_SPLIT_INVALID),
    "experts of a dense model": (QWEN3_8B, Layout(2, expert=True), Reason.EXPERT_SPLIT_INVALID),
    "blocks of experts": (quantized(QWEN3_CODER_480B), Layout(2, data=4), Reason.QUANTIZATION_BLOCK_NOT_DIVISIBLE),
    "blocks of a dense MLP": (
        quantized(QWEN3_8B | {"intermediate_size": 12_224}),
        Layout(2),
        Reason.QUANTIZATION_BLOCK_NOT_DIVISIBLE,
    ),
    "groups of packed weights": (
        QWEN3_8B | {"quantization_config": {"quant_method": "awq", "group_size": 128}, "intermediate_size": 12_224},
        Layout(2),
        Reason.QUANTIZATION_BLOCK_NOT_DIVISIBLE,
    ),
}


@pytest.mark.parametrize(("config", "layout", "reason"), RULED_OUT.values(), ids=RULED_OUT)
def test_the_models_numbers_rule_a_layout_out(config: Config, layout: Layout, reason: Reason) -> None:
    """Before any memory is weighed."""
    problem = obstacle(architecture(config), layout)

    assert problem is not None
    assert problem.reason is reason


@pytest.mark.parametrize(
    ("config", "layout"),
    [
        (QWEN3_8B, Layout(8)),
        (QWEN3_8B, Layout(16)),
        (quantized(QWEN3_CODER_480B), Layout(8, expert=True)),
        (quantized(QWEN3_CODER_480B), Layout(4)),
        (QWEN3_CODER_480B, Layout(8)),
    ],
    ids=str,
)
def test_a_layout_that_an_engine_takes_is_not_ruled_out(config: Config, layout: Layout) -> None:
    """Refusing too much is as bad."""
    assert obstacle(architecture(config), layout) is None


def test_a_context_above_the_models_own_is_refused_before_anything_is_added_up() -> None:
    """The engine would refuse it, too."""
    judged = judgement(load(context=40_961), A100, Layout())

    assert judged.verdict is Verdict.DOES_NOT_FIT
    assert judged.problem.reason is Reason.CONTEXT_ABOVE_MODEL_LIMIT


def test_weights_alone_may_be_too_much() -> None:
    """The remedy then is no smaller context."""
    judged = judgement(load(), Gpu(memory=16 * GIB), Layout())

    assert judged.problem.reason is Reason.WEIGHTS_DO_NOT_FIT


def test_headroom_makes_the_difference_between_tight_and_not() -> None:
    """The same sum, an estimate that may be wrong by more."""
    of = load(context=8_192)

    assert judgement(of, Gpu(memory=24 * GIB), Layout()).verdict is Verdict.FITS
    assert judgement(of, Gpu(memory=24 * GIB, headroom=0.2), Layout()).verdict is Verdict.TIGHT


def test_no_room_for_one_request_more_is_tight() -> None:
    """However much of the memory the requests asked for leave."""
    sizes = judgement(load(concurrency=10), A100, Layout()).sizes
    assert sizes is not None
    most = int(sizes.requests)

    verdicts = [judgement(load(concurrency=count), A100, Layout()).verdict for count in (most - 1, most, most + 1)]

    assert verdicts == [Verdict.FITS, Verdict.TIGHT, Verdict.DOES_NOT_FIT]


def test_the_largest_context_is_the_largest() -> None:
    """In whole blocks; with it the verdict is not DoesNotFit, with one block more it is."""
    gpu = Gpu(memory=22 * GIB)
    sizes = judgement(load(), gpu, Layout()).sizes
    assert sizes is not None

    verdicts = [judgement(load(context=sizes.largest_context + more), gpu, Layout()).verdict for more in (0, 16)]

    assert verdicts == [Verdict.TIGHT, Verdict.DOES_NOT_FIT]
    assert sizes.largest_context % 16 == 0


def test_an_fp8_cache_is_not_advised_to_who_has_it() -> None:
    """The remedy names what is left to do."""
    said = [
        judgement(load(cache_dtype=dtype), Gpu(memory=21 * GIB), Layout()).problem.message for dtype in ("Auto", "FP8")
    ]

    assert ["kvCacheDtype" in sentence for sentence in said] == [True, False]


def test_every_layout_uses_all_gpus_once() -> None:
    """And none is listed twice."""
    ways = list(layouts(8, experts=True))

    assert {way.gpus for way in ways} == {8}
    assert len(set(ways)) == len(ways)


def test_who_leaves_the_layout_open_gets_slices_of_experts_where_they_can_be_cut() -> None:
    """Whole experts on each GPU only where a quantization block would be cut."""
    plain = choice.chosen(load(QWEN3_CODER_480B), Gpu(memory=183_359 * 2**20), 8)
    blocks = choice.chosen(load(quantized(QWEN3_CODER_480B)), Gpu(memory=143_771 * 2**20), 8)

    assert plain is not None
    assert blocks is not None
    assert (plain.layout, blocks.layout) == (Layout(8), Layout(8, expert=True))


def test_heads_that_do_not_divide_leave_pipeline_stages() -> None:
    """Six GPUs: two split each layer, in three stages."""
    best = choice.chosen(load(), A100, 6)

    assert best is not None
    assert best.layout == Layout(2, pipeline=3)


def test_of_layouts_that_do_not_fit_the_best_is_one_that_is_only_too_large() -> None:
    """Eight slices would cut blocks, and whole experts need larger GPUs: the second can be mended."""
    best = choice.chosen(load(quantized(QWEN3_CODER_480B)), Gpu(memory=40 * GIB), 8)

    assert best is not None
    assert (best.layout, best.problem.reason) == (Layout(8, expert=True), Reason.WEIGHTS_DO_NOT_FIT)


def test_a_wish_is_kept_even_if_another_layout_would_fit() -> None:
    """The verdict then is about the wish."""
    best = choice.chosen(
        load(quantized(QWEN3_CODER_480B)), Gpu(memory=143_771 * 2**20), 8, Wish(tensor=8, expert=False)
    )

    assert best is not None
    assert best.problem.reason is Reason.QUANTIZATION_BLOCK_NOT_DIVISIBLE


def test_a_wish_that_so_many_gpus_cannot_have_finds_no_layout() -> None:
    """Eight GPUs are not three times anything."""
    assert choice.chosen(load(), A100, 8, Wish(tensor=3)) is None


def test_data_parallelism_is_never_chosen_for_its_memory() -> None:
    """But judged where it is wished for, and in a table of all layouts."""
    only_ranks = choice.chosen(load(QWEN3_8B | {"num_hidden_layers": 2}), A100, 3)
    assert only_ranks is not None
    assert only_ranks.verdict is Verdict.DOES_NOT_FIT
    assert {one.layout.data for one in choice.judgements(load(), A100, 8)} == {1, 2, 4, 8}
    best = choice.chosen(load(), A100, 8, Wish(data=4))

    assert best is not None
    assert best.layout == Layout(2, data=4)


def test_the_gpus_needed_are_the_fewest_that_will_do() -> None:
    """In powers of two, as machines have them."""
    h200 = Gpu(memory=143_771 * 2**20)

    assert choice.gpus_needed(load(quantized(QWEN3_CODER_480B), context=200_000), h200) == 8
    assert choice.gpus_needed(load(QWEN3_CODER_480B), replace(h200, memory=4 * GIB)) is None


def test_a_measured_overhead_counts_for_its_own_layout_only() -> None:
    """Nothing of it holds for another."""
    of, gpu = load(), Gpu(memory=22 * GIB)

    best = choice.judgements(of, gpu, 2, Wish(data=1), seen={Layout(2): 20 * GIB})

    assert [(one.layout, one.verdict) for one in best] == [
        (Layout(pipeline=2), Verdict.FITS),
        (Layout(2), Verdict.DOES_NOT_FIT),
    ]


@pytest.mark.parametrize(
    ("name", "mib"),
    [
        ("H200", 143_771),
        ("NVIDIA-H200", 143_771),
        ("h100", 81_559),
        ("NVIDIA-H100-80GB-HBM3", 81_559),
        ("NVIDIA-H100-NVL", 95_830),
        ("NVIDIA-A100-SXM4-40GB", 40_960),
        ("NVIDIA-A100-SXM4-80GB", 81_920),
        ("A100-80GB", 81_920),
        ("Tesla-T4", 15_360),
        ("NVIDIA L40S", 46_068),
        ("NVIDIA-A10G", 23_028),
    ],
)
def test_a_gpu_is_known_by_its_short_name_and_by_its_node_label(name: str, mib: int) -> None:
    """In any spelling."""
    assert products.memory_of(name) == mib * 2**20


@pytest.mark.parametrize(
    "name", ["", "A100", "H2000", "NVIDIA-H100-80GB-HBM3-MIG-3g.40gb", "NVIDIA-H200-SHARED", "B300"]
)
def test_a_part_of_a_gpu_and_an_unknown_one_have_no_known_memory(name: str) -> None:
    """A guess would be taken for a fact."""
    assert products.memory_of(name) is None


def test_each_product_is_found_by_the_name_it_is_listed_under() -> None:
    """The list is what the command line offers."""
    assert {product.name: products.memory_of(product.name) for product in products.PRODUCTS} == {
        product.name: product.mib * 2**20 for product in products.PRODUCTS
    }


NODES = (
    {"nvidia.com/gpu.product": "NVIDIA-H200", "nvidia.com/gpu.memory": "143771", "pool": "big"},
    {"nvidia.com/gpu.product": "NVIDIA-L4", "nvidia.com/gpu.memory": "23034", "pool": "small"},
    {"nvidia.com/gpu.product": "NVIDIA-T4-SHARED", "nvidia.com/gpu.memory": "15360", "nvidia.com/gpu.replicas": "4"},
    {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "nvidia.com/mig-3g.40gb.memory": "40448"},
    {"nvidia.com/gpu.product": "NVIDIA-A40", "nvidia.com/gpu.memory": "much", "pool": "odd"},
)


@pytest.mark.parametrize(
    ("resource", "wanted", "mib"),
    [
        ("nvidia.com/gpu", {}, 23_034),
        ("nvidia.com/gpu", {"pool": "big"}, 143_771),
        ("nvidia.com/gpu", {"nvidia.com/gpu.product": "NVIDIA-L4"}, 23_034),
        ("nvidia.com/mig-3g.40gb", {}, 40_448),
        ("nvidia.com/gpu", {"pool": "odd"}, None),
        ("nvidia.com/gpu", {"pool": "none"}, None),
        ("nvidia.com/gpu", {"nvidia.com/gpu.product": "NVIDIA-T4-SHARED"}, None),
        ("amd.com/gpu", {}, None),
    ],
)
def test_nodes_tell_the_memory_of_the_smallest_gpu_that_would_do(
    resource: str, wanted: dict[str, str], mib: int | None
) -> None:
    """Of slices, too; a GPU that several pods share tells nothing of what one of them gets."""
    assert nodes.memory(NODES, resource, wanted) == (mib * 2**20 if mib else None)


UNREADABLE = {
    "another family": ({"architectures": ["LlamaForCausalLM"]}, "LlamaForCausalLM"),
    "no family": ({}, "architecture None"),
    "a missing number": ({"architectures": ["Qwen3ForCausalLM"]}, "num_hidden_layers"),
    "a wrong number": (QWEN3_8B | {"hidden_size": "4096"}, "hidden_size"),
    "an odd type": (QWEN3_8B | {"torch_dtype": "int8"}, "int8"),
    "no heads": (QWEN3_8B | {"num_attention_heads": 0, "head_dim": None}, "0"),
}


@pytest.mark.parametrize(("config", "part"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_config_that_is_not_understood_says_why(config: Config, part: str) -> None:
    """And is never estimated by half."""
    with pytest.raises(Unsupported, match=part):
        architecture(config)
