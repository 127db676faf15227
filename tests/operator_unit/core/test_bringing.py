"""How weights come to a claim: asked for, fetched, and only then served."""

from typing import Any

import pytest

from qwen_operator.core import kinds, names, plan, status
from qwen_operator.core.place import mark, place
from qwen_operator.core.plan import Outcome, Plan
from qwen_operator.core.problems import Reason
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Manifest, Snapshot
from qwen_operator.core.steps import Apply, Delete
from tests.builders import NOW, SETTINGS, a_model, a_network_policy, a_service, rolled_out
from tests.operator_unit.core.test_affinity import affinity

HUB = {"uri": "hf://Qwen/Qwen3-8B@v1.0"}
REPORT = '{"commit":"3f2a1b", "bytes": 16106127360, "files": 9, "config": {}, "tensors": []}'
DONE = {"conditions": [{"type": "Complete", "status": "True"}]}


def from_hub(**spec: Any) -> QwenModel:
    """A model on a hub."""
    return a_model(**({"model": HUB} | spec))


def a_job(model: QwenModel, verb: str, **more: Any) -> Manifest:
    """A Job as it lives; `status` says how far it is."""
    wanted = names.weights_job(model.metadata.name, verb, mark(model))
    step = next(
        (step for step in made(model, whole=verb == "fetch") if step.kind == kinds.JOB and name_of(step) == wanted),
        None,
    )
    assert step is not None
    manifest: Manifest = step.manifest
    return manifest | {"metadata": {**manifest["metadata"], "uid": f"of-{verb}"}, **more}


def a_fetcher(model: QwenModel, verb: str, *, message: str = REPORT, code: int = 0, **state: Any) -> Manifest:
    """The pod of a Job, whose container has ended unless `state` says otherwise."""
    ended = {"exitCode": code, "reason": "Error" if code else "Completed", "message": message, "finishedAt": NOW}
    container = {"name": "weights", "state": state or {"terminated": ended}}
    if state:
        container["lastState"] = {"terminated": ended}
    labels = {**names.weights_labels("qwen3"), names.JOB_NAME: names.weights_job("qwen3", verb, mark(model))}
    phase = "Running" if code or state else "Succeeded"
    metadata = {"name": f"qwen3-{verb}-x-abcde", "namespace": "team", "creationTimestamp": NOW, "labels": labels}
    return {"metadata": metadata, "status": {"phase": phase, "containerStatuses": [container]}}


def a_weights_claim(size: str = "17Gi") -> Manifest:
    """The claim as it was made for one replica, and as the API server keeps it."""
    step = next(step for step in made(from_hub(cache={"size": size})) if step.kind == kinds.CLAIM)
    manifest: Manifest = step.manifest
    spec = manifest["spec"] | {"storageClassName": "standard", "volumeMode": "Filesystem"}
    return manifest | {"metadata": {**manifest["metadata"], "uid": "c1"}, "spec": spec}


def made(model: QwenModel, *, whole: bool = False, **seen: Any) -> list[Any]:
    """Steps of a plan; `whole` says that the size is known and the claim is there."""
    given = {"fetchers": (a_fetcher(model, "measure"),), "claim": a_weights_claim()} if whole else {}
    return list(plan.make(model, Snapshot(**(given | seen)), SETTINGS).steps)


def name_of(step: Any) -> str:
    """The name of what a step is about."""
    return str(step.name if isinstance(step, Delete) else step.manifest["metadata"]["name"])


def words(steps: list[Any]) -> list[str]:
    """Kind and name of each step that is not about what every model has."""
    common = {kinds.SECRET, kinds.SERVICE, kinds.NETWORK_POLICY}
    return [f"{type(step).__name__} {step.kind.kind} {name_of(step)}" for step in steps if step.kind not in common]


def around() -> dict[str, Manifest]:
    """What stands around the replicas of every model."""
    return {"service": a_service(a_model()), "network_policy": a_network_policy(a_model())}


