"""What is going to be written, and what keeps it from being written."""

import copy
from typing import Any

import pytest

from qwen_operator.core import kinds, plan
from qwen_operator.core.plan import Plan
from qwen_operator.core.problems import Reason
from qwen_operator.core.resource import QwenModel, parse
from qwen_operator.core.snapshot import Manifest, Snapshot
from qwen_operator.core.steps import Apply, CreateOnce
from tests.builders import SETTINGS, a_body, a_claim, a_deployment, a_model, a_network_policy, a_service, recorded

NO_BUDGET: dict[str, Any] = {"disruption": {"podDisruptionBudget": "None"}}
"""For tests of several replicas that are about something else."""


def made(model: QwenModel, **seen: Any) -> Plan:
    """The plan for a model whose claim is there unless said otherwise."""
    return plan.make(model, Snapshot(**({"claim": a_claim()} | seen)), SETTINGS)


def words(found: Plan) -> list[str]:
    """Steps as a log shows them."""
    return [f"{type(step).__name__} {step.kind.kind}: {step.why}" for step in found.steps]


def settled(model: QwenModel) -> dict[str, Manifest]:
    """Everything as it stands after a first plan was carried out."""
    return {
        "deployment": a_deployment(model),
        "service": a_service(model),
        "network_policy": a_network_policy(model),
    }


def test_a_new_model_gets_keys_and_a_fence_then_replicas_then_an_address() -> None:
    """In this order: the Secret can only be made while nothing refers to it, and no replica waits for its address."""
    assert words(made(a_model())) == [
        "CreateOnce Secret: no Deployment refers to it yet",
        "Apply NetworkPolicy: it does not exist",
        "Apply Deployment: it does not exist",
        "Apply Service: it does not exist",
    ]


def test_a_settled_model_is_left_alone() -> None:
    """A restart of the operator writes nothing."""
    model = a_model()

    planned = made(model, **settled(model))

    assert (planned.steps, planned.problem) == ((), None)


@pytest.mark.parametrize(
    ("change", "step"),
    [
        ({"replicas": 3} | NO_BUDGET, "Apply Deployment: spec.replicas is not as asked"),
        ({"service": {"port": 80}}, "Apply Service: spec.ports[80/TCP].name is not as asked"),
    ],
)
def test_an_edit_touches_only_the_child_it_is_about(change: dict[str, Any], step: str) -> None:
    """One write for one change."""
    assert words(made(a_model(**change), **settled(a_model()))) == [step]


def test_a_field_that_is_given_up_is_taken_away() -> None:
    """The living object still holds it, and so holds all that is wanted; the digest of what was sent tells."""
    before = a_model(service={"labels": {"team": "red"}})

    found = made(a_model(), **settled(before))

    assert words(found) == ["Apply Service: it holds something that is no longer asked for"]


def test_a_childs_drift_is_repaired_and_named() -> None:
    """Somebody scaled the Deployment by hand."""
    model = a_model()
    children = settled(model)
    children["deployment"]["spec"]["replicas"] = 7

    assert words(made(model, **children)) == ["Apply Deployment: spec.replicas is not as asked"]


def test_what_others_add_is_left_alone() -> None:
    """A label and an annotation on the Deployment, a sidecar's volume."""
    model = a_model()
    children = settled(model)
    children["deployment"]["metadata"]["labels"]["team"] = "red"
    children["deployment"]["spec"]["template"]["spec"]["volumes"].append({"name": "sidecar", "emptyDir": {}})

    assert made(model, **children).steps == ()


def test_a_deployment_of_another_owner_is_not_taken_for_ours() -> None:
    """The step is made, and the executor finds the name taken."""
    model = a_model()
    children = settled(model)
    children["deployment"]["metadata"]["ownerReferences"][0]["uid"] = "somebody-else"

    assert words(made(model, **children)) == ["Apply Deployment: it does not exist"]


def test_a_suspended_model_keeps_its_address_and_its_keys() -> None:
    """Only the replicas go."""
    found = made(a_model(suspend=True))

    assert [step.kind for step in found.steps] == [
        kinds.SECRET,
        kinds.NETWORK_POLICY,
        kinds.DEPLOYMENT,
        kinds.SERVICE,
    ]
    assert isinstance(found.steps[2], Apply)
    assert found.steps[2].manifest["spec"]["replicas"] == 0


def test_keys_are_not_made_for_a_secret_of_somebody_elses() -> None:
    """Naming one means: mine."""
    assert kinds.SECRET not in [step.kind for step in made(a_model(auth={"secretName": "team"})).steps]


def test_deleted_keys_are_not_made_anew() -> None:
    """Whoever deletes the Secret revokes every key; a Deployment that refers to it shows that it was there."""
    model = a_model()

    steps = made(model, deployment=a_deployment(model), service=None).steps
    assert kinds.SECRET not in [step.kind for step in steps]


