"""The fit check in the operator: what it is asked, what it says in the status, and what it keeps from starting."""

from typing import Any

import msgspec
import pytest

from qwen_operator.core import kinds, plan, status
from qwen_operator.core.plan import Outcome, Plan
from qwen_operator.core.problems import Reason
from qwen_operator.core.progress import Figures
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.serving import serving
from qwen_operator.core.snapshot import Manifest, Snapshot
from qwen_operator.core.steps import Apply
from tests.builders import NOW, SETTINGS, a_claim, a_model, rolled_out
from tests.checkpoints import QWEN3_8B, QWEN3_CODER_480B, quantized, report
from tests.operator_unit.core.test_affinity import affinity
from tests.operator_unit.core.test_bringing import DONE, HUB, a_fetcher, a_job, a_weights_claim, around

CODER = report(quantized(QWEN3_CODER_480B))
SMALL = report(QWEN3_8B)
H200 = {"gpuProduct": "NVIDIA-H200"}
EIGHT = {"gpus": 8, **H200}
FOUR = {"gpus": 4, **H200}


def on_gpus(resources: dict[str, Any], **spec: Any) -> QwenModel:
    """A model of a hub, on GPUs."""
    return a_model(**({"device": "GPU", "model": HUB, "resources": resources} | spec))


def status_gpus(model: QwenModel) -> int:
    """GPUs of one replica, as its pod asks for them."""
    devices = serving(model, SETTINGS).devices
    assert devices is not None
    return devices.count


def fetched(model: QwenModel, told: str | None, **more: Any) -> Snapshot:
    """All files are there, and the Jobs' pods have said this of them; None is for a claim that nobody fetches to."""
    if told is None:
        return Snapshot(claim=a_claim(), **more)
    new = msgspec.structs.replace(model, status={})
    given: dict[str, Any] = {
        "jobs": tuple(a_job(new, verb, status=DONE) for verb in ("measure", "fetch")),
        "fetchers": tuple(a_fetcher(model, verb, message=told) for verb in ("measure", "fetch")),
        "claim": a_weights_claim(),
    }
    return Snapshot(**(given | more))


def planned(model: QwenModel, told: str | None = CODER, **more: Any) -> Plan:
    """The plan for a model whose files are there."""
    return plan.make(model, fetched(model, told, **more), SETTINGS)


def document(model: QwenModel, told: str | None = CODER, **more: Any) -> Manifest:
    """Its status."""
    found = fetched(model, told, **more)
    return status.document(model, found, plan.make(model, found, SETTINGS), Outcome(), NOW)


def replicas(found: Plan) -> Manifest | None:
    """The Deployment of a plan."""
    steps = (step for step in found.steps if isinstance(step, Apply) and step.kind == kinds.DEPLOYMENT)
    return next((step.manifest for step in steps), None)


def condition(found: Manifest, kind: str) -> tuple[str, str]:
    """Status and reason of a condition."""
    [one] = [entry for entry in found["conditions"] if entry["type"] == kind]
    return one["status"], one["reason"]


def arguments(found: Plan) -> list[str]:
    """The command line of a replica."""
    deployment = replicas(found)
    assert deployment is not None
    words: list[str] = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    return words


def test_a_model_that_fits_says_so_with_its_numbers() -> None:
    """The headline model on its recommended GPUs."""
    found = document(on_gpus(EIGHT))

    assert condition(found, "Fits") == ("True", "Fits")
    assert found["fit"] == {
        "verdict": "Fits",
        "layout": {"tensor": 8, "pipeline": 1, "data": 1, "expert": "Enabled"},
        "need": found["fit"]["weights"] + found["fit"]["overhead"] + found["fit"]["kvCache"],
        "have": int(143_771 * 2**20 * 0.9),
        "weights": 60_375_778_432,
        "overhead": 5_488_395_117,
        "kvCache": 200_000 * 31 * 1024,
        "kvPerToken": 31 * 1024,
        "concurrentRequests": 10,
        "largestContext": 262_144,
        "gpusNeeded": 8,
    }


