"""What one decision about a rollout looks at: the Deployment that lives, the one that is asked for, and their pods.

Why it exists: whether a revision came up, whether another one makes room and what is to be written are asked of the
same things. It must never decide anything.
"""

from dataclasses import dataclass

from qwen_operator.core import pods
from qwen_operator.core.causes import replicaset
from qwen_operator.core.problems import Problem
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.revisions import given_up, last_good, observed
from qwen_operator.core.snapshot import Manifest, Snapshot


@dataclass(frozen=True)
class Scene:
    """What one decision is about."""

    model: QwenModel
    wanted: Manifest
    """The Deployment as the spec asks for it."""
    living: Manifest
    seen: Snapshot
    now: str

    @property
    def template(self) -> Manifest:
        """The template that lives; what the API server writes as null is none of anybody's fields."""
        spec: Manifest = self.living["spec"]["template"]
        return spec | {"metadata": {key: value for key, value in spec["metadata"].items() if value is not None}}

    @property
    def asked(self) -> str:
        """The revision that the spec asks for."""
        return pods.revision(self.wanted["spec"]["template"])

    @property
    def running(self) -> str:
        """The revision that the Deployment has."""
        return pods.revision(self.template)

    @property
    def returns(self) -> bool:
        """Whether a change that does not come up is to be taken back."""
        return self.model.spec.rollout.auto_rollback == "LastGood"

    @property
    def is_good(self) -> bool:
        """Whether the living template has come up: it answers, it was returned to, or the status tells."""
        told = self.model.status.get("revision")
        known = isinstance(told, dict) and bool(self.running) and told.get("lastGood") == self.running
        return known or given_up(self.living) is not None or any(map(pods.ready, self.of(self.running)))

    @property
    def last_good(self) -> Manifest | None:
        """The template to return to, while a rollout is under way."""
        return last_good(self.living) if self.returns else None

    @property
    def refused(self) -> Problem | None:
        """Why no pod of the living template is made, if so."""
        return replicaset.pods_are_refused(self.living, self.model) if observed(self.living) else None

    def of(self, revision: str) -> list[Manifest]:
        """Pods of a revision that are there to stay."""
        return [pod for pod in staying(self.seen) if pods.revision(pod) == revision]

    def others(self) -> list[Manifest]:
        """Pods of every revision but the asked one."""
        return [pod for pod in staying(self.seen) if pods.revision(pod) != self.asked]


def staying(seen: Snapshot) -> list[Manifest]:
    """Pods that are neither done nor on their way out."""
    return [pod for pod in seen.pods if not pods.leaving(pod) and not pods.finished(pod)]
