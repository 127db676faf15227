"""Every leaf of the spec, as the definition's own schema has them, with a value that is valid and one that is not."""

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

from qwen_operator import crd
from tests.operator_api.emulator.memory import Manifest

EACH = "[]"
"""Stands in a path for the one item of a list."""
Path = tuple[str, ...]
SCHEMA: Manifest = crd.document()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]

CPU: Manifest = {"model": {"uri": "pvc://weights/qwen3"}, "device": "CPU"}
GPU: Manifest = {"model": {"uri": "pvc://weights/qwen3"}, "resources": {"gpus": 4, "gpuProduct": "NVIDIA-H200"}}
HUB: Manifest = {"model": {"uri": "hf://Qwen/Qwen3-0.6B"}, "device": "CPU"}
BEFORE: dict[str, Manifest] = {
    "resources.gpu": GPU,
    "parallelism": GPU,
    "device": {"model": {"uri": "pvc://weights/qwen3"}},
    "validation": GPU,
    "server.gpuMemoryUtilization": GPU,
    "model.kvCacheDtype": GPU,
    "model.credentialsRef": HUB,
    "cache": HUB,
}
"""What is asked for before, by the beginning of a path; of all others `CPU`."""

VALUES: dict[str, Any] = {
    "model.uri": "pvc://weights/another",
    "model.servedName": "served",
    "device": "CPU",
    "replicas": 2,
    "suspend": True,
    "resources.gpuResourceName": "nvidia.com/mig-7g.80gb",
    "resources.gpuProduct": "NVIDIA-H100-80GB-HBM3",
    "resources.gpuMemory": "80Gi",
    "resources.gpus": 8,
    "resources.cpu": "2",
    "resources.memory": "6Gi",
    "resources.sharedMemory": "2Gi",
    "parallelism.tensor": 2,
    "parallelism.pipeline": 2,
    "parallelism.data": 2,
    "validation.headroom": "5%",
    "server.image": "registry.example/server:2",
    "server.args.[]": "--seed=1",
    "server.env.[].name": "NCCL_DEBUG",
    "server.gpuMemoryUtilization": 0.8,
    "server.stallTimeout": "5m",
    "auth.secretName": "team-keys",
    "auth.generate": False,
    "service.port": 9000,
    "cache.claimName": "shared",
    "cache.storageClassName": "fast",
    "cache.size": "5Gi",
    "rollout.drainTimeout": "1m",
    "networkPolicy.from.[].ipBlock.cidr": "10.0.0.0/8",
    "networkPolicy.from.[].ipBlock.except.[]": "10.1.0.0/16",
    "scheduling.schedulerName": "other-scheduler",
    "scheduling.tolerations.[].operator": "Equal",
}
"""Where a type alone does not tell what is valid and is another than the default."""
ITEMS: dict[str, Manifest] = {
    "matchExpressions": {"key": "example.com/word", "operator": "In", "values": ["one"]},
    "tolerations": {"key": "example.com/word", "operator": "Equal", "value": "one", "effect": "NoExecute"},
}
"""Items of lists whose parts depend on one another, by the list's name."""
WORD = "word"


class Leaf(NamedTuple):
    """One leaf of the spec."""

    path: Path
    schema: Manifest

    @property
    def title(self) -> str:
        """Its path as people write it."""
        return ".".join(self.path)

    @property
    def before(self) -> Manifest:
        """The spec that has it not."""
        return next((spec for start, spec in BEFORE.items() if self.title.startswith(start)), CPU)

    @property
    def valid(self) -> Manifest:
        """That spec with the leaf."""
        return self._with(valid(self.title, self.schema))

    @property
    def invalid(self) -> Manifest:
        """That spec with something of another type there."""
        wrong = {"string": 5, "integer": "many", "number": "many", "boolean": "perhaps", "object": "none"}
        kind = self.schema.get("type")
        return self._with(["neither"] if kind is None else wrong[kind])

    def _with(self, value: Any) -> Manifest:
        spec = copy.deepcopy(self.before)
        laid(spec, SCHEMA, self.path, value)
        return spec


def leaves(schema: Manifest = SCHEMA, path: Path = ()) -> Iterator[Leaf]:
    """All of them, depth first; of a list its items' leaves, and of a map the whole."""
    if schema.get("type") == "array":
        yield from leaves(schema["items"], (*path, EACH))
    elif below := schema.get("properties"):
        for name, each in below.items():
            yield from leaves(each, (*path, name))
    else:
        yield Leaf(path, schema)


def valid(title: str, schema: Manifest) -> Any:
    """A valid value of a leaf."""
    if title in VALUES:
        return VALUES[title]
    if "enum" in schema:
        return next(each for each in reversed(schema["enum"]) if each != schema.get("default"))
    if schema.get("type") == "object":
        return {"example.com/word": WORD}
    if schema.get("type") == "integer":
        return max(schema.get("minimum", 0), min(2048, schema.get("maximum", 2048)))
    return WORD


def laid(spec: Any, schema: Manifest, path: Path, value: Any, so_far: Path = ()) -> None:
    """Put a value at a path, and what is required beside it on the way."""
    part, rest = path[0], path[1:]
    below = schema["items"] if part == EACH else schema["properties"][part]
    here, at = (*so_far, part), 0 if part == EACH else part
    if part == EACH and not spec:
        spec.append(copy.deepcopy(ITEMS.get(so_far[-1])))
    if not rest:
        spec[at] = value
        return
    if (spec[0] is None) if part == EACH else (part not in spec):
        spec[at] = [] if below.get("type") == "array" else {}
    laid(spec[at], below, rest, value, here)
    for name in below.get("required", ()):
        if name not in spec[at]:
            spec[at][name] = least(below["properties"][name], (*here, name))


def least(schema: Manifest, path: Path) -> Any:
    """The smallest valid value at a path: of an object what is required, of a list one item."""
    if schema.get("type") == "array":
        item = ITEMS.get(path[-1])
        return [copy.deepcopy(item) if item else least(schema["items"], (*path, EACH))]
    if "properties" in schema:
        return {name: least(schema["properties"][name], (*path, name)) for name in schema.get("required", ())}
    return valid(".".join(path), schema)