def test_the_layout_that_is_left_open_goes_to_the_engine() -> None:
    """Whole experts on each GPU, since eight slices would cut quantization blocks."""
    assert {"--tensor-parallel-size=8", "--enable-expert-parallel"} <= set(arguments(planned(on_gpus(EIGHT))))


@pytest.mark.parametrize(
    ("parallelism", "flags"),
    [
        ({}, {"--tensor-parallel-size=8"}),
        ({"tensor": 4}, {"--tensor-parallel-size=4", "--pipeline-parallel-size=2"}),
        ({"pipeline": 2}, {"--tensor-parallel-size=4", "--pipeline-parallel-size=2"}),
        ({"expert": "Enabled"}, {"--tensor-parallel-size=8", "--enable-expert-parallel"}),
        ({"data": 2}, {"--tensor-parallel-size=4", "--data-parallel-size=2"}),
        ({"data": 8}, {"--tensor-parallel-size=1", "--data-parallel-size=8"}),
        (
            {"pipeline": 2, "data": 2},
            {"--tensor-parallel-size=2", "--pipeline-parallel-size=2", "--data-parallel-size=2"},
        ),
    ],
)
def test_before_the_models_numbers_are_known_what_is_asked_for_counts(
    parallelism: dict[str, Any], flags: set[str]
) -> None:
    """All GPUs of a stage split each layer."""
    found = serving(on_gpus(EIGHT, parallelism=parallelism), SETTINGS).arguments

    assert {flag for flag in found if "parallel" in flag} == flags


def test_ranks_are_judged_each_with_room_for_a_whole_request() -> None:
    """Never chosen by itself; asked for, tensor is what is left, and without GPUs each rank has one."""
    model = on_gpus(EIGHT, parallelism={"data": 2})
    whole = document(on_gpus(EIGHT))["fit"]["kvCache"]

    found = document(model)["fit"]

    assert found["layout"] == {"tensor": 4, "pipeline": 1, "data": 2, "expert": "Enabled"}
    assert found["kvCache"] == 2 * whole
    assert status_gpus(on_gpus(H200, parallelism={"data": 8})) == 8


def test_a_layout_that_is_asked_for_is_the_one_that_is_judged() -> None:
    """Two stages of four GPUs."""
    found = document(on_gpus(EIGHT, parallelism={"tensor": 4}))

    assert found["fit"]["layout"] == {"tensor": 4, "pipeline": 2, "data": 1, "expert": "Disabled"}
    assert condition(found, "Fits") == ("True", "Fits")


def test_a_model_that_does_not_fit_gets_no_pod() -> None:
    """Its keys and its address are made all the same."""
    found = planned(on_gpus(FOUR))

    assert {step.kind for step in found.steps} == {kinds.SERVICE, kinds.NETWORK_POLICY}
    assert found.problem is None


def test_a_model_that_does_not_fit_is_not_fetched() -> None:
    """The Job that measured it has said enough: half a terabyte stays where it is."""
    model = on_gpus(FOUR)
    jobs = (a_job(model, "measure", status=DONE),)
    found = [
        planned(model, jobs=jobs, claim=None, fetchers=(a_fetcher(model, "measure", message=told),))
        for told in (CODER, SMALL)
    ]

    assert [kinds.CLAIM in {step.kind for step in each.steps} for each in found] == [False, True]


def test_a_model_that_does_not_fit_says_what_would() -> None:
    """As the one reason it is not ready; the spec itself is accepted."""
    found = document(on_gpus(FOUR))

    assert condition(found, "Accepted") == ("True", "Accepted")
    assert condition(found, "Fits") == ("False", "KVCacheDoesNotFit")
    assert condition(found, "Ready") == ("False", "KVCacheDoesNotFit")
    assert "lower model.contextLength to 103168" in found["message"]
    assert (found["fit"]["verdict"], found["fit"]["gpusNeeded"]) == ("DoesNotFit", 8)


