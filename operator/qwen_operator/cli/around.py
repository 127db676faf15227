"""What lives around one model, as far as whoever asks may see it.

Why it exists: rights differ, and a verb that can't see pods still says what it can. It must never take what it may not
see for what is not there.
"""

from dataclasses import dataclass, field

from qwen_operator.cli.access import Access
from qwen_operator.cli.endings import Unseen
from qwen_operator.core import kinds, names, pods
from qwen_operator.core.kinds import Kind
from qwen_operator.core.place import place
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Manifest, Snapshot, controlled_by


@dataclass(frozen=True, kw_only=True)
class Around:
    """A snapshot as the operator decides by, and what of it could not be seen."""

    snapshot: Snapshot = field(default_factory=Snapshot)
    events: tuple[Manifest, ...] = ()
    """All of the model's namespace, newest last."""
    unseen: dict[Kind, str] = field(default_factory=dict)
    """Why not, in a sentence, by kind."""


async def around(access: Access, model: QwenModel) -> Around:
    """Ask for everything that belongs to a model."""
    unseen: dict[Kind, str] = {}
    of_model = f"{names.OURS},{names.INSTANCE}={model.metadata.name}"

    async def all_of(kind: Kind, selector: str = of_model) -> list[Manifest]:
        try:
            return await access.all(kind, selector=selector)
        except Unseen as sentence:
            unseen[kind] = str(sentence)
            return []

    async def own(kind: Kind, name: str) -> Manifest | None:
        found = [each for each in await all_of(kind) if each["metadata"]["name"] == name]
        return next((each for each in found if controlled_by(each, model.metadata.uid)), None)

    async def policies_of_jobs() -> tuple[Manifest, ...]:
        found = await all_of(kinds.NETWORK_POLICY)
        of_replicas = names.network_policy(model.metadata.name)
        mine = (each for each in found if controlled_by(each, model.metadata.uid))
        return tuple(each for each in mine if each["metadata"]["name"] != of_replicas)

    claims = await all_of(kinds.CLAIM, "")
    of_pods = await all_of(kinds.POD)
    claim = place(model).claim
    snapshot = Snapshot(
        deployment=await own(kinds.DEPLOYMENT, names.deployment(model.metadata.name)),
        service=await own(kinds.SERVICE, names.service(model.metadata.name)),
        disruption_budget=await own(kinds.DISRUPTION_BUDGET, names.disruption_budget(model.metadata.name)),
        network_policy=await own(kinds.NETWORK_POLICY, names.network_policy(model.metadata.name)),
        job_policies=await policies_of_jobs(),
        jobs=tuple(job for job in await all_of(kinds.JOB) if controlled_by(job, model.metadata.uid)),
        pods=tuple(pod for pod in of_pods if pods.serves(pod)),
        fetchers=tuple(pod for pod in of_pods if pods.fetches(pod)),
        pullers=tuple(pod for pod in of_pods if pods.pulls(pod)),
        claim=_claim(model, claim, claims, hidden=kinds.CLAIM in unseen),
    )
    return Around(snapshot=snapshot, events=_ordered(await all_of(kinds.EVENT, "")), unseen=unseen)


def _claim(model: QwenModel, name: str, claims: list[Manifest], *, hidden: bool) -> Manifest | None:
    if hidden:  # what cannot be seen is not missing
        return {"metadata": {"namespace": model.metadata.namespace, "name": name}}
    return next((claim for claim in claims if claim["metadata"]["name"] == name), None)


def _ordered(events: list[Manifest]) -> tuple[Manifest, ...]:
    return tuple(sorted(events, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or "")))