def brought(model: QwenModel, **more: Any) -> dict[str, Any]:
    """Everything as it is once the files are there."""
    jobs = (a_job(model, "measure", status=DONE), a_job(model, "fetch", status=DONE))
    fetchers = (a_fetcher(model, "fetch"), a_fetcher(model, "measure"))
    return {"jobs": jobs, "fetchers": fetchers, "claim": a_weights_claim(), **around(), **more}


def test_a_source_has_a_folder_of_its_own_on_whatever_claim() -> None:
    """Two models of the same source can share one; a revision's slashes don't make folders."""
    there = place(from_hub())
    shared = place(from_hub(model={"uri": "hf://Qwen/Qwen3-8B@feature/x"}, cache={"claimName": "team-weights"}))
    bucket = place(a_model(model={"uri": "s3://models/qwen/8b/"}))

    assert (there.claim, there.folder, there.made) == ("qwen3-weights", "hf/Qwen/Qwen3-8B@v1.0", True)
    assert (shared.claim, shared.folder, shared.made) == ("team-weights", "hf/Qwen/Qwen3-8B@feature--x", False)
    assert (bucket.folder, bucket.fetched) == ("s3/models/qwen/8b", True)


def test_first_the_source_is_asked_how_much_there_is() -> None:
    """No claim, no GPU, no replica yet."""
    model = from_hub()

    assert words(made(model)) == [f"Apply Job qwen3-measure-{mark(model)}"]
    assert words(made(model, jobs=(a_job(model, "measure"),))) == []


def test_no_key_is_made_before_the_replicas_that_take_it() -> None:
    """A fetch may last for hours with a look every ten seconds, and each would ask for the Secret again."""
    model = from_hub()

    assert kinds.SECRET not in {step.kind for step in made(model)}
    assert [step.kind for step in made(model, **brought(model))] == [kinds.SECRET, kinds.DEPLOYMENT]


def test_then_a_claim_with_a_tenth_to_spare_is_made_and_fetched_into() -> None:
    """15 GiB of weights on 17 GiB."""
    model = from_hub()

    steps = made(model, fetchers=(a_fetcher(model, "measure"),), jobs=(a_job(model, "measure", status=DONE),))

    fetch = f"Apply Job qwen3-fetch-{mark(model)}"
    assert words(steps) == ["Apply PersistentVolumeClaim qwen3-weights", fetch]
    claim = next(step.manifest for step in steps if step.kind == kinds.CLAIM)
    assert claim["spec"]["resources"]["requests"]["storage"] == "17Gi"
    assert "ownerReferences" not in claim["metadata"]


def test_a_size_that_is_given_is_not_asked_for() -> None:
    """One Job less."""
    model = from_hub(cache={"size": "20Gi", "retain": "Delete", "storageClassName": "fast"})

    steps = made(model)

    assert words(steps) == ["Apply PersistentVolumeClaim qwen3-weights", f"Apply Job qwen3-fetch-{mark(model)}"]
    claim = next(step.manifest for step in steps if step.kind == kinds.CLAIM)
    assert (claim["spec"]["resources"]["requests"]["storage"], claim["spec"]["storageClassName"]) == ("20Gi", "fast")
    assert claim["metadata"]["ownerReferences"][0]["name"] == "qwen3"


def test_replicas_come_once_everything_is_verified() -> None:
    """With the folder on the claim, read-only."""
    model = from_hub()

    steps = made(model, **brought(model))

    assert words(steps) == ["Apply Deployment qwen3"]
    pod = steps[-1].manifest["spec"]["template"]["spec"]
    assert "--model=/models/hf/Qwen/Qwen3-8B@v1.0" in pod["containers"][0]["args"]
    assert {"name": "models", "persistentVolumeClaim": {"claimName": "qwen3-weights", "readOnly": True}} in pod[
        "volumes"
    ]


