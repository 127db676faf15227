"""The caches of all kinds together: which change wakes which model, and what one decision reads.

Why it exists: the way from a changed pod or claim to the models that care is a fact about the kinds, stated once. It
must never ask the API server.
"""

from typing import Any

from qwen_operator.cache import Cache
from qwen_operator.core import kinds, names, pods
from qwen_operator.core.fit.nodes import Labels
from qwen_operator.core.kinds import Kind, Scope
from qwen_operator.core.place import place
from qwen_operator.core.resource import InvalidResource, QwenModel, parse
from qwen_operator.core.snapshot import Manifest, Snapshot, controlled_by
from qwen_operator.keys import Key, key_of
from qwen_operator.loads import Loads
from qwen_operator.workqueue import WorkQueue


class Caches:
    """One cache for the models, and one for each watched kind of children and referenced objects."""

    def __init__(self, queue: WorkQueue) -> None:
        self._queue = queue
        self.models = Cache(self._model_changed, group_of=_claim_of)
        self.loads = Loads(queue.add)
        self.of: dict[Kind, Cache] = {kind: self._cache(kind) for kind in kinds.WATCHED}
        self.nodes: tuple[Labels, ...] = ()
        self._blind: dict[tuple[Kind, str | None], str] = {}

    def snapshot(self, model: QwenModel) -> Snapshot:
        """Everything that one decision about a model reads."""
        name, namespace, uid = model.metadata.name, model.metadata.namespace, model.metadata.uid
        of_pods = self._group(kinds.POD, namespace, name)
        return Snapshot(
            deployment=self._own(kinds.DEPLOYMENT, Key(namespace, names.deployment(name)), uid),
            service=self._own(kinds.SERVICE, Key(namespace, names.service(name)), uid),
            pods=tuple(pod for pod in of_pods if pods.serves(pod)),
            fetchers=tuple(pod for pod in of_pods if pods.fetches(pod)),
            pullers=tuple(pod for pod in of_pods if pods.pulls(pod)),
            jobs=tuple(job for job in self._group(kinds.JOB, namespace, name) if controlled_by(job, uid)),
            disruption_budget=self._own(kinds.DISRUPTION_BUDGET, Key(namespace, names.disruption_budget(name)), uid),
            network_policy=self._own(kinds.NETWORK_POLICY, Key(namespace, names.network_policy(name)), uid),
            job_policies=self._job_policies(namespace, name, uid),
            nodes=self.nodes,
            loads=self.loads.of(key_of(pod) for pod in of_pods),
            figures=self.loads.came_to(key_of(pod) for pod in of_pods),
            claim=self._claim(namespace, place(model).claim),
        )

    def on_sight(self, kind: Kind, namespace: str | None, sentence: str | None) -> None:
        """Note that a kind cannot be seen in a namespace (a sentence), or can again (None), and wake everybody.

        :param namespace: None means all of them.
        """
        if sentence is None:
            self._blind.pop((kind, namespace), None)
        else:
            self._blind[kind, namespace] = sentence
        self.wake_all()

    def blindness(self, kind: Kind, namespace: str) -> str | None:
        """Why the API server lets nobody watch a kind in a namespace, in its words, or None."""
        return self._blind.get((kind, namespace)) or self._blind.get((kind, None))

    def saw_nodes(self, labels: tuple[Labels, ...]) -> None:
        """The labels of the nodes with GPUs as they are now."""
        if labels != self.nodes:
            self.nodes = labels
            self.wake_all()

    def wake_all(self) -> None:
        """Wake every model, behind those that somebody edits."""
        for key in self.models:
            self._queue.add(key)

    def _own(self, kind: Kind, key: Key, uid: str) -> Manifest | None:
        manifest = self.of[kind].get(key)
        return manifest if manifest and controlled_by(manifest, uid) else None

    def _job_policies(self, namespace: str, name: str, uid: str) -> tuple[Manifest, ...]:
        """All of the model's policies but that of its replicas."""
        cache, replicas = self.of[kinds.NETWORK_POLICY], names.network_policy(name)
        found = (cache.get(key) for key in cache.members(namespace, name) if key.name != replicas)
        return tuple(policy for policy in found if policy and controlled_by(policy, uid))

    def _group(self, kind: Kind, namespace: str, group: str) -> tuple[Manifest, ...]:
        cache = self.of[kind]
        return tuple(manifest for key in cache.members(namespace, group) if (manifest := cache.get(key)))

    def _claim(self, namespace: str, name: str) -> Manifest | None:
        if self.blindness(kinds.CLAIM, namespace):  # what cannot be seen is not missing: the pod will say if it is
            return {"metadata": {"namespace": namespace, "name": name}}
        return self.of[kinds.CLAIM].get(Key(namespace, name))

    def _cache(self, kind: Kind) -> Cache:
        if kind.scope is Scope.REFERENCED:
            return Cache(self._referenced_changed)
        if kind == kinds.POD:
            return Cache(self._pod_changed, group_of=_model_of)
        return Cache(self._child_changed, group_of=_model_of)

    def _model_changed(self, key: Key, old: Manifest | None, new: Manifest | None) -> None:
        self._queue.add(key, edited=old is None or new is None or asked(old) != asked(new))

    def _pod_changed(self, key: Key, old: Manifest | None, new: Manifest | None) -> None:
        self.loads.saw(key, new)
        self._child_changed(key, old, new)

    def _child_changed(self, key: Key, old: Manifest | None, new: Manifest | None) -> None:
        for model in {_model_of(manifest) for manifest in (old, new) if manifest}:
            if model:
                self._queue.add(Key(key.namespace, model))

    def _referenced_changed(self, key: Key, _old: Manifest | None, _new: Manifest | None) -> None:
        for user in self.models.members(key.namespace, key.name):
            self._queue.add(user)


def asked(model: Manifest) -> Any:
    """What a person changes: the spec, or the very object."""
    metadata = model["metadata"]
    return metadata.get("uid"), metadata.get("generation"), metadata.get("deletionTimestamp")


def _model_of(child: Manifest) -> str:
    """The model that a child belongs to, by its label."""
    return str((child["metadata"].get("labels") or {}).get(names.INSTANCE, ""))


def _claim_of(model: Manifest) -> str:
    """The claim that a model's weights are on, or will be; nothing for an object that is no model."""
    try:
        return place(parse(model)).claim
    except InvalidResource:
        return ""