def test_with_warn_the_pods_start_all_the_same() -> None:
    """And only the condition tells."""
    model = on_gpus(FOUR, validation={"fit": "Warn"})

    assert replicas(planned(model)) is not None
    assert condition(document(model), "Fits") == ("False", "KVCacheDoesNotFit")
    assert condition(document(model), "Ready") == ("False", "RollingOut")


def test_what_is_started_against_the_numbers_has_the_layout_that_is_nearest() -> None:
    """With Warn, on GPUs that are too small."""
    model = on_gpus({"gpus": 8, "gpuMemory": "40Gi"}, validation={"fit": "Warn"})

    assert condition(document(model), "Fits") == ("False", "WeightsDoNotFit")
    assert "--enable-expert-parallel" in arguments(planned(model))


def test_what_runs_is_not_taken_away_for_its_numbers() -> None:
    """An engine that serves has proved more than an estimate; only a change waits."""
    deployment = replicas(planned(on_gpus(FOUR, validation={"fit": "Warn"})))
    lives: dict[str, Any] = {"deployment": deployment, **around()}

    assert replicas(planned(on_gpus(FOUR), **lives)) is None
    assert replicas(planned(on_gpus(FOUR, replicas=2), **lives)) is not None
    changed = on_gpus(FOUR, server={"maxNumSeqs": 4}, replicas=2)
    scaled = replicas(planned(changed, **lives))
    assert scaled is not None
    assert deployment is not None
    assert (scaled["spec"]["replicas"], scaled["spec"]["template"]) == (2, deployment["spec"]["template"])


def test_what_a_job_has_said_is_kept_for_when_its_pod_is_gone() -> None:
    """Else the layout would change, and every replica start anew."""
    before = document(on_gpus(EIGHT))
    model = on_gpus(EIGHT, status=before)

    after = document(model, fetchers=())

    assert after["fit"] == before["fit"]
    assert after["weights"]["facts"] == CODER
    assert arguments(planned(model, fetchers=())) == arguments(planned(on_gpus(EIGHT)))


def test_a_layout_that_runs_stays_when_a_number_is_missing() -> None:
    """Whoever takes gpuProduct out of the spec does not restart a model of half a terabyte."""
    running = document(on_gpus(EIGHT))
    vague = on_gpus({"gpus": 8}, status=running)

    assert condition(document(vague), "Fits") == ("Unknown", "GPUMemoryUnknown")
    assert document(vague)["fit"] == {"verdict": "Unknown", "layout": running["fit"]["layout"]}
    assert arguments(planned(vague)) == arguments(planned(on_gpus(EIGHT)))


KEPT = {"tensor": 4, "pipeline": 2, "data": 1, "expert": "Disabled"}
BEST = {"tensor": 8, "pipeline": 1, "data": 1, "expert": "Enabled"}


@pytest.mark.parametrize(
    ("resources", "parallelism", "layout"),
    [
        (EIGHT, {}, KEPT),
        (EIGHT, {"expert": "Enabled", "pipeline": 1}, BEST),
        ({"gpus": 4, "gpuProduct": "NVIDIA-B200"}, {}, {**BEST, "tensor": 4, "expert": "Disabled"}),
        (EIGHT, {"tensor": 2}, {"tensor": 2, "pipeline": 4, "data": 1, "expert": "Disabled"}),
    ],
    ids=["nothing else is asked", "experts otherwise", "other GPUs", "another tensor"],
)
def test_a_layout_that_runs_stays_as_long_as_it_is_as_asked(
    resources: dict[str, Any], parallelism: dict[str, Any], layout: dict[str, Any]
) -> None:
    """Even if another one would be chosen today."""
    before = {"fit": {"verdict": "Fits", "layout": KEPT}}

    assert document(on_gpus(resources, parallelism=parallelism, status=before))["fit"]["layout"] == layout