def test_a_settled_model_is_left_alone() -> None:
    """Also when the pods of its Jobs are gone: the status has kept what they said."""
    model = from_hub()
    seen = brought(model, deployment=a_deployment_of(model))
    known = {"weights": {"source": HUB["uri"], "commit": "3f2a1b", "bytes": 16106127360, "files": 9}}

    assert made(model, **seen) == []
    assert made(from_hub(status=known), **(seen | {"fetchers": ()})) == []


def a_deployment_of(model: QwenModel) -> Manifest:
    """The Deployment of a model whose files are there."""
    step = made(model, **brought(model))[-1]
    manifest: Manifest = step.manifest
    return manifest | {"status": {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}}


def test_a_claim_that_lives_keeps_what_can_not_be_changed_and_never_shrinks() -> None:
    """Its access mode was chosen for one replica; a smaller size is no reason to touch it."""
    model = from_hub(replicas=3, cache={"size": "10Gi"})

    assert kinds.CLAIM not in {step.kind for step in made(model, claim=a_weights_claim("17Gi"))}
    [grown] = [step for step in made(from_hub(cache={"size": "30Gi"}), whole=True) if step.kind == kinds.CLAIM]
    assert grown.manifest["spec"]["resources"]["requests"]["storage"] == "30Gi"
    assert grown.manifest["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_a_class_that_was_asked_for_stays_asked_for() -> None:
    """To leave it out would be to change it, which the API server refuses; its own default is left to it."""
    named = from_hub(cache={"size": "20Gi", "storageClassName": "fast"})
    claim = next(step for step in made(named) if step.kind == kinds.CLAIM).manifest
    living = claim | {"metadata": {**claim["metadata"], "uid": "c1"}}

    unnamed, grown = (made(from_hub(cache={"size": size}), claim=living) for size in ("20Gi", "30Gi"))

    assert [step for step in unnamed if step.kind == kinds.CLAIM] == []
    [step] = [step for step in grown if step.kind == kinds.CLAIM]
    assert (step.manifest["spec"]["storageClassName"], step.why) == (
        "fast",
        "spec.resources.requests.storage is not as asked",
    )


def test_a_claim_of_somebody_elses_is_not_fetched_into() -> None:
    """The step that takes it will be refused, and nothing comes after it."""
    model = from_hub()
    foreign = {"metadata": {"name": "qwen3-weights", "namespace": "team"}, "spec": {}}

    steps = made(model, fetchers=(a_fetcher(model, "measure"),), claim=foreign)

    assert words(steps) == ["Apply PersistentVolumeClaim qwen3-weights"]


def test_a_claim_that_is_named_must_be_there() -> None:
    """It is not ours to make."""
    found = plan.make(from_hub(cache={"claimName": "shared"}), Snapshot(), SETTINGS)

    assert found.problem is not None
    assert found.problem.reason is Reason.CLAIM_NOT_FOUND
    assert found.steps == ()


def test_replicas_of_an_earlier_source_serve_until_the_new_one_is_there() -> None:
    """They are scaled meanwhile; what is fetched for them is given up."""
    before, after = from_hub(), from_hub(model={"uri": "hf://Qwen/Qwen3-8B@v2.0"})
    seen = brought(before, deployment=a_deployment_of(before))

    old = [f"Delete Job qwen3-{verb}-{mark(before)}" for verb in ("measure", "fetch")]
    assert words(made(after, **seen)) == [*old, f"Apply Job qwen3-measure-{mark(after)}"]
    scaled = from_hub(model={"uri": "hf://Qwen/Qwen3-8B@v2.0"}, replicas=2)
    [step] = [step for step in made(scaled, **seen) if step.kind == kinds.DEPLOYMENT]
    assert isinstance(step, Apply)
    assert step.manifest["spec"]["template"] == a_deployment_of(before)["spec"]["template"]


def test_a_job_that_is_to_run_otherwise_makes_room_and_one_that_is_done_does_not() -> None:
    """A Job can't be changed; an operator of another release takes nothing away that has worked."""
    model = from_hub()
    other = {"metadata": {}, "spec": {"containers": [{"image": "registry.example/older:1"}]}}
    running = a_job(model, "fetch", spec={"template": other})
    done = a_job(model, "fetch", spec={"template": other}, status=DONE)

    assert words(made(model, whole=True, jobs=(running,)))[-1] == f"Delete Job qwen3-fetch-{mark(model)}"
    assert words(made(model, whole=True, jobs=(done,)))[-1] == "Apply Deployment qwen3"


def test_files_whose_claim_is_gone_are_fetched_again() -> None:
    """The Job that was done is no proof any more."""
    model = from_hub()
    seen = brought(model) | {"claim": None}

    steps = words(made(model, **seen))

    assert steps == ["Apply PersistentVolumeClaim qwen3-weights", f"Delete Job qwen3-fetch-{mark(model)}"]


def test_a_suspended_model_fetches_on() -> None:
    """It costs no GPU, and the Deployment stands ready with none."""
    model = from_hub(suspend=True)

    assert words(made(model)) == [f"Apply Job qwen3-measure-{mark(model)}", "Apply Deployment qwen3"]


def fetching(model: QwenModel) -> Manifest:
    """The Job's pod spec."""
    spec: Manifest = a_job(model, "fetch")["spec"]["template"]["spec"]
    return spec


def test_the_job_is_restricted_and_holds_no_gpu() -> None:
    """It may write to the claim and to scratch."""
    spec = fetching(from_hub(device="GPU", resources={"gpus": 8, "gpuProduct": "NVIDIA-H200"}))
    [container] = spec["containers"]

    assert container["command"] == ["qwen-weights"]
    assert container["args"][:3] == ["fetch", HUB["uri"], "/models/hf/Qwen/Qwen3-8B@v1.0"]
    assert "nvidia.com/gpu" not in str(container["resources"])
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert (spec["automountServiceAccountToken"], spec["securityContext"]["runAsNonRoot"]) == (False, True)
    assert spec["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-H200"}


def test_the_job_goes_where_replicas_may_run_and_knows_no_other_pods() -> None:
    """A claim that one node uses may be bound to the Job's node."""
    h200 = affinity({"key": "pool", "operator": "In", "values": ["h200"]})
    near = {"labelSelector": {}, "topologyKey": "kubernetes.io/hostname"}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [near]}}
    scheduling = {"affinity": {**h200, **apart}, "schedulerName": "volcano"}

    spec = fetching(from_hub(scheduling=scheduling))

    assert spec["affinity"] == h200
    assert "schedulerName" not in spec
    assert "affinity" not in fetching(from_hub(scheduling=scheduling, replicas=2))


