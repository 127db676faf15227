"""What all Jobs of ours have in common: a restricted pod that is started again for as long as it is needed.

Why it exists: a Job that gives up would leave its model waiting for nothing. It must never know what a Job is for.
"""

from qwen_operator.core.desired.identity import child
from qwen_operator.core.desired.restricted import POD_SECURITY
from qwen_operator.core.kinds import JOB
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Manifest

NEVER_GIVE_UP = 2**31 - 1
"""Kubernetes' largest `backoffLimit`: the pauses between attempts grow to five minutes and stay there."""


def job(model: QwenModel, name: str, labels: dict[str, str], pod: Manifest, *, count: int = 1) -> Manifest:
    """The Job.

    :param labels: of the Job and of its pods; no Service selects them.
    :param pod: what a pod's spec holds beside what all of them have.
    :param count: pods that must do their work, all at the same time.
    """
    template = {"metadata": {"labels": labels}, "spec": _shell() | _pull_secrets(model) | pod}
    spec = {"backoffLimit": NEVER_GIVE_UP, "completions": count, "parallelism": count, "template": template}
    made = child(model, JOB, name, spec=spec)
    return made | {"metadata": made["metadata"] | {"labels": labels}}


def _shell() -> Manifest:
    return {
        "restartPolicy": "OnFailure",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": POD_SECURITY,
    }


def _pull_secrets(model: QwenModel) -> Manifest:
    secrets = [{"name": secret.name} for secret in model.spec.server.image_pull_secrets]
    return {"imagePullSecrets": secrets} if secrets else {}
