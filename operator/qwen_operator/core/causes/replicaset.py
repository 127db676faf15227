"""Why no pod is made at all, from the Deployment's condition `ReplicaFailure`.

Why it exists: quotas and admission rules refuse the pods that a ReplicaSet asks for, and nothing but this condition
says so. It must never be read as a failure of what we applied ourselves.
"""

from qwen_operator.core.excerpt import excerpt
from qwen_operator.core.problems import Problem, Reason
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Manifest

TEXTS: tuple[tuple[str, Reason], ...] = (
    ("exceeded quota", Reason.QUOTA_EXCEEDED),
    ("violates PodSecurity", Reason.POD_SECURITY_REJECTED),
)
"""Parts of the API server's sentences about a pod."""


def pods_are_refused(deployment: Manifest | None, model: QwenModel) -> Problem | None:
    """The API server refuses the pods that the ReplicaSet asks for."""
    conditions = (deployment or {}).get("status", {}).get("conditions", ())
    failure: Manifest = next((entry for entry in conditions if entry.get("type") == "ReplicaFailure"), {})
    if failure.get("status") != "True":
        return None
    text = failure.get("message", "")
    known = (reason for part, reason in TEXTS if part in text)
    return next(known, Reason.REPLICA_REFUSED).about(why=excerpt(text), namespace=model.metadata.namespace)
