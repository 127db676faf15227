"""Whether a successor finds what it needs beside its predecessors, or waits for what they hold.

Why it exists: with Auto that alone decides whether replicas make room. It asks what the scheduler and the quota have
said; it must never count GPUs itself, which would take rights on all nodes and pods and still not know taints.
"""

from qwen_operator.core.causes import kubelet, scheduler
from qwen_operator.core.problems import Reason
from qwen_operator.core.scene import Scene
from qwen_operator.core.snapshot import Manifest

ROOM = frozenset({Reason.INSUFFICIENT_GPU, Reason.INSUFFICIENT_CPU_OR_MEMORY, Reason.ACCESS_MODE_CONFLICT})
"""What a successor may lack that its predecessor holds."""


def lacks_room(scene: Scene) -> bool:
    """Whether a successor waits for what its predecessors hold: GPUs, a volume, or their share of a quota."""
    if not scene.others():
        return False
    if (refused := scene.refused) and refused.reason is Reason.QUOTA_EXCEEDED:
        return True
    return any(_finds_no_room(pod, scene) for pod in scene.of(scene.asked))


def _finds_no_room(pod: Manifest, scene: Scene) -> bool:
    """A volume that another node has attached never comes; nothing but time tells it from one that is slow."""
    unplaced = scheduler.no_node_was_found(pod, scene.model)
    if unplaced:
        return unplaced.reason in ROOM
    modes = (scene.seen.claim or {}).get("spec", {}).get("accessModes", ())
    bound_to_a_node = "ReadWriteOnce" in modes and not {"ReadWriteMany", "ReadOnlyMany"} & set(modes)
    late = bound_to_a_node and bool(scene.now) and kubelet.preparation_takes_long(pod, scene.model, scene.now)
    return bool(late)