def test_a_token_is_a_file_and_no_word_of_a_command_line() -> None:
    """Optional, so that without it the Job speaks for itself."""
    spec = fetching(from_hub(model=HUB | {"credentialsRef": {"name": "hub", "key": "hf"}}))
    [container] = spec["containers"]

    assert "--token-file=/etc/qwen/credentials/token" in container["args"]
    [secret] = [volume["secret"] for volume in spec["volumes"] if "secret" in volume]
    assert (secret["secretName"], secret["items"], secret["optional"]) == (
        "hub",
        [{"key": "hf", "path": "token"}],
        True,
    )


def test_the_keys_of_a_store_come_under_its_own_names() -> None:
    """Three entries of the Secret, each optional; no volume."""
    spec = fetching(a_model(model={"uri": "s3://models/qwen3", "credentialsRef": {"name": "store"}}))
    [container] = spec["containers"]
    from_secret = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in container["env"] if "valueFrom" in each}

    assert set(from_secret) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"}
    assert from_secret["AWS_ACCESS_KEY_ID"] == {"name": "store", "key": "AWS_ACCESS_KEY_ID", "optional": True}
    assert not [volume for volume in spec["volumes"] if "secret" in volume]


def said(model: QwenModel, **seen: Any) -> Manifest:
    """The status for what is seen."""
    return status.document(model, Snapshot(**seen), Plan(), Outcome(), NOW)


