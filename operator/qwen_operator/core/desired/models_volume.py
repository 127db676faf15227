"""The volume that a model's files are read from, and in one case written to: a claim or an image.

Why it exists: replicas and the Jobs about weights mount the same files. It must never let an image be written to.
"""

from qwen_operator.core.place import Place
from qwen_operator.core.snapshot import Manifest


def models_volume(there: Place, pull_policy: str, *, writes: bool = False) -> Manifest:
    """The volume, called `models`.

    :param pull_policy: when the kubelet pulls it, if it is an image.
    :param writes: files are brought to the claim.
    """
    if there.image:
        return {"name": "models", "image": {"reference": there.image, "pullPolicy": pull_policy}}
    read_only = {} if writes else {"readOnly": True}
    return {"name": "models", "persistentVolumeClaim": {"claimName": there.claim, **read_only}}
