"""Each Job of a model stands behind a NetworkPolicy of its own name: out to its source, or nowhere."""

from dataclasses import replace
from typing import Any

import pytest

from qwen_operator.core import fencing, kinds, names, plan
from qwen_operator.core.desired.image_job import image_job
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.settings import Settings
from qwen_operator.core.snapshot import Manifest, Snapshot
from qwen_operator.core.steps import Apply, Delete
from tests.builders import SETTINGS, a_claim, a_model
from tests.operator_unit.core.test_bringing import DONE, from_hub

OFF: dict[str, Any] = {"networkPolicy": {"mode": "Off"}}
ON_A_GPU: dict[str, Any] = {"device": "GPU", "resources": {"gpuProduct": "NVIDIA-H200"}}
NAMES = [{"port": port, "protocol": protocol} for port in (53, 5353) for protocol in ("UDP", "TCP")]
IN_STORE: dict[str, Any] = {"uri": "s3://models/qwen3"}
LOOKED_AT = a_model(**ON_A_GPU)
FETCHED = from_hub(cache={"size": "20Gi"})
"""What is to come is known, so it is fetched at once."""


def applied(model: QwenModel, settings: Settings = SETTINGS, **seen: Any) -> list[Manifest]:
    """What a plan applies about Jobs, in this order."""
    theirs = {"claim": a_claim()} if model.spec.model.uri.startswith("pvc:") else {}
    steps = plan.make(model, Snapshot(**(theirs | seen)), settings).steps
    made = [step.manifest for step in steps if isinstance(step, Apply)]
    jobs = {each["metadata"]["name"] for each in made if each["kind"] == "Job"}
    return [each for each in made if each["metadata"]["name"] in jobs]


def fence(model: QwenModel, settings: Settings = SETTINGS, **seen: Any) -> Manifest:
    """What the policy of the one Job says."""
    [policy] = [each for each in applied(model, settings, **seen) if each["kind"] == "NetworkPolicy"]
    spec: Manifest = policy["spec"]
    return spec


def ports(spec: Manifest) -> list[int]:
    """Where the way out leads that is not to name servers."""
    to_names, to_source = spec["egress"]
    assert to_names == {"ports": NAMES}
    assert all(port["protocol"] == "TCP" for port in to_source["ports"])
    return [port["port"] for port in to_source["ports"]]


@pytest.mark.parametrize("model", [LOOKED_AT, FETCHED, from_hub()], ids=["look", "fetch", "measure"])
def test_the_fence_stands_before_the_job_and_around_its_pods_alone(model: QwenModel) -> None:
    """By the labels that the Job gives, and the one of the Job itself."""
    policy, job = applied(model)

    assert (policy["kind"], job["kind"]) == ("NetworkPolicy", "Job")
    assert policy["metadata"]["ownerReferences"] == job["metadata"]["ownerReferences"]
    assert policy["metadata"]["labels"] == job["metadata"]["labels"]
    given = job["spec"]["template"]["metadata"]["labels"] | {names.JOB_NAME: job["metadata"]["name"]}
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= given.items()
    assert policy["spec"]["podSelector"]["matchLabels"][names.JOB_NAME] == job["metadata"]["name"]
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_a_look_at_a_claim_and_an_image_call_nobody_and_answer_nobody() -> None:
    """Not even name servers."""
    pull = image_job(LOOKED_AT, "registry.example/x:2", "IfNotPresent", ("gpu-1",))
    [fenced] = fencing.steps(LOOKED_AT, Snapshot(), SETTINGS, [Apply(kinds.JOB, pull, "")])

    assert isinstance(fenced, Apply)
    for spec in (fence(LOOKED_AT), fenced.manifest["spec"]):
        assert not spec.keys() & {"ingress", "egress"}


def test_a_fetch_tells_the_operators_namespace_how_far_it_is_and_nobody_else() -> None:
    """Of a Job that only measures there is nothing to ask."""
    settings = replace(SETTINGS, namespace="ops")

    assert fence(FETCHED, settings)["ingress"] == [
        {
            "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ops"}}}],
            "ports": [{"port": 8001, "protocol": "TCP"}],
        }
    ]
    assert "ingress" not in fence(from_hub(), settings)


@pytest.mark.parametrize(
    ("model", "endpoints", "expected"),
    [
        (FETCHED, {}, [443]),
        (FETCHED, {"hub_endpoint": "https://hub.example.com"}, [443]),
        (FETCHED, {"hub_endpoint": "http://hub.example.com"}, [80, 443]),
        (FETCHED, {"hub_endpoint": "http://[fd00::1]:8080/mirror"}, [8080, 443]),
        (FETCHED, {"store_endpoint": "http://minio:9000"}, [443]),
        (from_hub(), {"hub_endpoint": "https://hub.example.com:8443"}, [8443, 443]),
        (a_model(model=IN_STORE), {}, [443]),
        (a_model(model=IN_STORE), {"store_endpoint": "http://minio:9000"}, [9000, 443]),
        (a_model(model=IN_STORE), {"store_endpoint": "http://minio:port"}, [443]),
    ],
    ids=["hub", "https", "http", "port", "other kind", "measured", "AWS", "store", "nonsense"],
)
def test_the_way_out_leads_to_the_port_of_the_source_and_of_what_it_sends_on_to(
    model: QwenModel, endpoints: dict[str, Any], expected: list[int]
) -> None:
    """Whatever is no address is the Job's to refuse."""
    assert ports(fence(model, replace(SETTINGS, **endpoints))) == expected


def test_a_fence_stays_as_long_as_its_job_and_is_not_written_again() -> None:
    """Also when the Job has done its work, whatever another release would put into it."""
    policy, job = applied(LOOKED_AT)
    policy["metadata"]["uid"] = job["metadata"]["uid"] = "1"
    other = replace(SETTINGS, namespace="elsewhere")

    assert fencing.steps(LOOKED_AT, Snapshot(job_policies=(policy,), jobs=(job,)), SETTINGS, ()) == (None,)
    done = Snapshot(jobs=(job | {"status": DONE},), job_policies=(policy,))
    assert fencing.steps(LOOKED_AT, done, other, ()) == ()
    assert fencing.steps(LOOKED_AT, Snapshot(jobs=done.jobs), SETTINGS, ()) == ()

    [gone] = fencing.steps(LOOKED_AT, Snapshot(job_policies=(policy,)), SETTINGS, ())
    assert isinstance(gone, Delete)
    assert gone.name == policy["metadata"]["name"]


def test_a_job_that_an_earlier_release_began_gets_its_fence() -> None:
    """It goes on meanwhile."""
    _, job = applied(FETCHED)

    [written] = fencing.steps(FETCHED, Snapshot(jobs=(job,)), SETTINGS, ())

    assert isinstance(written, Apply)
    assert written.manifest["metadata"]["name"] == job["metadata"]["name"]


def test_jobs_can_do_without_fences_too() -> None:
    """None is made, and what is there goes."""
    policy, _ = applied(FETCHED)
    living = Snapshot(job_policies=(policy | {"metadata": {**policy["metadata"], "uid": "1"}},))

    assert [each["kind"] for each in applied(from_hub(cache={"size": "20Gi"}, **OFF))] == ["Job"]
    [gone] = fencing.steps(from_hub(**OFF), living, SETTINGS, ())
    assert isinstance(gone, Delete)
