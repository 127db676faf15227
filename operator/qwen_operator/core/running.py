"""What the replicas of a Deployment run, read back from its pod template.

Why it exists: what runs is left alone as long as it will do, and the Deployment itself is the surest witness of it. It
must never depend on what is asked for.
"""

from qwen_operator.core import names
from qwen_operator.core.fit.layout import Layout
from qwen_operator.core.place import Place
from qwen_operator.core.snapshot import Manifest


def volume(living: Manifest | None, name: str) -> Manifest:
    """A volume of its pods, or an empty one."""
    volumes = _template(living).get("volumes", ())
    return next((volume for volume in volumes if volume.get("name") == name), {})


def runs_on(living: Manifest | None, claim: str) -> bool:
    """Whether there are to be replicas, and their model is on this claim."""
    found = volume(living, "models").get("persistentVolumeClaim", {})
    return _is_to_run(living) and bool(found.get("claimName") == claim)


def runs_from(living: Manifest | None, place: Place) -> bool:
    """Whether there are to be replicas, and they serve what is at this place."""
    if place.image:
        found = volume(living, "models").get("image", {})
        return _is_to_run(living) and bool(found.get("reference") == place.image)
    return runs_on(living, place.claim) and _flag(living, "model") == place.path


def layout(living: Manifest | None) -> Layout | None:
    """How its pods share a model among GPUs, or None where there are none, or they say something else."""
    sizes = [_flag(living, f"{kind}-parallel-size") for kind in ("tensor", "pipeline", "data")]
    if sizes[0] is None or not all(size is None or size.isdecimal() for size in sizes):
        return None
    tensor, pipeline, data = (int(size or 1) for size in sizes)
    return Layout(tensor, pipeline, data, expert="--enable-expert-parallel" in _arguments(living))


def _is_to_run(living: Manifest | None) -> bool:
    return bool((living or {}).get("spec", {}).get("replicas"))


def _template(living: Manifest | None) -> Manifest:
    pod: Manifest = (living or {}).get("spec", {}).get("template", {}).get("spec", {})
    return pod


def _arguments(living: Manifest | None) -> list[str]:
    containers = _template(living).get("containers", ())
    found: Manifest = next((each for each in containers if each.get("name") == names.CONTAINER), {})
    return list(found.get("args", ()))


def _flag(living: Manifest | None, name: str) -> str | None:
    """Value of one of the flags that we write; what a person adds in server.args comes after them."""
    given = (word for word in _arguments(living) if word.startswith(f"--{name}="))
    return next((word.partition("=")[2] for word in given), None)
