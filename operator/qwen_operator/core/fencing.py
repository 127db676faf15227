"""The steps that fence a model's Jobs: each is behind a NetworkPolicy before its pods are, and no policy outlives it.

Why it exists: a Job comes and goes without the replicas, and so does its fence. It must never touch the replicas' own
policy, nor write anything about a Job that has done its work.
"""

from collections.abc import Iterable

from qwen_operator.core import weights
from qwen_operator.core.desired.job_policy import job_policy
from qwen_operator.core.kinds import JOB, NETWORK_POLICY
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.settings import Settings
from qwen_operator.core.snapshot import Manifest, Snapshot
from qwen_operator.core.steps import Apply, Step, applied, removed


def steps(
    model: QwenModel, seen: Snapshot, settings: Settings, planned: Iterable[Step | None]
) -> tuple[Step | None, ...]:
    """What is to be done about the fences of the Jobs that live, and of those that a plan is about to make."""
    living = _by_name(seen.job_policies)
    if model.spec.network_policy.mode == "Off":
        return tuple(removed(NETWORK_POLICY, each, "networkPolicy.mode is Off") for each in living.values())
    coming = [step.manifest for step in planned if isinstance(step, Apply) and step.kind == JOB]
    fenced = {**_by_name(job for job in seen.jobs if not weights.complete(job)), **_by_name(coming)}
    gone = living.keys() - fenced.keys() - _by_name(seen.jobs).keys()
    return (
        *(removed(NETWORK_POLICY, living[name], "its Job is gone") for name in sorted(gone)),
        *(
            applied(NETWORK_POLICY, model, job_policy(model, job, settings), living.get(name))
            for name, job in fenced.items()
        ),
    )


def _by_name(manifests: Iterable[Manifest]) -> dict[str, Manifest]:
    return {each["metadata"]["name"]: each for each in manifests}
