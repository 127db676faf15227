"""The admission policy and objects that are there already: others' are left alone, and others' marks on ours stay."""

from collections.abc import Iterator
from typing import Any

import pytest

from qwen_operator.core import kinds, names
from qwen_operator.core.kinds import Kind
from tests.operator_api.rights.account import TEAM, Account
from tests.operator_api.rights.test_policy import (
    BUDGET,
    CHILDREN,
    CLAIM,
    DEPLOYMENT,
    EVENT,
    JOB,
    OWNER,
    POLICY,
    SERVICE,
    changed,
)

Json = dict[str, Any]

LEFT_ALONE = "already must be left alone"
CHILD = "as its controller"


@pytest.fixture
def there(admin: Account) -> Iterator[Any]:
    """Puts an object there with all rights, and takes it away afterwards."""
    made: list[tuple[Kind, str]] = []

    def put(kind: Kind, manifest: Json) -> Json:
        answer = admin.create(kind, manifest)
        assert answer.allowed, answer.message
        made.append((kind, manifest["metadata"]["name"]))
        return answer.document

    yield put
    for kind, name in made:
        admin.delete(kind, name)


FOREIGN: dict[str, tuple[Kind, Json, str]] = {
    "a Deployment": (kinds.DEPLOYMENT, DEPLOYMENT, LEFT_ALONE),
    "a Service": (kinds.SERVICE, SERVICE, LEFT_ALONE),
    "a Job": (kinds.JOB, JOB, LEFT_ALONE),
    "a NetworkPolicy": (kinds.NETWORK_POLICY, POLICY, LEFT_ALONE),
    "a PodDisruptionBudget": (kinds.DISRUPTION_BUDGET, BUDGET, LEFT_ALONE),
    "a claim": (kinds.CLAIM, CLAIM, "not made for weights must be left alone"),
    "an event": (kinds.EVENT, EVENT, "by the operator"),
}


@pytest.mark.parametrize(("kind", "ours", "sentence"), FOREIGN.values(), ids=FOREIGN)
def test_what_somebody_else_made_cannot_be_taken_over(
    operator: Account, there: Any, kind: Kind, ours: Json, sentence: str
) -> None:
    """Not even by making it look like a child."""
    there(kind, changed(ours, **{"metadata.ownerReferences": [], "metadata.labels": {}, "reportingComponent": "other"}))

    answer = operator.apply(kind, ours, trial=True)

    assert (answer.status, sentence in answer.message) == (403, True), answer.message


@pytest.mark.parametrize("kind", [kinds.JOB, kinds.NETWORK_POLICY, kinds.DISRUPTION_BUDGET])
def test_what_somebody_else_made_cannot_be_deleted(operator: Account, there: Any, kind: Kind) -> None:
    """Of every kind that the Role lets the operator delete; a child of its own it may."""
    ours = next(manifest for manifest in CHILDREN.values() if manifest["kind"] == kind.kind)
    name = ours["metadata"]["name"]
    there(kind, changed(ours, **{"metadata.ownerReferences": []}))
    there(kind, changed(ours, **{"metadata.name": "ours"}))

    foreign, child = operator.delete(kind, name, trial=True), operator.delete(kind, "ours", trial=True)

    assert (foreign.status, CHILD in foreign.message) == (403, True)
    assert child.allowed, child.message


def test_a_child_of_another_model_of_the_same_name_is_left_alone(operator: Account, there: Any) -> None:
    """Models of one name follow one another; the uid tells them apart."""
    there(kinds.SERVICE, changed(SERVICE, **{"metadata.ownerReferences": [OWNER | {"uid": "another"}]}))

    answer = operator.merge(kinds.SERVICE, SERVICE["metadata"]["name"], {"metadata": SERVICE["metadata"]}, trial=True)

    assert (answer.status, LEFT_ALONE in answer.message) == (403, True), answer.message


def test_a_label_that_somebody_took_away_can_be_put_back(operator: Account, there: Any) -> None:
    """Drift is repaired."""
    there(kinds.DEPLOYMENT, changed(DEPLOYMENT, **{"metadata.labels": {}}))

    answer = operator.apply(kinds.DEPLOYMENT, DEPLOYMENT, trial=True)

    assert answer.allowed, answer.message


def test_what_others_have_added_to_a_child_does_not_stand_in_the_way(operator: Account, there: Any) -> None:
    """A container, a volume, a label, an annotation: the operator carries them along and changes its own."""
    template = DEPLOYMENT["spec"]["template"]
    container = {"name": "mesh", "image": "mesh.example/proxy:1", "env": [{"name": "A", "value": "b"}]}
    there(
        kinds.DEPLOYMENT,
        changed(
            DEPLOYMENT,
            **{
                "spec.template.spec.containers": [*template["spec"]["containers"], container],
                "spec.template.spec.volumes": [*template["spec"]["volumes"], {"name": "m", "configMap": {"name": "m"}}],
                "spec.template.metadata.labels": {**template["metadata"]["labels"], "mesh": "on"},
                "spec.template.metadata.annotations": {"mesh.example/inject": "true"},
            },
        ),
    )

    answer = operator.apply(kinds.DEPLOYMENT, changed(DEPLOYMENT, **{"spec.replicas": 3}), trial=True)

    assert answer.allowed, answer.message
    names_of = [each["name"] for each in answer.document["spec"]["template"]["spec"]["containers"]]
    assert sorted(names_of) == ["mesh", names.CONTAINER]


def test_a_restart_by_hand_is_carried_along(operator: Account, there: Any) -> None:
    """`kubectl rollout restart` writes an annotation into the template."""
    there(kinds.DEPLOYMENT, DEPLOYMENT)
    restarted = changed(
        DEPLOYMENT, **{"spec.template.metadata.annotations": {"kubectl.kubernetes.io/restartedAt": "2026-01-01"}}
    )

    answer = operator.apply(kinds.DEPLOYMENT, restarted, trial=True)

    assert answer.allowed, answer.message


def test_of_a_model_only_the_status_can_be_written(operator: Account, admin: Account) -> None:
    """The Role says so, and the API server itself ignores all else in such a request."""
    body = {"apiVersion": kinds.API_VERSION, "kind": "QwenModel", "metadata": {"name": "told", "namespace": TEAM}}
    admin.apply(kinds.QWEN_MODEL, body | {"spec": {"model": {"uri": "pvc://models/qwen3"}}})
    status = {"observedGeneration": 1, "reason": "Ready", "message": "Told.", "conditions": []}

    answer = operator.apply(kinds.QWEN_MODEL_STATUS, body | {"status": status}, trial=True)
    spec = operator.apply(kinds.QWEN_MODEL, body | {"spec": {"model": {"uri": "pvc://evil/qwen3"}}}, trial=True)

    assert answer.allowed, answer.message
    assert (spec.status, "ValidatingAdmissionPolicy" in spec.message) == (403, False)
