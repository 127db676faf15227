"""What kubectl, kstatus, Argo CD and Flux make of every state; the last two by what docs/gitops.md gives them."""

from typing import Any

import cel
import lupa
import pytest
import yaml

from qwen_operator.core import plan, status
from qwen_operator.core.plan import Outcome, Plan
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.resource.report import UNSEEN
from qwen_operator.core.snapshot import Manifest, Snapshot
from tests.builders import NOW, SETTINGS, a_body, a_claim, a_deployment, a_model, recorded, recordings, rolled_out
from tests.golden.written import LATER, ROOT
from tests.operator_unit.core import kstatus
from tests.operator_unit.core.test_fitting import CODER

PAGE = (ROOT / "docs" / "gitops.md").read_text()
BLOCKS = [yaml.safe_load(part.partition("```")[0]) for part in PAGE.split("```yaml\n")[1:]]
((ARGO,),) = (block["data"].values() for block in BLOCKS if "data" in block)
((FLUX,),) = (block["spec"]["healthCheckExprs"] for block in BLOCKS if "spec" in block)
AT_REST = {"Suspended", "ScaledToZero"}


def stored(document: Manifest, model: QwenModel) -> Manifest:
    """A model as a tool reads it."""
    return a_body(generation=model.metadata.generation) | {"status": document}


def said(model: QwenModel, *, problem: Problem | None = None, now: str = NOW, **seen: Any) -> Manifest:
    """A model with the status of a situation."""
    snapshot = Snapshot(**({"claim": a_claim()} | seen))
    return stored(status.document(model, snapshot, Plan((), problem), Outcome(), now), model)


def of_recording(name: str) -> Manifest:
    """A model in a situation that a real cluster reported."""
    model, seen = recorded(name)
    return stored(status.document(model, seen, Plan(), Outcome(), LATER), model)


def too_large() -> Manifest:
    """A model that the numbers rule out."""
    known = {"source": "hf://a/b", "commit": "1", "bytes": 1, "files": 1, "facts": CODER}
    resources = {"gpus": 1, "gpuMemory": "8Gi"}
    model = a_model(model={"uri": "hf://a/b"}, device="GPU", resources=resources, status={"weights": known})
    planned = plan.make(model, Snapshot(), SETTINGS)
    return stored(status.document(model, Snapshot(), planned, Outcome(), NOW), model)


RUNNING = a_model(replicas=2)
STATES: dict[str, tuple[Manifest, str, str, str]] = {
    "nobody has looked": (stored(UNSEEN, RUNNING), "InProgress", "Progressing", "InProgress"),
    "changed since the last look": (
        said(RUNNING, deployment=rolled_out(RUNNING, 2)) | {"metadata": {"name": "qwen3", "generation": 2}},
        "InProgress",
        "Progressing",
        "InProgress",
    ),
    "serving": (said(RUNNING, deployment=rolled_out(RUNNING, 2)), "Current", "Healthy", "Current"),
    "starting": (said(RUNNING, deployment=a_deployment(RUNNING)), "InProgress", "Progressing", "InProgress"),
    "replaced while others answer": (
        said(RUNNING, deployment=rolled_out(RUNNING, 2, updatedReplicas=1)),
        "InProgress",
        "Progressing",
        "InProgress",
    ),
    "suspended": (said(a_model(suspend=True)), "InProgress", "Suspended", "Current"),
    "scaled to zero": (said(a_model(replicas=0)), "InProgress", "Suspended", "Current"),
    "a claim that is missing": (
        said(RUNNING, problem=Reason.CLAIM_NOT_FOUND.about(claim="models", namespace="team"), claim=None),
        "InProgress",
        "Degraded",
        "InProgress",
    ),
    "unreadable": (
        stored(status.unreadable(a_body(), Reason.INVALID_SPEC.about(field="spec", why="x"), NOW), a_model()),
        "InProgress",
        "Degraded",
        "Failed",
    ),
    "too large": (too_large(), "InProgress", "Degraded", "Failed"),
}
"""A state, and what kstatus, Argo CD and Flux are to make of it."""

EVERY = {name: state for name, (state, *_) in STATES.items()} | {name: of_recording(name) for name in recordings()}


def argo(model: Manifest) -> Any:
    """Argo CD's health of a model: it runs the script in a sandbox of Lua 5.1 with the object as `obj`."""
    lua = lupa.LuaRuntime(unpack_returned_tuples=True)
    lua.globals().obj = lua.table_from(model, recursive=True)
    return lua.execute(ARGO)


def flux(model: Manifest) -> str:
    """Flux's verdict: `inProgress` is asked first, then `failed`, then `current` (Flux 2.5 and later)."""
    found = (verdict for verdict in ("inProgress", "failed", "current") if cel.evaluate(FLUX[verdict], model))
    first = next(found, "inProgress")
    return first[0].upper() + first[1:]


@pytest.mark.parametrize(("model", "expected"), [(s, e) for s, e, _, _ in STATES.values()], ids=STATES)
def test_kstatus_takes_nothing_for_current_but_what_serves(model: Manifest, expected: str) -> None:
    """Least of all what nobody has looked at."""
    assert kstatus.verdict(model) == expected


@pytest.mark.parametrize(("model", "expected"), [(s, e) for s, _, e, _ in STATES.values()], ids=STATES)
def test_argo_cd_tells_a_wait_from_a_defect(model: Manifest, expected: str) -> None:
    """By the health check of the page."""
    health = argo(model)

    assert health.status == expected
    assert health.message


@pytest.mark.parametrize(("model", "expected"), [(s, e) for s, _, _, e in STATES.values()], ids=STATES)
def test_flux_gives_up_where_no_waiting_helps(model: Manifest, expected: str) -> None:
    """By the expressions of the page."""
    assert flux(model) == expected


@pytest.mark.parametrize("model", EVERY.values(), ids=EVERY)
def test_all_of_them_agree_about_what_serves(model: Manifest) -> None:
    """In every state, recorded ones included, and nobody is ever told that it failed while it only waits."""
    serves, rests = kstatus.waited_for(model), model["status"]["reason"] in AT_REST

    assert (kstatus.verdict(model) == "Current") == serves
    assert (argo(model).status == "Healthy") == serves
    assert (flux(model) == "Current") == (serves or rests)
    assert kstatus.verdict(model) != "Failed"


def test_a_model_that_is_being_deleted_is_terminating() -> None:
    """Whatever its status says."""
    model = said(RUNNING, deployment=rolled_out(RUNNING, 2))
    model["metadata"] = model["metadata"] | {"deletionTimestamp": NOW}

    assert kstatus.verdict(model) == "Terminating"


def test_kubectl_wait_does_not_take_the_status_of_an_earlier_spec() -> None:
    """A change is waited for."""
    model = said(RUNNING, deployment=rolled_out(RUNNING, 2))

    assert kstatus.waited_for(model)
    assert not kstatus.waited_for(model | {"metadata": model["metadata"] | {"generation": 2}})
