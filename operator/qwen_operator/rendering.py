"""Prints what would be made, without a cluster: the children of a QwenModel, and the CustomResourceDefinition.

Why it exists: whoever reviews a QwenModel can see all that follows from it. It must never talk to an API server.
"""

from typing import Any

import yaml

from qwen_operator import crd as definition
from qwen_operator.core import names, plan
from qwen_operator.core.place import mark, place
from qwen_operator.core.resource import InvalidResource, QwenModel, parse
from qwen_operator.core.settings import Settings
from qwen_operator.core.snapshot import Manifest, Snapshot
from qwen_operator.core.steps import Apply, CreateOnce, Delete

DONE = {"conditions": [{"type": "Complete", "status": "True"}]}
"""Status of a Job that has done its work."""


class Plain(yaml.SafeDumper):
    """YAML without anchors: what occurs twice is written twice, as people and kubectl expect."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  (the signature is pyyaml's)
        """True for every object."""
        return True


class Unrenderable(Exception):  # noqa: N818  (a sentence for the person who asked)
    """The file holds no QwenModel that could be served."""


def children(text: str, settings: Settings) -> str:
    """The children of every QwenModel in a YAML text, as YAML documents in the order they are made.

    A claim that a model names is taken to exist.

    :raises Unrenderable: with a sentence that names the field or the place.
    """
    manifests = [manifest for model in _models(text) for manifest in manifests_of(model, settings)]
    return yaml.dump_all(manifests, Dumper=Plain, sort_keys=False, explicit_start=True)


def steps(text: str, settings: Settings) -> list[Apply | CreateOnce]:
    """The steps for every QwenModel in a YAML text, each with its reason; otherwise as `children`."""
    return [step for model in _models(text) for step in _steps_of(model, settings)]


def crd() -> str:
    """The CustomResourceDefinition as YAML."""
    return yaml.dump(definition.document(), Dumper=Plain, sort_keys=False)


def _models(text: str) -> list[QwenModel]:
    try:
        documents = [document for document in yaml.safe_load_all(text) if document]
    except yaml.YAMLError as error:
        raise Unrenderable(f"This is no YAML: {' '.join(str(error).split())}.") from None
    models = [document for document in documents if isinstance(document, dict) and document.get("kind") == "QwenModel"]
    if not models:
        raise Unrenderable("There is no QwenModel in it.")
    return [_parsed(model) for model in models]


def _parsed(body: dict[str, Any]) -> QwenModel:
    try:
        return parse(body)
    except InvalidResource as invalid:
        raise Unrenderable(invalid.problem.message) from None


def manifests_of(model: QwenModel, settings: Settings) -> list[dict[str, Any]]:
    """The children of a model in the order in which they are made, from nothing to replicas.

    :raises Unrenderable: it can't be served.
    """
    return [step.manifest for step in _steps_of(model, settings)]


def _steps_of(model: QwenModel, settings: Settings) -> list[Apply | CreateOnce]:
    """The steps by which the children of a model are made, from nothing to replicas.

    :raises Unrenderable: it can't be served.
    """
    there = place(model)
    claim = {"metadata": {"name": there.claim, "labels": names.weights_labels(model.metadata.name)}}
    before = Snapshot(claim=None if there.made or there.image else claim)
    after = Snapshot(
        claim=None if there.image else claim, jobs=(_done(model, "fetch"),), fetchers=(_heard(model, "describe"),)
    )
    made: dict[tuple[str, str], Apply | CreateOnce] = {}
    for seen in (before, after):
        planned = plan.make(model, seen, settings)
        if planned.problem:
            raise Unrenderable(f"{model.metadata.name}: {planned.problem.message}")
        made |= {_place(step): step for step in planned.steps if not isinstance(step, Delete)}
    return list(made.values())


def _done(model: QwenModel, verb: str) -> Manifest:
    """A Job that has done its work."""
    name = names.weights_job(model.metadata.name, verb, mark(model))
    return {"metadata": {"name": name, "uid": ""}, "status": DONE}


def _heard(model: QwenModel, verb: str) -> Manifest:
    """The pod of a Job that has ended well, and said nothing that would decide."""
    job = names.weights_job(model.metadata.name, verb, mark(model))
    ended = {"name": names.WEIGHTS_CONTAINER, "state": {"terminated": {"exitCode": 0}}}
    return {"metadata": {"name": job, "labels": {names.JOB_NAME: job}}, "status": {"containerStatuses": [ended]}}


def _place(step: Apply | CreateOnce) -> tuple[str, str]:
    return step.manifest["kind"], step.manifest["metadata"]["name"]
