"""Wanted against living: the steps that make them agree, each with its reason in words.

Why it exists: what is going to be written can be printed, tested and counted before anything is. It must never read a
cluster or know how a step is done.
"""

from dataclasses import dataclass

from qwen_operator.core import acceptance
from qwen_operator.core.desired.deployment import deployment
from qwen_operator.core.desired.key_secret import key_secret
from qwen_operator.core.desired.service import service
from qwen_operator.core.kinds import DEPLOYMENT, SECRET, SERVICE, Kind
from qwen_operator.core.living import difference, stamped
from qwen_operator.core.problems import Problem
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.serving import Serving, replicas, serving
from qwen_operator.core.settings import Settings
from qwen_operator.core.snapshot import Manifest, Snapshot, controlled_by
from qwen_operator.core.source import source


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


@dataclass(frozen=True)
class Plan:
    """Steps in the order they are to be taken.

    A `CreateOnce` that fails ends the plan, since a later plan only repeats it while no Deployment refers to the
    Secret. A failed `Apply` or `Delete` does not keep the steps behind it from being taken.
    """

    steps: tuple[Step, ...] = ()
    problem: Problem | None = None
    """Why the model can't be served as asked; the steps that it blocks are not in `steps`."""


@dataclass(frozen=True)
class Outcome:
    """What became of a plan's steps; those without a failure were done."""

    failures: tuple[tuple[Step, Problem], ...] = ()


def make(model: QwenModel, seen: Snapshot, settings: Settings) -> Plan:
    """What is to be done about a model.

    A model that is being deleted gets nothing: its children leave by owner reference. An obstacle (a scheme that can't
    be fetched, a claim that is missing, lost or being deleted) blocks every step that would start pods in vain;
    replicas that run from that same claim are neither torn down nor left without care, and a model without replicas
    needs no claim. An unsupported scheme blocks everything, as no pod can be described.
    """
    if model.metadata.deletion_timestamp:
        return Plan()
    obstacle = acceptance.obstacle(model, seen)
    if obstacle and not _harmless(model, seen):
        return Plan(problem=obstacle)
    wanted = serving(model, settings)
    steps = (
        _created_once(model, wanted, seen.deployment),
        _applied(SERVICE, model, service(model, wanted), seen.service),
        _applied(DEPLOYMENT, model, deployment(model, wanted), seen.deployment),
    )
    return Plan(tuple(step for step in steps if step), obstacle)


def _harmless(model: QwenModel, seen: Snapshot) -> bool:
    """Whether going on despite the obstacle starts no pod that was not there."""
    claim = source(model.spec.model.uri).claim
    if claim is None:
        return False
    living = (seen.deployment or {}).get("spec", {})
    runs_from_it = (
        living.get("replicas", 0) > 0
        and _volume(living, "models").get("persistentVolumeClaim", {}).get("claimName") == claim
    )
    return runs_from_it or replicas(model.spec) == 0


def _created_once(model: QwenModel, wanted: Serving, living: Manifest | None) -> Step | None:
    """The key Secret, until a Deployment refers to it: whoever deletes it later means to revoke every key."""
    refers = _volume((living or {}).get("spec", {}), "keys").get("secret", {}).get("secretName")
    if not wanted.generate_key or refers == wanted.key_secret:
        return None
    return CreateOnce(SECRET, key_secret(model, wanted), "no Deployment refers to it yet")


def _applied(kind: Kind, model: QwenModel, wanted: Manifest, living: Manifest | None) -> Step | None:
    if living is None or not controlled_by(living, model.metadata.uid):
        return Apply(kind, stamped(wanted), "it does not exist")
    if (place := difference(wanted, living)) is not None:
        return Apply(kind, stamped(wanted), f"{place} is not as asked")
    if difference(stamped(wanted), living) is not None:
        return Apply(kind, stamped(wanted), "it holds something that is no longer asked for")
    return None


def _volume(spec: Manifest, name: str) -> Manifest:
    volumes = spec.get("template", {}).get("spec", {}).get("volumes", ())
    return next((volume for volume in volumes if volume.get("name") == name), {})
