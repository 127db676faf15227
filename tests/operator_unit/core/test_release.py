"""Another release of the operator is installed: what its own image changes of models that serve, and what theirs do."""

from dataclasses import replace
from typing import Any

import pytest

from qwen_operator.core import kinds, plan
from qwen_operator.core.kinds import Kind
from qwen_operator.core.settings import Settings
from qwen_operator.core.snapshot import Manifest, Snapshot
from qwen_operator.core.steps import Step
from qwen_operator.rendering import DONE, manifests_of
from tests.builders import SETTINGS, a_claim, a_model
from tests.checkpoints import QWEN3_8B, report
from tests.operator_api.proofs.ledger import LEDGER
from tests.operator_unit.core.test_bringing import a_fetcher

OTHER = replace(SETTINGS, weights_image="registry.example/qwen-operator/operator:next")
"""The operator's image is the one that fetches weights, too."""
HUB = {"uri": "hf://Qwen/Qwen3-8B"}
SPECS: dict[str, dict[str, Any]] = {
    "cpu": {"device": "CPU"},
    "gpus": {"device": "GPU", "resources": {"gpus": 2}},
    "looked at": {"device": "GPU", "resources": {"gpus": 2, "gpuProduct": "NVIDIA-H200"}},
    "an image": {
        "device": "GPU",
        "model": {"uri": "oci://r.example/qwen3:1"},
        "resources": {"gpuProduct": "NVIDIA-H200"},
    },
    "suspended": {"device": "GPU", "suspend": True},
    "fetched": {"device": "CPU", "model": HUB, "cache": {"size": "20Gi"}},
}


def steps(spec: dict[str, Any], settings: Settings, made_by: Settings = SETTINGS) -> tuple[Step, ...]:
    """What a look does about a model whose children an operator with other settings has made."""
    model = a_model(**spec)
    made = manifests_of(model, made_by)

    def only(kind: Kind) -> list[Manifest]:
        return [manifest for manifest in made if manifest["kind"] == kind.kind]

    [deployment], [service], (policy, *of_jobs) = (
        only(kind) for kind in (kinds.DEPLOYMENT, kinds.SERVICE, kinds.NETWORK_POLICY)
    )
    claim = (only(kinds.CLAIM) or [a_claim()])[0] | {"status": {"phase": "Bound"}}
    seen = Snapshot(
        deployment=deployment,
        service=service,
        network_policy=policy,
        job_policies=tuple(of_jobs),
        claim=claim,
        fetchers=(a_fetcher(model, "describe", message=report(QWEN3_8B)),),
        jobs=tuple(job | {"status": DONE} for job in only(kinds.JOB)),
    )
    return plan.make(model, seen, settings).steps


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_release_of_the_operator_writes_nothing(spec: dict[str, Any]) -> None:
    """Replicas stay, and no weights are fetched again; `test_golden.py` holds templates against former releases."""
    there, back = steps(spec, OTHER), steps(spec, SETTINGS, made_by=OTHER)
    LEDGER.count("R10", 2)
    assert there == back == steps(spec, SETTINGS) == ()


def test_other_images_of_the_server_are_a_rollout_of_the_models_that_name_none() -> None:
    """They are values without a default, so whoever changes them asks for just that."""
    other = replace(SETTINGS, server_image="registry.example/qwen-operator/server:next")

    assert [step.kind for step in steps(SPECS["gpus"], other)] == [kinds.DEPLOYMENT]
    assert steps({**SPECS["gpus"], "server": {"image": "registry.example/x:1"}}, other) == ()