def test_keys_are_made_anew_when_a_replica_finds_none() -> None:
    """The Secret may have gone with an earlier model of the same name; nobody could use the model without it."""
    model, (pod,) = a_model(), recorded("no-usable-key")[1].pods

    assert words(made(model, pods=(pod,), **settled(model))) == ["CreateOnce Secret: a replica finds no key"]
    named = a_model(auth={"secretName": "team"})
    assert made(named, pods=(pod,), **settled(named)).steps == ()


def test_a_secret_that_the_deployment_does_not_refer_to_yet_is_made() -> None:
    """The model named its own before, and wants a generated one now."""
    before = a_model(auth={"secretName": "team"})

    steps = made(a_model(), **settled(before)).steps

    assert isinstance(steps[0], CreateOnce)
    assert steps[0].manifest["metadata"]["name"] == "qwen3-api-keys"


OBSTACLES: dict[str, tuple[Manifest | None, Reason]] = {
    "missing": (None, Reason.CLAIM_NOT_FOUND),
    "lost": (a_claim("Lost"), Reason.CLAIM_LOST),
    "being deleted": (a_claim(deletionTimestamp="2026-11-24T11:00:00Z"), Reason.CLAIM_BEING_DELETED),
}


@pytest.mark.parametrize(("claim", "reason"), OBSTACLES.values(), ids=OBSTACLES.keys())
def test_a_claim_that_can_not_be_used_blocks_a_new_model(claim: Manifest | None, reason: Reason) -> None:
    """A pod would only hold its place in vain."""
    found = made(a_model(), claim=claim)

    assert found.steps == ()
    assert found.problem is not None
    assert found.problem.reason is reason


def test_a_claim_that_waits_for_its_first_pod_blocks_nothing() -> None:
    """With WaitForFirstConsumer the pod has to come first."""
    found = made(a_model(), claim=a_claim("Pending"))

    assert found.problem is None
    assert len(found.steps) == 4


def test_replicas_that_run_are_cared_for_though_their_claim_vanished() -> None:
    """They are scaled as asked, and what is wrong is said."""
    found = made(a_model(replicas=2, **NO_BUDGET), claim=None, **settled(a_model()))

    assert [step.kind for step in found.steps] == [kinds.DEPLOYMENT]
    assert found.problem is not None
    assert found.problem.reason is Reason.CLAIM_NOT_FOUND


def test_replicas_that_run_are_not_moved_to_a_claim_that_is_not_there() -> None:
    """A typing error in the URI costs nothing."""
    model = a_model(model={"uri": "pvc://modles/qwen3"})

    found = made(model, claim=None, **settled(a_model()))

    assert found.steps == ()
    assert found.problem is not None


def test_a_model_without_replicas_needs_no_claim() -> None:
    """So it can be suspended whatever is wrong with the claim."""
    found = made(a_model(suspend=True), claim=None, **settled(a_model()))

    assert [step.kind for step in found.steps] == [kinds.DEPLOYMENT]


@pytest.mark.parametrize("change", [{"server": {"image": "registry.example/x:2"}}, {"resources": {"cpu": "3"}}])
def test_replicas_that_serve_are_not_replaced_while_their_successors_could_not_start(change: dict[str, Any]) -> None:
    """Their claim is being deleted: with the last pod that uses it, it would be gone."""
    leaving = a_claim(deletionTimestamp="2026-11-24T11:00:00Z")

    assert made(a_model(**change), claim=leaving, **settled(a_model())).steps == ()
    [scaled] = made(a_model(replicas=2, **NO_BUDGET, **change), claim=leaving, **settled(a_model())).steps
    assert isinstance(scaled, Apply)
    assert scaled.why == "spec.replicas is not as asked"
    assert scaled.manifest["spec"]["template"] == a_deployment(a_model())["spec"]["template"]


def test_a_model_is_not_woken_without_its_claim() -> None:
    """The living Deployment refers to the claim, but runs nothing."""
    asleep = a_model(suspend=True)

    assert made(a_model(), claim=None, **settled(asleep)).steps == ()


def test_a_model_that_is_being_deleted_gets_nothing() -> None:
    """Its children leave by owner reference."""
    body = a_body()
    body["metadata"]["deletionTimestamp"] = "2026-11-24T11:00:00Z"

    assert made(parse(body)) == Plan()


def test_a_plan_is_the_same_each_time_and_changes_nothing_it_reads() -> None:
    """Pure: no clock, no chance, no trace."""
    model = a_model(replicas=2, device="GPU")
    seen = Snapshot(claim=a_claim(), deployment=a_deployment(a_model()))
    before = copy.deepcopy((model, seen))

    assert plan.make(model, seen, SETTINGS) == plan.make(model, seen, SETTINGS)
    assert (model, seen) == before
