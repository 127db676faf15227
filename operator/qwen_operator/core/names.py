"""Every label, child name, path and port the operator gives out.

Why it exists: a name typed twice drifts. It must never hold anything that changes between releases, since labels end up
in immutable selectors.
"""

FIELD_MANAGER = "qwen-operator"
"""The one manager of server-side apply, on children and on `/status`."""

MANAGED_BY = "app.kubernetes.io/managed-by"
INSTANCE = "app.kubernetes.io/instance"
NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"

OURS = f"{MANAGED_BY}={FIELD_MANAGER}"
"""Label selector, applied by the API server, of everything the operator makes."""

APPLIED_HASH = "qwen-operator.io/applied"
"""Annotation on a child (never on a pod template): digest of what was last applied.

It shows that a field was dropped from what is wanted, which a comparison of subsets alone can't see.
"""

GENERATED_KEY = "default"
"""Entry of the key Secret that holds the generated key."""

API_PORT = 8000
MANAGEMENT_PORT = 8001

CONTAINER = "server"
MODELS_DIR = "/models"
KEYS_DIR = "/etc/qwen/keys"


def labels(model: str) -> dict[str, str]:
    """Labels of every child of a model, pods included."""
    return {**selector(model), MANAGED_BY: FIELD_MANAGER}


def selector(model: str) -> dict[str, str]:
    """Labels that find a model's pods; immutable once a Deployment exists."""
    return {NAME: "qwen-model", INSTANCE: model, COMPONENT: "server"}


def deployment(model: str) -> str:
    """Name of a model's Deployment."""
    return model


def service(model: str) -> str:
    """Name of a model's Service."""
    return model


def key_secret(model: str) -> str:
    """Name of the Secret of API keys, unless the model names another."""
    return f"{model}-api-keys"
