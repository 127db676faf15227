"""The Jobs that ask a source how much it holds, and that fetch it: on CPUs, before any GPU is held.

Why it exists: a download of hours must cost no GPU and survive whatever ends its pod. The kubelet starts a failed fetch
again with growing pauses, and it goes on at the byte where it was. It must never put a token on a command line, or give
a pod more than the one claim.
"""

from qwen_operator.core import names
from qwen_operator.core.desired.job import job
from qwen_operator.core.desired.placement import node_affinity, node_selector, tolerations
from qwen_operator.core.desired.restricted import CONTAINER_SECURITY
from qwen_operator.core.desired.weights_claim import access_mode
from qwen_operator.core.place import Place, mark, place
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.serving import devices
from qwen_operator.core.settings import Settings
from qwen_operator.core.snapshot import Manifest
from qwen_operator.core.source import S3, source

STORE_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION")
"""Entries of the Secret that opens an object store, under AWS's own names."""
TOKEN_FILE = f"{names.CREDENTIALS_DIR}/token"
SCRATCH = "/tmp"  # noqa: S108  (a volume of the pod's own)


def measuring_job(model: QwenModel, settings: Settings) -> Manifest:
    """The Job that asks how much there is; it needs no claim."""
    return _job(model, settings, "measure", [])


def fetching_job(model: QwenModel, settings: Settings) -> Manifest:
    """The Job that fetches into the claim, verifies and describes."""
    there = place(model)
    folder = f"{names.MODELS_DIR}/{there.folder}"
    return _job(model, settings, "fetch", [folder, f"--check={model.spec.cache.verify.lower()}"], there)


def _job(model: QwenModel, settings: Settings, verb: str, arguments: list[str], there: Place | None = None) -> Manifest:
    labels = names.weights_labels(model.metadata.name)
    name = names.weights_job(model.metadata.name, verb, mark(model))
    return job(model, name, labels, _pod(model, settings, verb, arguments, there))


def _pod(model: QwenModel, settings: Settings, verb: str, arguments: list[str], there: Place | None) -> Manifest:
    bound = _same_nodes(model) if there and there.made and access_mode(model) != "ReadWriteMany" else {}
    return {
        "containers": [_container(model, settings, verb, arguments, there)],
        "volumes": _volumes(model, there),
        **{field: value for field, value in bound.items() if value},
    }


def _same_nodes(model: QwenModel) -> Manifest:
    """A claim that one node uses may be bound to where its first pod runs: that must be where replicas can run."""
    gpus = devices(model.spec)
    return {
        "nodeSelector": node_selector(model, gpus),
        "affinity": node_affinity(model),
        "tolerations": tolerations(model, gpus),
    }


def _container(model: QwenModel, settings: Settings, verb: str, arguments: list[str], there: Place | None) -> Manifest:
    uri = model.spec.model.uri
    endpoint = settings.store_endpoint if source(uri).scheme == S3 else settings.hub_endpoint
    flags = [f"--endpoint={endpoint}"] if endpoint else []
    token = [f"--token-file={TOKEN_FILE}"] if model.spec.model.credentials_ref and source(uri).scheme != S3 else []
    claim = [{"name": "models", "mountPath": names.MODELS_DIR}] if there else []
    secret = [{"name": "credentials", "mountPath": names.CREDENTIALS_DIR, "readOnly": True}] if token else []
    return {
        "name": names.WEIGHTS_CONTAINER,
        "image": settings.weights_image,
        "imagePullPolicy": settings.image_pull_policy,
        "command": [names.WEIGHTS_PROGRAM],
        "args": [verb, uri, *arguments, *flags, *token],
        "env": [*({"name": name, "value": value} for name, value in _environment()), *_store_keys(model)],
        "ports": [{"name": "management", "containerPort": names.MANAGEMENT_PORT, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "4Gi"}},
        "securityContext": CONTAINER_SECURITY,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [*claim, *secret, {"name": "tmp", "mountPath": SCRATCH}],
    }


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


def _volumes(model: QwenModel, there: Place | None) -> list[Manifest]:
    """The Secret is optional, so that without it the Job says so in its own words instead of hanging."""
    credentials = model.spec.model.credentials_ref
    volumes: list[Manifest] = [{"name": "tmp", "emptyDir": {"sizeLimit": "4Gi"}}]
    if there:
        volumes.append({"name": "models", "persistentVolumeClaim": {"claimName": there.claim}})
    if credentials and source(model.spec.model.uri).scheme != S3:
        items = [{"key": credentials.key, "path": "token"}]
        secret = {"secretName": credentials.name, "items": items, "defaultMode": 0o440, "optional": True}
        volumes.append({"name": "credentials", "secret": secret})
    return volumes
