"""Children on both API servers: they are accepted as they are, and are as asked once they are stored."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from qwen_operator.core import plan, resource, status
from qwen_operator.core.kinds import (
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    JOB,
    NETWORK_POLICY,
    QWEN_MODEL,
    QWEN_MODEL_STATUS,
    SERVICE,
)
from qwen_operator.core.living import difference
from qwen_operator.core.plan import Outcome, Plan
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Snapshot
from qwen_operator.core.steps import Apply, CreateOnce
from tests.builders import NOW, SETTINGS, UID, a_claim, a_deployment, a_model
from tests.golden.written import ROOT
from tests.operator_api.schema.answers import ApiServer


def examples() -> Iterator[tuple[str, QwenModel]]:
    """Every example, as a stored model in the test's namespace."""
    for path in sorted((ROOT / "examples").glob("*.yaml")):
        body = yaml.safe_load(path.read_text())
        body["metadata"] |= {"uid": UID, "namespace": "team"}
        yield path.stem, resource.parse(body)


EXAMPLES = dict(examples())
FIELDS = {
    DEPLOYMENT: "deployment",
    SERVICE: "service",
    NETWORK_POLICY: "network_policy",
    DISRUPTION_BUDGET: "disruption_budget",
}
"""Where a snapshot keeps a child that bears the model's name."""
OF_JOBS = {JOB: "jobs", NETWORK_POLICY: "job_policies"}
"""Where it keeps those of a Job."""


def carried_out(api_server: ApiServer, model: QwenModel, seen: Snapshot) -> Snapshot:
    """What lives after a plan was carried out."""
    found: dict[str, Any] = {field: getattr(seen, field) for field in (*OF_JOBS.values(), *FIELDS.values())}
    for step in plan.make(model, seen, SETTINGS).steps:
        if not isinstance(step, Apply):
            continue
        stored = api_server.apply(step.kind, step.manifest)
        of_replicas = stored["metadata"]["name"] == model.metadata.name
        found |= {FIELDS[step.kind]: stored} if of_replicas else {OF_JOBS[step.kind]: (stored,)}
    return Snapshot(claim=a_claim(), **found)


@pytest.mark.parametrize("model", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_stored_children_are_as_asked(api_server: ApiServer, model: QwenModel) -> None:
    """The second plan is empty: amounts, defaults and lists are compared as the API server keeps them."""
    seen = carried_out(api_server, model, Snapshot(claim=a_claim()))

    steps = plan.make(model, seen, SETTINGS).steps

    assert [step.why for step in steps] == []


@pytest.mark.parametrize("model", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_a_key_secret_is_accepted(api_server: ApiServer, model: QwenModel) -> None:
    """With the entry that the executor adds."""
    for step in plan.make(model, Snapshot(claim=a_claim()), SETTINGS).steps:
        if isinstance(step, CreateOnce):
            answer = api_server.trial(step.kind, step.manifest | {"stringData": {"default": "not-a-real-key"}})
            assert answer["kind"] == "Secret", answer["message"]


def test_a_field_that_is_given_up_goes(api_server: ApiServer) -> None:
    """The digest tells that it was sent; server-side apply then takes it away."""
    before = a_model("gives-up", server={"env": [{"name": "A", "value": "1"}]}, service={"labels": {"team": "red"}})
    seen = carried_out(api_server, before, Snapshot(claim=a_claim()))

    after = carried_out(api_server, a_model("gives-up"), seen)

    assert after.deployment is not None
    assert after.service is not None
    [container] = after.deployment["spec"]["template"]["spec"]["containers"]
    assert "A" not in [variable["name"] for variable in container["env"]]
    assert "team" not in after.service["metadata"]["labels"]


APART: dict[str, Any] = {"labelSelector": {}, "topologyKey": "kubernetes.io/hostname"}
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "Service type and port": ({"service": {"type": "NodePort"}}, {"service": {"type": "ClusterIP", "port": 80}}),
    "device": ({"device": "CPU"}, {"device": "GPU", "resources": {"gpus": 2, "gpuProduct": "NVIDIA-L4"}}),
    "claim": ({}, {"model": {"uri": "pvc://other/x"}}),
    "affinity": (
        {
            "scheduling": {
                "schedulerName": "volcano",
                "affinity": {
                    "nodeAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": {
                            "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]
                        }
                    },
                    "podAffinity": {},
                    "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [APART]},
                },
            }
        },
        {
            "scheduling": {
                "affinity": {
                    "podAffinity": {
                        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 5, "podAffinityTerm": APART}]
                    }
                }
            }
        },
    ),
    "callers": (
        {
            "networkPolicy": {
                "from": [{"podSelector": {}}, {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]
            }
        },
        {"networkPolicy": {"from": [{"namespaceSelector": {"matchLabels": {"team": "red"}}}]}},
    ),
    "tolerations": (
        {"scheduling": {"tolerations": [{"key": "a"}, {"key": "b"}]}},
        {"scheduling": {"tolerations": [{"key": "b"}]}},
    ),
}


@pytest.mark.parametrize("title", CHANGES)
def test_a_changed_model_settles_after_one_round(api_server: ApiServer, title: str) -> None:
    """Nothing that was sent before stands in the way of what is sent now."""
    name, (before, after) = f"changes-{list(CHANGES).index(title)}", CHANGES[title]
    seen = carried_out(api_server, a_model(name, **before), Snapshot(claim=a_claim()))
    model = a_model(name, **after)

    seen = carried_out(api_server, model, seen)

    assert plan.make(model, seen, SETTINGS).steps == ()


def test_the_tests_deployment_has_the_defaults_of_a_real_one(api_server: ApiServer) -> None:
    """So that table tests compare with what really lives."""
    model = a_model("defaults")
    seen = carried_out(api_server, model, Snapshot(claim=a_claim()))

    made_up = a_deployment(model)

    assert seen.deployment is not None
    assert difference(seen.deployment["spec"], made_up["spec"]) is None


def test_every_status_is_stored_as_it_was_written(api_server: ApiServer) -> None:
    """Nothing is pruned, so nothing is written again."""
    body = {
        "apiVersion": QWEN_MODEL.api_version,
        "kind": "QwenModel",
        "metadata": {"name": "said", "namespace": "team"},
    }
    spec = {"model": {"uri": "pvc://models/qwen3"}, "device": "CPU", "replicas": 2}
    stored = api_server.apply(QWEN_MODEL, body | {"spec": spec})
    model = resource.parse(stored)
    document = status.document(model, carried_out(api_server, model, Snapshot(claim=a_claim())), Plan(), Outcome(), NOW)

    answer = api_server.apply(QWEN_MODEL_STATUS, body | {"status": document})

    assert answer["status"] == document
    scale = api_server.get(QWEN_MODEL.path("team", "said") + "/scale")
    assert scale["spec"]["replicas"] == 2
    assert scale["status"]["selector"] == document["selector"]


def test_kinds_of_the_table_are_served(api_server: ApiServer) -> None:
    """Their paths are made by hand."""
    for kind in (QWEN_MODEL, DEPLOYMENT, SERVICE):
        assert api_server.get(kind.path("team"))["kind"] == f"{kind.kind}List"
        assert api_server.get(kind.path())["kind"] == f"{kind.kind}List"