@pytest.mark.parametrize("before", [{"fit": None}, {"fit": {"verdict": "Fits"}}, {"fit": {"layout": {"tensor": "8"}}}])
def test_a_layout_that_can_not_be_read_is_chosen_anew(before: Manifest) -> None:
    """Whoever wrote that."""
    assert document(on_gpus(EIGHT, status=before))["fit"]["layout"] == BEST


def test_a_layout_that_will_not_do_any_more_is_given_up() -> None:
    """With less memory eight stages are too uneven, and eight GPUs with whole experts will do."""
    before = {"fit": {"verdict": "Fits", "layout": {"tensor": 1, "pipeline": 8, "data": 1, "expert": "Disabled"}}}
    small = on_gpus({"gpus": 8, "gpuMemory": "76Gi"}, status=before)

    assert document(small)["fit"]["layout"] == BEST


def test_what_was_said_of_another_source_is_forgotten() -> None:
    """The next Job tells."""
    before = document(on_gpus(EIGHT))
    other = on_gpus(EIGHT, status=before, model={"uri": "hf://Qwen/Qwen3-32B"})

    found = plan.make(other, Snapshot(), SETTINGS)

    assert found.fit is not None
    assert found.fit.problem.reason is Reason.MODEL_FACTS_UNKNOWN


UNKNOWN: dict[str, tuple[QwenModel, str | None, Reason]] = {
    "nobody has told": (
        on_gpus(EIGHT, model={"uri": "pvc://models/qwen3"}, validation={"fit": "Warn"}),
        None,
        Reason.MODEL_FACTS_UNKNOWN,
    ),
    "what was told is no report": (on_gpus(EIGHT), "Error", Reason.MODEL_FACTS_UNKNOWN),
    "a model of another family": (
        on_gpus(EIGHT),
        report(QWEN3_8B | {"architectures": ["LlamaForCausalLM"]}),
        Reason.MODEL_NOT_ESTIMATED,
    ),
    "any GPU will do": (on_gpus({"gpus": 8}), CODER, Reason.GPU_MEMORY_UNKNOWN),
    "an unknown GPU": (on_gpus({"gpus": 8, "gpuProduct": "NVIDIA-X1"}), CODER, Reason.GPU_MEMORY_UNKNOWN),
    "a part of a GPU": (
        on_gpus({"gpuResourceName": "nvidia.com/mig-3g.40gb", **H200}),
        SMALL,
        Reason.GPU_MEMORY_UNKNOWN,
    ),
    "a CPU": (a_model(model=HUB), SMALL, Reason.NOT_JUDGED),
    "switched off": (on_gpus(FOUR, validation={"fit": "Off"}), CODER, Reason.NOT_JUDGED),
    "quantized at load": (on_gpus(FOUR, server={"args": ["--quantization=fp8"]}), CODER, Reason.NOT_JUDGED),
}


