"""What changing a field of a model that serves does, found out by changing it: two plans are compared.

Why it exists: whoever edits a model of half a terabyte must know beforehand whether its replicas restart. It must never
be told an effect: a probe is two values of a field, and the operator's own plan says the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from hack.generate.fields import Schema, fields
from hack.generate.probes import BESIDE, PROBES, SMALLER, WHOLE
from qwen_operator.core import kinds, names, plan
from qwen_operator.core.desired.weights_job import fetching_job
from qwen_operator.core.place import mark, place
from qwen_operator.core.resource import QwenModel, parse
from qwen_operator.core.settings import Settings
from qwen_operator.core.snapshot import Manifest, Snapshot
from qwen_operator.core.steps import Apply
from qwen_operator.rendering import DONE, manifests_of

SETTINGS = Settings(server_image="server:1", server_cpu_image="server-cpu:1", weights_image="operator:1")
CHILDREN = {
    kinds.DEPLOYMENT.kind: "deployment",
    kinds.SERVICE.kind: "service",
    kinds.NETWORK_POLICY.kind: "network_policy",
    kinds.DISRUPTION_BUDGET.kind: "disruption_budget",
}
"""Where a snapshot keeps a child."""
Spec = dict[str, Any]


class Effect(StrEnum):
    """What becomes of a model that serves."""

    NOTHING = "nothing"
    """No child changes; at most the status says something else."""
    IN_PLACE = "in place"
    """Children change, and no replica restarts."""
    ROLLOUT = "rollout"
    """The pod template changes: every replica is replaced."""
    REFUSED = "refused"
    """The API server does not take it."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One row."""

    path: str
    effect: Effect
    touched: tuple[str, ...]
    """Kinds of children that are made, changed or removed."""
    refused: str = ""
    """The API server's sentence about those new values that it refuses, if there are such."""


def leaves(schema: Schema) -> list[str]:
    """Paths of all fields that hold a value and no other field, or that are handed on as a whole, below `spec`."""
    found = (field.path.removeprefix("spec.") for field in fields(schema, "spec"))
    every = [path for path in found if not _is_inside(path, WHOLE)]
    return [path for path in every if not any(_is_inside(other, (path,)) for other in every)]


def changes(schema: Schema) -> Iterator[Change]:
    """One row for each leaf.

    :raises LookupError: a field has no probe, or a probe no field.
    """
    found = leaves(schema)
    if odd := set(found) ^ PROBES.keys():
        raise LookupError(f"hack/generate/probes.py must hold two values for each field; see {', '.join(sorted(odd))}.")
    for path in found:
        effect, touched = effect_of(*(_served(spec) for spec in pair(path)))
        yield Change(path=path, effect=effect, touched=touched, refused=_transition(schema, path))


def _is_inside(path: str, wholes: tuple[str, ...]) -> bool:
    return path.startswith(tuple(f"{whole}{end}" for whole in wholes for end in (".", "[].")))


def pair(path: str) -> tuple[Spec, Spec]:
    """A spec, and the same with another value at this path."""
    before, after = PROBES[path]
    return spec(path, before), spec(path, after)


def smaller(path: str) -> tuple[Spec, Spec]:
    """The same for a field whose new value the API server is to refuse."""
    before, after = SMALLER[path]
    return spec(path, before), spec(path, after)


def spec(path: str, value: Any) -> Spec:
    """A spec with this value at a path; None leaves the field out."""
    beside = max((known for known in BESIDE if path.startswith(known)), key=len)
    made: Spec = _copied(BESIDE[beside])
    at: Any = made
    *way, last = path.split(".")
    for step in way:
        at = at.setdefault(step.removesuffix("[]"), [{}] if step.endswith("[]") else {})
        at = at[0] if isinstance(at, list) else at
    if value is not None:
        at[last] = value
    return made


def effect_of(before: QwenModel, after: QwenModel) -> tuple[Effect, tuple[str, ...]]:
    """What the plan for `after` does to the children of `before`, once the weights are there."""
    living = _living(before)
    steps = plan.make(after, _brought(living, before, after), SETTINGS).steps
    touched = {step.kind.kind for step in steps} | ({kinds.JOB.kind} if mark(before) != mark(after) else set())
    templates = [
        step.manifest["spec"]["template"] for step in steps if isinstance(step, Apply) and step.kind == kinds.DEPLOYMENT
    ]
    if any(template != (living.deployment or {})["spec"]["template"] for template in templates):
        return Effect.ROLLOUT, tuple(sorted(touched))
    return Effect.IN_PLACE if touched else Effect.NOTHING, tuple(sorted(touched))


def _served(spec: Spec) -> QwenModel:
    """A model whose weights have come."""
    uri = spec["model"]["uri"]
    known = {"source": uri, "commit": "3f2a1b", "bytes": 16 * 2**30, "files": 5}
    metadata = {"name": "qwen3", "namespace": "team", "uid": "1b9a"}
    return parse({"metadata": metadata, "spec": spec, "status": {"weights": known}})


def _living(model: QwenModel) -> Snapshot:
    """Its children as they were sent."""
    made = {manifest["kind"]: manifest for manifest in manifests_of(model, SETTINGS) if _stays(manifest, model)}
    for manifest in made.values():
        manifest["metadata"]["uid"] = manifest["kind"]
    children: dict[str, Any] = {field: made.get(kind) for kind, field in CHILDREN.items()}
    return Snapshot(claim=made.get(kinds.CLAIM.kind) or _given(model), jobs=_done(model), **children)


def _stays(manifest: Manifest, model: QwenModel) -> bool:
    """Whether it is there for as long as the model, and is read; a Job's policy goes with its Job."""
    of_job = manifest["kind"] == kinds.NETWORK_POLICY.kind and manifest["metadata"]["name"] != model.metadata.name
    return manifest["kind"] != kinds.SECRET.kind and not of_job


def _brought(living: Snapshot, before: QwenModel, after: QwenModel) -> Snapshot:
    """What lives when the other weights have come, if they are others."""
    claim = living.claim if place(before).claim == place(after).claim else _given(after)
    return replace(living, claim=claim, jobs=_done(after))


def _given(model: QwenModel) -> Manifest:
    there = place(model)
    return {"metadata": {"name": there.claim, "labels": names.weights_labels(model.metadata.name)}}


def _done(model: QwenModel) -> tuple[Manifest, ...]:
    return ({**fetching_job(model, SETTINGS), "status": DONE},) if place(model).fetched else ()


def _transition(schema: Schema, path: str) -> str:
    """The message of the rule that compares a new value with the one before, if there is one."""
    part = schema
    for step in path.split("."):
        part = part["properties"][step.removesuffix("[]")]
        part = part["items"] if step.endswith("[]") else part
    said = (rule["message"] for rule in part.get("x-kubernetes-validations", ()) if "oldSelf" in rule["rule"])
    return next(said, "")


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value
