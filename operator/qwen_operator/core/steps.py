"""The steps that a plan is made of, and when one is needed.

Why it exists: whoever plans something says in one word what is wanted and what lives. It must never know how a step is
done.
"""

from dataclasses import dataclass

from qwen_operator.core.kinds import Kind
from qwen_operator.core.living import belongs, difference, stamped
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.snapshot import Manifest


@dataclass(frozen=True)
class Apply:
    """Server-side apply of the fields we mean."""

    kind: Kind
    manifest: Manifest
    why: str


@dataclass(frozen=True)
class CreateOnce:
    """Create if absent; that it exists already (409) is success. Only for the key Secret, which can't be read.

    The manifest holds no data: the executor adds the generated key as `stringData`, under `names.GENERATED_KEY`.
    """

    kind: Kind
    manifest: Manifest
    why: str


@dataclass(frozen=True)
class Delete:
    """Delete exactly the object with this uid."""

    kind: Kind
    name: str
    uid: str
    why: str


Step = Apply | CreateOnce | Delete


def applied(kind: Kind, model: QwenModel, wanted: Manifest, living: Manifest | None) -> Step | None:
    """The step that makes a child as wanted, or None if it is."""
    if living is None or not belongs(kind, living, model):
        return Apply(kind, stamped(wanted), "it does not exist")
    if (place := difference(wanted, living)) is not None:
        return Apply(kind, stamped(wanted), f"{place} is not as asked")
    if difference(stamped(wanted), living) is not None:
        return Apply(kind, stamped(wanted), "it holds something that is no longer asked for")
    return None


def removed(kind: Kind, living: Manifest | None, why: str) -> Step | None:
    """The step that takes a child away, or None if it is not there."""
    return None if living is None else Delete(kind, living["metadata"]["name"], living["metadata"]["uid"], why)


def verb(step: Step) -> str:
    """What it does, as metrics name it."""
    return {Apply: "apply", CreateOnce: "create", Delete: "delete"}[type(step)]


def title(step: Step, model: QwenModel) -> str:
    """What it does to which object, for a log."""
    name = step.name if isinstance(step, Delete) else step.manifest["metadata"]["name"]
    return f"{verb(step)} {step.kind.kind} {model.metadata.namespace}/{name}"