@pytest.mark.parametrize(("model", "told", "reason"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_not_known_stops_nothing(model: QwenModel, told: str | None, reason: Reason) -> None:
    """Unknown, with what is missing; the pods start."""
    found = document(model, told)

    assert condition(found, "Fits") == ("Unknown", reason)
    assert found["fit"] == {"verdict": "Unknown"}
    assert replicas(planned(model, told)) is not None


def test_memory_that_is_said_counts_more_than_a_product() -> None:
    """And makes a part of a GPU judgeable."""
    part = {"gpuResourceName": "nvidia.com/mig-3g.40gb", "gpuMemory": "40Gi"}

    assert document(on_gpus(part), SMALL)["fit"]["have"] == 36 * 2**30
    assert document(on_gpus({**H200, "gpuMemory": "100Gi"}), SMALL)["fit"]["have"] == 90 * 2**30


def test_the_labels_of_nodes_count_more_than_a_list_of_products_and_less_than_what_is_said() -> None:
    """Of nodes that the replicas may run on."""
    nodes = ({"nvidia.com/gpu.product": "NVIDIA-H200", "nvidia.com/gpu.memory": "102400", "pool": "a"},)
    elsewhere = {"scheduling": {"nodeSelector": {"pool": "b"}}}
    away = {"scheduling": {"affinity": affinity({"key": "pool", "operator": "NotIn", "values": ["a"]})}}

    models = [on_gpus({}), on_gpus(H200), on_gpus({"gpuMemory": "40Gi"}), on_gpus(H200, **elsewhere)]
    found = [document(model, SMALL, nodes=nodes)["fit"]["have"] for model in (*models, on_gpus(H200, **away))]

    assert found == [90 * 2**30, 90 * 2**30, 36 * 2**30, *[int(143_771 * 2**20 * 0.9)] * 2]


@pytest.mark.parametrize(
    ("spec", "field", "value"),
    [
        ({"model": {"kvCacheDtype": "FP8"}}, "kvPerToken", 72 * 1024),
        ({"model": {"dtype": "Float32"}}, "kvPerToken", 288 * 1024),
        ({"model": {"contextLength": 8192}}, "kvCache", 8192 * 144 * 1024),
        ({"server": {"gpuMemoryUtilization": 0.5}}, "have", 143_771 * 2**20 // 2),
        ({"validation": {"headroom": "90%"}}, "verdict", "Tight"),
    ],
    ids=str,
)
def test_every_field_that_decides_on_memory_counts(spec: dict[str, Any], field: str, value: object) -> None:
    """On one H200."""
    spec["model"] = HUB | spec.get("model", {})

    assert document(on_gpus(H200, **spec), SMALL)["fit"][field] == value


def test_the_context_is_what_the_server_will_serve() -> None:
    """The model's own where it is shorter, never more than 200,000."""
    tokens = [document(on_gpus(EIGHT), told)["fit"] for told in (SMALL, CODER)]

    assert [fit["kvCache"] // fit["kvPerToken"] for fit in tokens] == [40_960, 200_000]


def test_gpus_that_do_not_multiply_to_the_layout_are_refused() -> None:
    """The API server refuses it first; what it stored before the rule was there is told here."""
    found = document(on_gpus({"gpus": 8, **H200}, parallelism={"tensor": 2, "pipeline": 2}))

    assert condition(found, "Fits") == ("False", "LayoutImpossible")
    assert found["fit"] == {"verdict": "DoesNotFit"}


def served(model: QwenModel, *, updated: int = 1, **more: Any) -> Snapshot:
    """A replica of a model runs and answers, and an engine has said what it came to."""
    deployment = replicas(planned(msgspec.structs.replace(model, status={}))) or {}
    counts = {"replicas": 1, "updatedReplicas": updated, "readyReplicas": 1, "availableReplicas": 1}
    status = {"observedGeneration": 1, **counts}
    living = deployment | {"metadata": deployment["metadata"] | {"uid": "de", "generation": 1}, "status": status}
    return fetched(model, CODER, deployment=living, **more)


def told_by(tokens: int) -> tuple[Figures, ...]:
    """An engine whose KV cache holds so many tokens."""
    return (Figures(cache_tokens=tokens, load_seconds=61.7),)


def stored_after(model: QwenModel, seen: Snapshot) -> Manifest:
    """The status after one look."""
    return status.document(model, seen, plan.make(model, seen, SETTINGS), Outcome(), NOW)


def test_what_an_engine_was_seen_to_use_corrects_the_next_estimate() -> None:
    """A cache of 300,000 tokens where 274,000 were expected: so much less lies beside it."""
    model = on_gpus({"gpus": 8, "gpuProduct": "NVIDIA-H200"})
    expected = document(model)["fit"]
    tokens = (expected["have"] - expected["weights"] - expected["overhead"]) // expected["kvPerToken"]

    first = stored_after(model, served(model, figures=told_by(tokens + 26_000)))
    again = on_gpus({"gpus": 8, "gpuProduct": "NVIDIA-H200"}, status=first)
    corrected = stored_after(again, served(again, figures=told_by(tokens + 26_000)))

    assert first["measured"]["cacheTokens"] == tokens + 26_000
    assert first["measured"]["loadSeconds"] == 61
    assert first["measured"]["layout"] == first["fit"]["layout"]
    assert corrected["fit"]["overhead"] == first["measured"]["overhead"]
    less = expected["overhead"] - corrected["fit"]["overhead"]
    assert abs(less - 26_000 * expected["kvPerToken"]) <= expected["kvPerToken"]
    assert corrected["measured"] == first["measured"]
    assert stored_after(on_gpus(EIGHT, status=corrected), served(again, figures=told_by(tokens + 26_000))) == corrected


@pytest.mark.parametrize(
    "other",
    [
        {"model": {**HUB, "kvCacheDtype": "FP8"}},
        {"server": {"args": ["--enforce-eager"]}},
        {"resources": {**EIGHT, "gpuMemory": "100Gi"}},
        {"parallelism": {"tensor": 4}},
    ],
)
def test_a_figure_of_another_engine_corrects_nothing(other: dict[str, Any]) -> None:
    """Another type of cache, other flags, other GPUs, another layout."""
    model = on_gpus(EIGHT)
    first = stored_after(model, served(model, figures=told_by(400_000)))

    spec = {"resources": EIGHT} | other
    changed, fresh = on_gpus(**spec, status=first), on_gpus(**spec)

    assert document(changed)["fit"] == document(fresh)["fit"]
    assert document(changed)["measured"] == first["measured"]


def test_of_several_replicas_the_smallest_cache_counts_and_one_that_is_not_told_is_none() -> None:
    """An engine that said nothing of its cache has not said that it has none."""
    model = on_gpus(EIGHT)
    silent = (Figures(load_seconds=3.0),)

    first = stored_after(model, served(model, figures=(*silent, *told_by(500_000), *told_by(400_000))))
    alone = stored_after(model, served(model, figures=silent))

    assert (first["measured"]["cacheTokens"], first["measured"]["loadSeconds"]) == (400_000, 61)
    assert alone["measured"] == {"loadSeconds": 3}


def test_a_figure_holds_for_the_next_image_of_the_server() -> None:
    """A model whose context only that figure allows is not held back by a release."""
    model = on_gpus({**EIGHT, "gpus": 4}, model={**HUB, "contextLength": 100_000})
    before = document(model)["fit"]
    more = before["largestContext"] + 5_000
    first = stored_after(model, served(model, figures=told_by(more + 10_000)))

    asked = {**HUB, "contextLength": more}
    unmeasured = document(on_gpus({**EIGHT, "gpus": 4}, model=asked))
    renewed = on_gpus({**EIGHT, "gpus": 4}, model=asked, status=first, server={"image": "registry.example/server:next"})

    assert condition(unmeasured, "Fits") == ("False", "KVCacheDoesNotFit")
    assert condition(document(renewed), "Fits")[0] == "True"


def test_a_figure_is_not_taken_while_replicas_are_replaced() -> None:
    """It may be that of the spec before."""
    model = on_gpus(EIGHT)

    assert "measured" not in stored_after(model, served(model, updated=0, figures=told_by(400_000)))


def test_a_cache_larger_than_there_is_room_for_corrects_nothing() -> None:
    """Then the weights are smaller than was thought, and nobody knows where."""
    model = on_gpus(EIGHT)

    found = stored_after(model, served(model, figures=told_by(10**9)))

    assert "overhead" not in found["measured"]
    assert found["measured"]["cacheTokens"] == 10**9


def test_on_a_cpu_figures_are_told_and_correct_nothing() -> None:
    """There is no memory to hold them against."""
    model = a_model()
    seen = Snapshot(claim=a_claim(), deployment=rolled_out(model, 1), figures=told_by(16_384))

    assert stored_after(model, seen)["measured"] == {"cacheTokens": 16_384, "loadSeconds": 61}
