"""Everything one decision reads, gathered before it is made.

Why it exists: a decision that reads while it decides can't be repeated or tested. It must never be filled half: what is
None here does not exist as far as the caches know.
"""

from dataclasses import dataclass
from typing import Any

from qwen_operator.core.fit.nodes import Labels
from qwen_operator.core.progress import Figures, Progress

Manifest = dict[str, Any]
"""An object of the Kubernetes API as decoded JSON."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What lives around one model, as the caches know it."""

    deployment: Manifest | None = None
    """The model's Deployment; None also if an object of that name is not controlled by this model."""

    service: Manifest | None = None
    """The model's Service; None also if an object of that name is not controlled by this model."""

    pods: tuple[Manifest, ...] = ()
    """Pods with the model's labels, in any order."""

    loads: tuple[Progress, ...] = ()
    """How far the pods are that load the model, as far as they said."""

    figures: tuple[Figures, ...] = ()
    """What the loads of the pods came to that serve, as far as they said."""

    claim: Manifest | None = None
    """The PersistentVolumeClaim that the model's files are on, or will be, whoever made it."""

    jobs: tuple[Manifest, ...] = ()
    """Jobs of this model that are about weights, of its present source and of earlier ones."""

    fetchers: tuple[Manifest, ...] = ()
    """Pods of these Jobs, in any order."""

    pullers: tuple[Manifest, ...] = ()
    """Pods that pull an image in advance, in any order."""

    disruption_budget: Manifest | None = None
    """The model's PodDisruptionBudget; None also if an object of that name is not controlled by this model."""

    nodes: tuple[Labels, ...] = ()
    """Labels of the cluster's nodes with GPUs, as far as the operator may read them."""

    network_policy: Manifest | None = None
    """The model's NetworkPolicy; None also if an object of that name is not controlled by this model."""

    job_policies: tuple[Manifest, ...] = ()
    """NetworkPolicies of the model's Jobs, each by the name of its Job."""


def controlled_by(manifest: Manifest, uid: str) -> bool:
    """Whether an object's controller is the owner with this uid."""
    references = manifest.get("metadata", {}).get("ownerReferences", ())
    return any(reference.get("controller") and reference.get("uid") == uid for reference in references)