def condition(document: Manifest, kind: str) -> tuple[str, str]:
    """Status and reason of a condition."""
    return next((each["status"], each["reason"]) for each in document["conditions"] if each["type"] == kind)


def test_the_status_tells_where_the_weights_are_on_their_way() -> None:
    """Asked for, fetched, verified."""
    model = from_hub()

    asked = said(model, jobs=(a_job(model, "measure"),))
    fetched = said(
        model, jobs=(a_job(model, "fetch"),), fetchers=(a_fetcher(model, "measure"),), claim=a_weights_claim()
    )
    there = said(model, **brought(model, deployment=rolled_out(a_model(), 1)))

    assert condition(asked, "WeightsReady") == condition(asked, "Ready") == ("False", "MeasuringWeights")
    assert condition(fetched, "WeightsReady") == ("False", "FetchingWeights")
    assert condition(fetched, "Progressing") == ("True", "FetchingWeights")
    assert condition(there, "WeightsReady") == ("True", "WeightsVerified")
    kept = {"source": HUB["uri"], "commit": "3f2a1b", "bytes": 16106127360, "files": 9, "facts": REPORT}
    assert there["weights"] == kept


@pytest.mark.parametrize("reason", ["SourceUnauthorized", "SourceForbiddenGated", "OutOfSpace", "RateLimited"])
def test_the_jobs_own_reason_is_told_while_it_waits_for_its_next_attempt(reason: str) -> None:
    """And not any more while it runs again."""
    model = from_hub()
    message = f'{{"reason": "{reason}", "message": "It is so; do this."}}'
    waiting = a_fetcher(model, "fetch", message=message, code=78, waiting={"reason": "CrashLoopBackOff"})
    running = a_fetcher(model, "fetch", message=message, code=78, running={"startedAt": NOW})
    seen = {"jobs": (a_job(model, "fetch"),), "claim": a_weights_claim()}
    known = from_hub(cache={"size": "17Gi"})

    failed = said(known, **(seen | {"fetchers": (waiting,)}))
    again = said(known, **(seen | {"fetchers": (running,)}))

    assert condition(failed, "WeightsReady") == condition(failed, "Ready") == ("False", reason)
    assert condition(failed, "Progressing") == ("False", reason)
    assert "It is so; do this." in failed["message"]
    assert condition(again, "Ready") == ("False", "FetchingWeights")


def test_a_job_without_words_is_told_by_its_exit() -> None:
    """Whatever ended it."""
    model = from_hub(cache={"size": "17Gi"})
    killed = a_fetcher(model, "fetch", message="", code=137, waiting={"reason": "CrashLoopBackOff"})

    found = said(model, jobs=(a_job(model, "fetch"),), fetchers=(killed,), claim=a_weights_claim())

    assert condition(found, "Ready") == ("False", "FetchFailed")
    assert "exit code 137" in found["message"]


def test_an_earlier_source_that_serves_on_is_available_and_not_ready() -> None:
    """What was asked for last is not there yet."""
    before, after = from_hub(), from_hub(model={"uri": "hf://Qwen/Qwen3-8B@v2.0"})

    found = said(after, **brought(before, deployment=rolled_out(a_model(), 1)))

    assert condition(found, "Available") == ("True", "Serving")
    assert condition(found, "Ready") == ("False", "MeasuringWeights")
    assert "weights" not in found


def test_files_on_a_claim_of_somebody_elses_are_judged_by_the_server() -> None:
    """Unknown before it has looked."""
    model = a_model()

    assert condition(said(model), "WeightsReady") == ("Unknown", "WeightsUnchecked")
    ready = {"metadata": {"name": "a", "labels": {}}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    assert condition(said(model, pods=(ready,)), "WeightsReady") == ("True", "WeightsUsed")


def test_a_step_of_a_job_can_be_applied() -> None:
    """It is a whole object."""
    [step] = [step for step in made(from_hub()) if step.kind == kinds.JOB]

    assert isinstance(step, Apply)
    assert step.manifest["spec"]["backoffLimit"] == 2**31 - 1
