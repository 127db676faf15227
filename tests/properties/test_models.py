"""QwenModels, and what pods say of them: the operator decides or names the field, and its status can be stored."""

import json
from typing import Any

import jsonschema
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from qwen_operator import crd
from qwen_operator.core import plan, status
from qwen_operator.core.excerpt import LONGEST, excerpt
from qwen_operator.core.fit.architecture import Unsupported
from qwen_operator.core.fit.facts import reported
from qwen_operator.core.plan import Outcome
from qwen_operator.core.pod_standard import faults
from qwen_operator.core.progress import Progress, progress
from qwen_operator.core.quantity import canonical
from qwen_operator.core.resource import InvalidResource, QwenModel, parse
from qwen_operator.core.snapshot import Manifest, Snapshot
from qwen_operator.core.steps import Delete
from qwen_operator.reconcile import as_stored
from tests.builders import NOW, SETTINGS, UID, a_body, a_claim, a_model, rolled_out
from tests.checkpoints import QWEN3_8B, report
from tests.golden.written import ROOT
from tests.properties.made_up import ANY, BYTES, WORDS, almost, words_of

EXAMPLES = [yaml.safe_load(path.read_text())["spec"] for path in sorted((ROOT / "examples").glob("*.yaml"))]
SPECS = st.sampled_from(EXAMPLES).flatmap(almost)
STATUS = crd.document()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
STORABLE = jsonschema.Draft202012Validator(STATUS)
HUB: Manifest = {"model": {"uri": "hf://Qwen/Qwen3-8B"}}
KEPT: Manifest = as_stored(
    status.document(
        a_model(), Snapshot(claim=a_claim(), deployment=rolled_out(a_model(), 1)), plan.Plan(), Outcome(), NOW
    )
)


def parsed(body: Manifest) -> QwenModel | None:
    """The model, or None where it was refused."""
    try:
        return parse(body)
    except InvalidResource:
        return None


def decided(model: QwenModel, seen: Snapshot) -> None:
    """There is a plan without a pod that may do too much, and a status that can be stored."""
    planned = plan.make(model, seen, SETTINGS)
    assert [fault for step in planned.steps if not isinstance(step, Delete) for fault in faults(step.manifest)] == []
    document = as_stored(status.document(model, seen, planned, Outcome(), NOW))
    assert [f"{error.json_path}: {error.message}" for error in STORABLE.iter_errors(document)] == []


@given(ANY)
def test_an_object_of_any_shape_is_a_model_or_names_a_field(body: Any) -> None:
    """As it might come out of an API server with another definition."""
    assert words_of(InvalidResource, parse, {"metadata": {"name": "x"}, "spec": body})


@given(SPECS)
def test_a_spec_that_is_almost_right_is_decided_or_names_a_field(spec: Any) -> None:
    """Also one that the definition's rules would have refused."""
    model = parsed(a_body() | {"spec": spec})
    if model is not None:
        decided(model, Snapshot(claim=a_claim()))


@example({"conditions": [{"type": ["Ready"], "status": "True"}]})
@example({"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "a" * 5000}]})
@given(almost(KEPT) | st.dictionaries(WORDS, ANY, max_size=4))
def test_whatever_stands_in_a_status_the_next_one_can_be_stored(before: Any) -> None:
    """Somebody with the right may have written it."""
    decided(a_model(status=before), Snapshot(claim=a_claim()))


MESSAGES = st.one_of(
    WORDS, ANY.map(str), st.just(report(QWEN3_8B)), almost({"commit": "a", "bytes": 1, "files": 1}).map(str)
)


def a_fetcher(model: QwenModel, message: str) -> Snapshot:
    """A Job's pod that has ended well with these last words."""
    jobs = [s.manifest for s in plan.make(model, Snapshot(), SETTINGS).steps if not isinstance(s, Delete)]
    [job] = [manifest for manifest in jobs if manifest["kind"] == "Job"]
    ended = {"exitCode": 0, "message": message, "startedAt": NOW, "finishedAt": NOW}
    labels = {**job["metadata"]["labels"], "batch.kubernetes.io/job-name": job["metadata"]["name"]}
    pod = {
        "metadata": {"name": "x", "namespace": "team", "labels": labels, "creationTimestamp": NOW},
        "spec": {"containers": [{"name": "weights", "image": "x"}]},
        "status": {"phase": "Succeeded", "containerStatuses": [{"name": "weights", "state": {"terminated": ended}}]},
    }
    done = job | {"metadata": job["metadata"] | {"uid": UID}, "status": {"conditions": []}}
    return Snapshot(jobs=(done,), fetchers=(pod,))


@example({"commit": "a" * 65, "bytes": 1, "files": 1})
@example({"commit": "a", "bytes": 2**63, "files": 1})
@given(almost({"commit": "a", "bytes": 1, "files": 1, "config": {}, "tensors": []}) | ANY)
def test_whatever_a_job_reports_the_status_can_be_stored(said: Any) -> None:
    """Numbers without bounds, other types, no JSON at all."""
    model = a_model(**HUB)
    decided(model, a_fetcher(model, json.dumps(said)))
    decided(model, a_fetcher(model, str(said)))


@given(BYTES | almost({"stage": "loading", "bytes_done": 1, "bytes_total": 2, "percent": 5.0}).map(str).map(str.encode))
def test_whatever_a_pod_answers_is_progress_that_can_be_stored_or_nothing(body: bytes) -> None:
    """Within the bounds of the status."""
    found = progress(body)

    assert found is None or isinstance(found, Progress)
    decided(a_model(), Snapshot(claim=a_claim(), loads=(found,) if found else ()))


@given(MESSAGES | almost({"config": {"hidden_size": 8}, "tensors": [["a.*.b", "BF16", 8]]}).map(str))
def test_facts_of_a_model_are_understood_or_refused_in_words(message: str) -> None:
    """A Job's last words are anybody's."""
    assert words_of(Unsupported, reported, message)


@given(st.text(max_size=2000))
def test_an_excerpt_is_one_short_line(text: str) -> None:
    """Whatever a kubelet or an engine has said."""
    found = excerpt(text)

    assert len(found) <= LONGEST + 1
    assert len(found.splitlines()) <= 1


@given(st.text("0123456789.mkKMGTPEi", max_size=14))
def test_an_amount_is_spelt_canonically_or_refused(text: str) -> None:
    """And what is canonical stays so."""
    try:
        found = canonical(text)
    except ValueError:
        return

    assert canonical(found) == found
