"""The Jobs about weights: ask a source how much it holds, fetch it, look at a claim; on CPUs, before any GPU is held.

Why it exists: a download of hours must cost no GPU and survive whatever ends its pod. The kubelet starts a failed fetch
again with growing pauses, and it goes on at the byte where it was. It must never put a token on a command line, or give
a pod more than the one claim.
"""

from dataclasses import dataclass, field

from qwen_operator.core import names
from qwen_operator.core.claims import is_of_one_node
from qwen_operator.core.desired.job import job
from qwen_operator.core.desired.models_volume import models_volume
from qwen_operator.core.desired.placement import node_affinity, node_selector, tolerations
from qwen_operator.core.desired.restricted import CONTAINER_SECURITY
from qwen_operator.core.desired.weights_claim import access_mode
from qwen_operator.core.place import Place, mark, place
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.serving import devices, pull_policy
from qwen_operator.core.settings import Settings
from qwen_operator.core.snapshot import Manifest
from qwen_operator.core.source import HF, S3, source

STORE_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION")
"""Entries of the Secret that opens an object store, under AWS's own names."""
TOKEN_FILE = f"{names.CREDENTIALS_DIR}/token"
RESOURCES: Manifest = {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "4Gi"}}
"""Of a Job that asks a source."""
LITTLE: Manifest = {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}}
"""Of one that only reads the beginnings of files."""
SCRATCH = "/tmp"  # noqa: S108  (a volume of the pod's own)


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What one Job does, beside what all of them have."""

    verb: str
    arguments: list[str]
    asks: bool = True
    """Whether it asks the source, which takes an endpoint and what opens it."""
    there: Place | None = None
    """What it mounts, if anything."""
    writes: bool = False
    resources: Manifest
    nodes: Manifest = field(default_factory=dict)
    """Where its pod may run."""


def measuring_job(model: QwenModel, settings: Settings) -> Manifest:
    """The Job that asks how much there is; it needs no claim."""
    return _job(model, settings, _Work(verb="measure", arguments=[model.spec.model.uri], resources=RESOURCES))


def fetching_job(model: QwenModel, settings: Settings) -> Manifest:
    """The Job that fetches into the claim, verifies and describes."""
    there = place(model)
    arguments = [model.spec.model.uri, there.path, f"--check={model.spec.cache.verify.lower()}"]
    nodes = _same_nodes(model) if there.made and access_mode(model) != "ReadWriteMany" else {}
    work = _Work(verb="fetch", arguments=arguments, there=there, writes=True, resources=RESOURCES, nodes=nodes)
    return _job(model, settings, work)


def describing_job(
    model: QwenModel, settings: Settings, claim: Manifest | None, *, beside_replicas: bool = False
) -> Manifest:
    """The Job that looks at a folder on somebody else's claim or into an image, writes nothing and asks nobody.

    :param claim: as it lives; one that one node at a time can mount is looked at where replicas can run. So is an
        image: the node that looks has pulled it.
    :param beside_replicas: it goes to a node where a replica is, since that has the claim.
    """
    there, nodes = place(model), _same_nodes(model)
    if not is_of_one_node(claim):
        nodes = {"tolerations": nodes["tolerations"]}  # any node will do, and those of the replicas certainly
    elif beside_replicas:
        nodes = {**nodes, "affinity": {**nodes["affinity"], **_beside(model)}}
    work = _Work(verb="describe", arguments=[there.path], asks=False, there=there, resources=LITTLE, nodes=nodes)
    return _job(model, settings, work)


def _job(model: QwenModel, settings: Settings, work: _Work) -> Manifest:
    labels = names.weights_labels(model.metadata.name)
    return job(
        model, names.weights_job(model.metadata.name, work.verb, mark(model)), labels, _pod(model, settings, work)
    )


def _pod(model: QwenModel, settings: Settings, work: _Work) -> Manifest:
    return {
        "containers": [_container(model, settings, work)],
        "volumes": _volumes(model, settings, work),
        **{field: value for field, value in work.nodes.items() if value},
    }


def _same_nodes(model: QwenModel) -> Manifest:
    """A claim that one node uses may be bound to where its first pod runs: that must be where replicas can run."""
    gpus = devices(model.spec)
    return {
        "nodeSelector": node_selector(model, gpus),
        "affinity": node_affinity(model),
        "tolerations": tolerations(model, gpus),
    }


def _beside(model: QwenModel) -> Manifest:
    near = {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {"matchLabels": names.selector(model.metadata.name)},
    }
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [near]}}


def _container(model: QwenModel, settings: Settings, work: _Work) -> Manifest:
    read_only = {} if work.writes else {"readOnly": True}
    claim = [{"name": "models", "mountPath": names.MODELS_DIR, **read_only}] if work.there else []
    secret = [{"name": "credentials", "mountPath": names.CREDENTIALS_DIR, "readOnly": True}]
    return {
        "name": names.WEIGHTS_CONTAINER,
        "image": settings.weights_image,
        "imagePullPolicy": settings.image_pull_policy,
        "command": [names.WEIGHTS_PROGRAM],
        "args": [work.verb, *work.arguments, *(_of_source(model, settings) if work.asks else ())],
        "env": [*({"name": name, "value": value} for name, value in _environment()), *_store_keys(model)],
        "ports": [{"name": "management", "containerPort": names.MANAGEMENT_PORT, "protocol": "TCP"}],
        "resources": work.resources,
        "securityContext": CONTAINER_SECURITY,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            *claim,
            *(secret if _takes_a_token(model) else []),
            {"name": "tmp", "mountPath": SCRATCH},
        ],
    }


def _of_source(model: QwenModel, settings: Settings) -> list[str]:
    """Where the source is, and the file with what opens it."""
    in_store = source(model.spec.model.uri).scheme == S3
    endpoint = settings.store_endpoint if in_store else settings.hub_endpoint
    token = [f"--token-file={TOKEN_FILE}"] if _takes_a_token(model) else []
    return [*([f"--endpoint={endpoint}"] if endpoint else []), *token]


def _takes_a_token(model: QwenModel) -> bool:
    return model.spec.model.credentials_ref is not None and source(model.spec.model.uri).scheme == HF


def _environment() -> tuple[tuple[str, str], ...]:
    return ("HOME", SCRATCH), ("HF_HOME", f"{SCRATCH}/huggingface"), ("HF_HUB_DISABLE_TELEMETRY", "1")


def _store_keys(model: QwenModel) -> list[Manifest]:
    """An entry that is missing is left out: the store then says what it thinks of that."""
    credentials = model.spec.model.credentials_ref
    if credentials is None or source(model.spec.model.uri).scheme != S3:
        return []
    return [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": credentials.name, "key": name, "optional": True}}}
        for name in STORE_KEYS
    ]


def _volumes(model: QwenModel, settings: Settings, work: _Work) -> list[Manifest]:
    """The Secret is optional, so that without it the Job says so in its own words instead of hanging."""
    credentials = model.spec.model.credentials_ref
    volumes: list[Manifest] = [{"name": "tmp", "emptyDir": {"sizeLimit": "4Gi"}}]
    if work.there:
        volumes.append(models_volume(work.there, pull_policy(model.spec, settings), writes=work.writes))
    if credentials and _takes_a_token(model):
        items = [{"key": credentials.key, "path": "token"}]
        secret = {"secretName": credentials.name, "items": items, "defaultMode": 0o440, "optional": True}
        volumes.append({"name": "credentials", "secret": secret})
    return volumes
