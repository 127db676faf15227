"""The steps that bring weights to a claim: ask how much there is, make the claim, fetch.

Why it exists: each waits for the one before it, and none for a GPU. It must never touch a Job that has done its work,
nor a claim's content.
"""

from qwen_operator.core import weights
from qwen_operator.core.desired.weights_claim import weights_claim
from qwen_operator.core.desired.weights_job import fetching_job, measuring_job
from qwen_operator.core.kinds import CLAIM, JOB
from qwen_operator.core.living import belongs, difference
from qwen_operator.core.place import place
from qwen_operator.core.quantity import larger
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.settings import Settings
from qwen_operator.core.snapshot import Manifest, Snapshot
from qwen_operator.core.steps import Step, applied, removed


def steps(model: QwenModel, seen: Snapshot, settings: Settings) -> tuple[Step | None, ...]:
    """What is to be done next about a model's weights; nothing where nobody has to bring them."""
    of_others = weights.jobs_of_others(model, seen)
    given_up = (removed(JOB, job, "the model has another source now") for job in of_others)
    return (*given_up, *(_brought(model, seen, settings) if place(model).fetched else ()))


def _brought(model: QwenModel, seen: Snapshot, settings: Settings) -> tuple[Step | None, ...]:
    size = weights.size(model, seen)
    fetching, living = fetching_job(model, settings), weights.job(model, seen, "fetch")
    if not place(model).made:
        return (_job(model, fetching, living),)
    if size is None:
        return (_job(model, measuring_job(model, settings), weights.job(model, seen, "measure")),)
    step = applied(CLAIM, model, _claim(model, size, seen.claim), seen.claim)
    if seen.claim is not None and not belongs(CLAIM, seen.claim, model):
        return (step,)
    return step, _job(model, fetching, living, claim_is_gone=seen.claim is None)


def _claim(model: QwenModel, size: str, living: Manifest | None) -> Manifest:
    """The claim as it can be had: access modes are fixed once it is made, and its size never shrinks."""
    wanted = weights_claim(model, size)
    if living is None:
        return wanted
    spec, has = wanted["spec"], living.get("spec", {})
    storage = has.get("resources", {}).get("requests", {}).get("storage")
    requests = {"storage": larger(size, storage) if storage else size}
    fixed = {field: has[field] for field in ("accessModes", "storageClassName") if field in has and field in spec}
    return wanted | {"spec": {**spec, **fixed, "resources": {"requests": requests}}}


def _job(model: QwenModel, wanted: Manifest, living: Manifest | None, *, claim_is_gone: bool = False) -> Step | None:
    """A Job can't be changed: one that has not done its work and is to run otherwise makes room for another."""
    if living is None:
        return applied(JOB, model, wanted, None)
    if weights.complete(living):
        return removed(JOB, living, "its claim is gone") if claim_is_gone else None
    changed = difference(wanted["spec"]["template"], living["spec"]["template"])
    if changed is None:
        return None
    return removed(JOB, living, f"{changed} is not as asked")
