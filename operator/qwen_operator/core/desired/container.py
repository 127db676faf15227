"""The one container of a replica: command, probes, resources, mounts.

Why it exists: what the kubelet asks of the server and what the server gets are in one place. It must never hold a
deadline for loading: the server itself ends when nothing moves any more.
"""

from qwen_operator.core import names
from qwen_operator.core.desired.restricted import CONTAINER_SECURITY
from qwen_operator.core.resource.environment import CACHE_DIR
from qwen_operator.core.serving import Serving
from qwen_operator.core.snapshot import Manifest

STARTUP_PERIOD = 2
"""Seconds between two looks at a starting server; what a ready one may wait for its first request."""
STARTUP_WINDOW = 24 * 3600
"""Seconds that a start may take as far as the kubelet is concerned. A stalled start is ended by the server itself."""


def container(serving: Serving) -> Manifest:
    """The server's container."""
    return {
        "name": names.CONTAINER,
        "image": serving.image,
        "imagePullPolicy": serving.pull_policy,
        "command": [names.SERVER_PROGRAM],
        "args": list(serving.arguments),
        # the API server drops an empty value
        "env": [{"name": name, "value": value} if value else {"name": name} for name, value in serving.environment],
        "ports": [
            {"name": "api", "containerPort": names.API_PORT, "protocol": "TCP"},
            {"name": "management", "containerPort": names.MANAGEMENT_PORT, "protocol": "TCP"},
        ],
        "resources": _resources(serving),
        "startupProbe": _probe(
            "/startupz", period=STARTUP_PERIOD, timeout=2, failures=STARTUP_WINDOW // STARTUP_PERIOD
        ),
        "readinessProbe": _probe("/readyz", period=2, timeout=5, failures=2),
        # patient: a server that is busy must not be shot, and a dead engine ends the server without the kubelet
        "livenessProbe": _probe("/livez", period=10, timeout=10, failures=6),
        "securityContext": CONTAINER_SECURITY,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": "models", "mountPath": names.MODELS_DIR, "readOnly": True},
            {"name": "keys", "mountPath": names.KEYS_DIR, "readOnly": True},
            {"name": "cache", "mountPath": CACHE_DIR},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  (a volume of the pod's own)
            {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108
        ],
    }


def _resources(serving: Serving) -> Manifest:
    """CPU without a limit, since throttling only makes a start longer; GPUs as requests and limits, as they must be."""
    gpus = {serving.devices.resource: str(serving.devices.count)} if serving.devices else {}
    limits = {**gpus, **({"memory": serving.memory_limit} if serving.memory_limit else {})}
    requests = {"cpu": serving.cpu, "memory": serving.memory_request, **gpus}
    return {"requests": requests, "limits": limits}


def _probe(path: str, *, period: int, timeout: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": "management"},
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }
