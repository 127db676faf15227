"""Files that somebody else has put on a claim are looked at before GPUs are held for them, where that can tell."""

import json
from typing import Any

import pytest

from qwen_operator.core import kinds, names, plan, status
from qwen_operator.core.place import mark
from qwen_operator.core.plan import Outcome
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Manifest, Snapshot
from qwen_operator.core.steps import Apply
from tests.builders import NOW, SETTINGS, a_claim, a_model
from tests.checkpoints import QWEN3_8B, QWEN3_CODER_480B, quantized, report
from tests.operator_unit.core.test_bringing import DONE, a_fetcher, condition, words

H200 = {"gpuProduct": "NVIDIA-H200"}
SMALL = report(QWEN3_8B)
LARGE = report(quantized(QWEN3_CODER_480B))
LATER = "2026-11-24T12:04:00Z"
WARN = {"validation": {"fit": "Warn"}}


def on_a_claim(**spec: Any) -> QwenModel:
    """A model on a claim of the user's, on one H200."""
    return a_model(**({"device": "GPU", "resources": H200} | spec))


def the_claim(mode: str = "ReadWriteMany") -> Manifest:
    """It lives, with this access mode."""
    claim = a_claim()
    return claim | {"spec": {**claim["spec"], "accessModes": [mode]}}


def steps(model: QwenModel, **seen: Any) -> list[Any]:
    """Steps of a plan."""
    return list(plan.make(model, Snapshot(**({"claim": the_claim()} | seen)), SETTINGS).steps)


def document(model: QwenModel, now: str = NOW, **seen: Any) -> Manifest:
    """The status."""
    found = Snapshot(**({"claim": the_claim()} | seen))
    return status.document(model, found, plan.make(model, found, SETTINGS), Outcome(), now)


def job_of(found: list[Any]) -> Manifest:
    """The Job that a plan applies, as it lives afterwards."""
    [step] = [step for step in found if isinstance(step, Apply) and step.kind == kinds.JOB]
    return step.manifest | {"metadata": {**step.manifest["metadata"], "uid": "of-describe"}}


def a_replica(node: str = "gpu-1") -> Manifest:
    """A pod that a node has."""
    return {"metadata": {"name": "qwen3-a", "labels": {}}, "spec": {"nodeName": node}, "status": {"phase": "Pending"}}


def looking(model: QwenModel) -> str:
    """The name of the Job."""
    return names.weights_job("qwen3", "describe", mark(model))


def test_replicas_wait_for_the_look_where_the_answer_is_enforced() -> None:
    """A Job is made, and no GPU is held meanwhile."""
    model = on_a_claim()

    assert words(steps(model)) == [f"Apply Job {looking(model)}"]
    assert condition(document(model), "Ready") == ("False", "DescribingWeights")
    assert condition(document(model), "Fits") == ("Unknown", "DescribingWeights")
    assert condition(document(model), "Progressing") == ("True", "DescribingWeights")


def test_replicas_start_at_once_where_the_answer_is_only_told() -> None:
    """And the Job beside them."""
    model = on_a_claim(**WARN)

    assert words(steps(model)) == [f"Apply Job {looking(model)}", "Apply Deployment qwen3"]
    assert condition(document(model), "WeightsReady") == ("Unknown", "WeightsUnchecked")


@pytest.mark.parametrize(
    "spec",
    [
        {"device": "CPU", "resources": {}},
        {"validation": {"fit": "Off"}},
        {"resources": {"gpuProduct": "NVIDIA-X1"}},
        {"server": {"args": ["--quantization=fp8"]}},
    ],
    ids=str,
)
def test_nobody_looks_where_the_answer_could_not_be_used(spec: dict[str, Any]) -> None:
    """No Job, no wait."""
    assert words(steps(on_a_claim(**spec))) == ["Apply Deployment qwen3"]


@pytest.mark.parametrize(("told", "fits"), [(SMALL, "True"), (LARGE, "False")])
def test_what_the_look_tells_is_judged_as_of_a_hub(told: str, fits: str) -> None:
    """What fits starts, and what does not holds no GPU."""
    model = on_a_claim()
    heard: dict[str, Any] = {"jobs": (job_of(steps(model)),), "fetchers": (a_fetcher(model, "describe", message=told),)}

    made = [name for name in words(steps(model, **heard)) if "Deployment" in name]

    assert condition(document(model, **heard), "Fits")[0] == fits
    assert made == (["Apply Deployment qwen3"] if fits == "True" else [])


def test_a_look_that_was_heard_is_kept_by_the_status_and_left_alone() -> None:
    """One Job for each model and folder: not made again when its pod is gone, nor taken away before it is done."""
    model = on_a_claim()
    job, pod = job_of(steps(model)), a_fetcher(model, "describe", message=SMALL)
    known = on_a_claim(status=document(model, jobs=(job,), fetchers=(pod,)))

    ended = words(steps(model, claim=the_claim("ReadWriteOnce"), jobs=(job,), fetchers=(pod,)))
    later = words(steps(known, jobs=(job | {"status": DONE},)))

    assert ended == later == ["Apply Deployment qwen3"]


def test_a_look_that_nobody_heard_is_made_again() -> None:
    """Its pod went with its node, before the operator was there."""
    model = on_a_claim()
    done = job_of(steps(model)) | {"status": DONE}

    assert words(steps(model, jobs=(done,))) == [f"Delete Job {looking(model)}"]


def test_another_folder_is_another_look() -> None:
    """The earlier Job goes."""
    before, after = on_a_claim(), on_a_claim(model={"uri": "pvc://models/other"})

    found = words(steps(after, jobs=(job_of(steps(before)),)))

    assert found == [f"Delete Job {looking(before)}", f"Apply Job {looking(after)}"]


def test_weights_that_tell_nothing_of_themselves_stop_nothing() -> None:
    """They were found, in another form than safetensors."""
    model = on_a_claim()
    seen: dict[str, Any] = {"jobs": (job_of(steps(model)),)}
    told = json.dumps({**json.loads(SMALL), "tensors": []})
    seen["fetchers"] = (a_fetcher(model, "describe", message=told),)

    assert words(steps(model, **seen)) == ["Apply Deployment qwen3"]
    assert condition(document(model, **seen), "Fits")[0] == "Unknown"


def test_a_word_that_is_no_report_stops_nothing() -> None:
    """The next one would be no better."""
    model = on_a_claim()
    seen: dict[str, Any] = {"jobs": (job_of(steps(model)),)}
    seen["fetchers"] = (a_fetcher(model, "describe", message="?"),)

    assert words(steps(model, **seen)) == ["Apply Deployment qwen3"]
    assert condition(document(model, **seen), "Fits") == ("Unknown", "ModelFactsUnknown")


@pytest.mark.parametrize("reason", ["ModelPathNotFound", "ModelInvalid", "NotVerified"])
def test_what_is_wrong_with_the_folder_is_told_in_the_words_of_the_look(reason: str) -> None:
    """It keeps replicas waiting where the answer is enforced, else it is told of the fit alone."""
    said = f'{{"reason": "{reason}", "message": "It is so; do this."}}'
    waiting: dict[str, Any] = {"message": said, "code": 78, "waiting": {"reason": "CrashLoopBackOff"}}

    for model, ready in ((on_a_claim(), ("False", reason)), (on_a_claim(**WARN), ("Unknown", "WeightsUnchecked"))):
        seen: dict[str, Any] = {
            "jobs": (job_of(steps(model)),),
            "fetchers": (a_fetcher(model, "describe", **waiting),),
        }
        found = document(model, **seen)
        fits = next(each for each in found["conditions"] if each["type"] == "Fits")

        assert condition(found, "WeightsReady") == ready
        assert (fits["status"], fits["reason"]) == ("Unknown", reason)
        assert "do this" in fits["message"]


def test_replicas_that_serve_are_not_held_up_by_a_look() -> None:
    """An operator that looks comes after one that did not: what runs is left as it is, whatever is told later."""
    model = on_a_claim()
    [deployment] = [
        step.manifest for step in steps(on_a_claim(validation={"fit": "Off"})) if step.kind == kinds.DEPLOYMENT
    ]
    living = {"deployment": deployment, "pods": (a_replica(),)}

    asked = steps(model, **living)
    heard: dict[str, Any] = {"jobs": (job_of(asked),), "fetchers": (a_fetcher(model, "describe", message=SMALL),)}

    assert words(asked) == [f"Apply Job {looking(model)}"]
    assert condition(document(model, **living), "WeightsReady") == ("Unknown", "WeightsUnchecked")
    assert words(steps(model, **living, **heard)) == []


def test_a_layout_that_runs_outlives_the_first_look() -> None:
    """Another one would restart every replica."""
    model = on_a_claim(resources={"gpus": 8, **H200})
    wish = {"parallelism": {"tensor": 4, "pipeline": 2}, "validation": {"fit": "Off"}}
    before = steps(on_a_claim(resources={"gpus": 8, **H200}, **wish))
    [deployment] = [step.manifest for step in before if step.kind == kinds.DEPLOYMENT]
    heard: dict[str, Any] = {"fetchers": (a_fetcher(model, "describe", message=SMALL),), "deployment": deployment}

    assert document(model, **heard)["fit"]["layout"] == {
        "tensor": 4,
        "pipeline": 2,
        "data": 1,
        "expert": "Disabled",
    }
    assert not [name for name in words(steps(model, **heard)) if "Deployment" in name]


def test_the_look_goes_first_to_a_claim_of_one_node_only_where_replicas_wait_for_it() -> None:
    """Else it waits for them, and goes to the node that they are on, so that it never keeps them out."""
    waited_for, beside = on_a_claim(), on_a_claim(**WARN)
    held = the_claim("ReadWriteOnce")

    first = job_of(steps(waited_for, claim=held))["spec"]["template"]["spec"]
    before = words(steps(beside, claim=held))
    after = job_of(steps(beside, claim=held, pods=(a_replica(),)))["spec"]["template"]["spec"]

    assert "affinity" not in first
    assert first["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-H200"}
    assert before == ["Apply Deployment qwen3"]
    [near] = after["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert near["labelSelector"]["matchLabels"] == names.selector("qwen3")


def test_another_folder_of_a_claim_of_one_node_is_looked_at_where_replicas_have_it() -> None:
    """They go on serving until the look has told, so on any other node it would wait for ever."""
    before, after = on_a_claim(validation={"fit": "Off"}), on_a_claim(model={"uri": "pvc://models/other"})
    [deployment] = [step.manifest for step in steps(before) if step.kind == kinds.DEPLOYMENT]
    held: dict[str, Any] = {"claim": the_claim("ReadWriteOnce"), "deployment": deployment}

    found = steps(after, pods=(a_replica(),), **held)

    assert words(found) == [f"Apply Job {looking(after)}"]
    assert "podAffinity" in job_of(found)["spec"]["template"]["spec"]["affinity"]
    assert "affinity" not in job_of(steps(after, **held))["spec"]["template"]["spec"]


def test_the_look_may_go_to_any_node_for_a_claim_that_every_node_can_mount() -> None:
    """Also to those that keep other pods off: there may be no others."""
    spec = job_of(steps(on_a_claim()))["spec"]["template"]["spec"]

    assert "nodeSelector" not in spec
    assert spec["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]


def test_a_claim_that_another_node_holds_is_told_after_a_while() -> None:
    """The pod has a node and no container; of a claim that every node may mount nothing of the kind is said."""
    model = on_a_claim()
    waiting = a_fetcher(model, "describe")
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": NOW}
    waiting |= {"spec": {"nodeName": "gpu-1"}, "status": {"phase": "Pending", "conditions": [scheduled]}}
    seen = {"jobs": (job_of(steps(model)),), "fetchers": (waiting,)}
    held: dict[str, Any] = {**seen, "claim": the_claim("ReadWriteOnce")}

    assert condition(document(model, LATER, **held), "Ready") == ("False", "ClaimHeldElsewhere")
    assert condition(document(model, LATER, **seen), "Ready") == ("False", "DescribingWeights")
    assert status.look_again(model, Snapshot(**held), NOW) == 180


def test_the_look_writes_nothing_asks_nobody_and_takes_little() -> None:
    """The claim is mounted read-only, twice said; no token, no address, no GPU."""
    pod = job_of(steps(on_a_claim(model={"uri": "pvc://models/qwen3", "credentialsRef": {"name": "hub"}})))
    spec = pod["spec"]["template"]["spec"]
    [container] = spec["containers"]

    assert container["args"] == ["describe", "/models/qwen3"]
    assert {"name": "models", "mountPath": "/models", "readOnly": True} in container["volumeMounts"]
    assert [volume for volume in spec["volumes"] if "secret" in volume] == []
    assert [volume["persistentVolumeClaim"] for volume in spec["volumes"] if volume["name"] == "models"] == [
        {"claimName": "models", "readOnly": True}
    ]
    assert container["resources"]["requests"] == {"cpu": "50m", "memory": "128Mi"}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
