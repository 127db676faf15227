"""The steps that bring weights to a claim: ask how much there is, make the claim, fetch. Of somebody else's: look.

Why it exists: each waits for the one before it, and none for a GPU. It must never touch a Job that has done its work
and was heard, nor a claim's content.
"""

from qwen_operator.core import pods, running, weights
from qwen_operator.core.claims import is_of_one_node
from qwen_operator.core.desired.weights_claim import weights_claim
from qwen_operator.core.desired.weights_job import describing_job, fetching_job, measuring_job
from qwen_operator.core.kinds import CLAIM, JOB
from qwen_operator.core.living import belongs, difference, was_sent
from qwen_operator.core.place import place
from qwen_operator.core.quantity import larger
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.serving import replicas
from qwen_operator.core.settings import Settings
from qwen_operator.core.snapshot import Manifest, Snapshot
from qwen_operator.core.steps import Step, applied, removed


def steps(model: QwenModel, seen: Snapshot, settings: Settings) -> tuple[Step | None, ...]:
    """What is to be done next about a model's weights; of those that somebody else brings, to look at them."""
    of_others = weights.jobs_of_others(model, seen)
    given_up = (removed(JOB, job, "nobody waits for what it is about") for job in of_others)
    return (*given_up, *(_brought if place(model).fetched else _looked_at)(model, seen, settings))


def _looked_at(model: QwenModel, seen: Snapshot, settings: Settings) -> tuple[Step | None, ...]:
    """The Job that looks at a claim of the user's.

    Replicas that do not wait for it come to a claim of one node before it, and it goes where they are; else it could
    keep them out. Where they wait, it goes first, or to the node of those that serve something else of that claim.
    """
    if not weights.is_looked_at(model, seen):
        return ()
    living, beside = weights.job(model, seen, "describe"), _is_beside_replicas(model, seen)
    if living is None and beside and not _have_a_node(seen):
        return ()
    if weights.has_spoken(model, seen, "describe"):  # its controller is about to say that it is done
        return ()
    job = describing_job(model, settings, seen.claim, beside_replicas=beside)
    unheard = "nobody has heard it" if weights.is_lost(model, seen, "describe") else ""
    return (_job(model, job, living, in_vain=unheard),)


def _is_beside_replicas(model: QwenModel, seen: Snapshot) -> bool:
    """Whether the claim's one node is that of replicas: of those that wait for no look, or of those before them."""
    if not is_of_one_node(seen.claim) or replicas(model.spec) == 0:
        return False
    if not weights.is_awaited(model, seen):
        return True
    return running.runs_on(seen.deployment, place(model).claim) and _have_a_node(seen)


def _have_a_node(seen: Snapshot) -> bool:
    return any(pods.node(pod) for pod in seen.pods if not pods.finished(pod))


def _brought(model: QwenModel, seen: Snapshot, settings: Settings) -> tuple[Step | None, ...]:
    size = weights.size(model, seen)
    fetching, living = fetching_job(model, settings), weights.job(model, seen, "fetch")
    if not place(model).made:
        return (_job(model, fetching, living),)
    if size is None:
        measuring, living = measuring_job(model, settings), weights.job(model, seen, "measure")
        unheard = "nobody has heard it" if weights.is_lost(model, seen, "measure") else ""
        return (_job(model, measuring, living, in_vain=unheard),)
    step = applied(CLAIM, model, _claim(model, size, seen.claim), seen.claim)
    if seen.claim is not None and not belongs(CLAIM, seen.claim, model):
        return (step,)
    return step, _job(model, fetching, living, in_vain="its claim is gone" if seen.claim is None else "")


def _claim(model: QwenModel, size: str, living: Manifest | None) -> Manifest:
    """The claim as it can be had: modes and class are fixed once it is made, and its size never shrinks.

    A class that was asked for once stays asked for, though the spec names none any more: to give it up is to change it.
    """
    wanted = weights_claim(model, size)
    if living is None:
        return wanted
    spec, has = wanted["spec"], living.get("spec", {})
    storage = has.get("resources", {}).get("requests", {}).get("storage")
    fixed = {field: has[field] for field in ("accessModes", "storageClassName") if field in has}
    before = {**spec, **fixed, "resources": {"requests": {"storage": storage}}}
    if "storageClassName" not in spec and not was_sent(wanted | {"spec": before}, living):
        fixed.pop("storageClassName", None)  # the API server's own default
    requests = {"storage": larger(size, storage) if storage else size}
    return wanted | {"spec": {**spec, **fixed, "resources": {"requests": requests}}}


def _job(model: QwenModel, wanted: Manifest, living: Manifest | None, *, in_vain: str = "") -> Step | None:
    """A Job can't be changed: one that has not done its work and is to run otherwise makes room for another.

    :param in_vain: why work that is done has to be done again, or nothing.
    """
    if living is None:
        return applied(JOB, model, wanted, None)
    if weights.complete(living):
        return removed(JOB, living, in_vain) if in_vain else None
    changed = difference(wanted["spec"]["template"], living["spec"]["template"])
    if changed is None:
        return None
    return removed(JOB, living, f"{changed} is not as asked")
