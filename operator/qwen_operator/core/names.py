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

MODEL_NAME = "qwen-model"
"""Value of the label `NAME` on every child."""

LEASE = "qwen-operator"
"""The Lease around all writes, in the operator's own namespace."""

REVISION = "qwen-operator.io/revision"
"""Label of a pod template and its pods: digest of the template itself, so that it changes with nothing else."""

LAST_GOOD = "qwen-operator.io/last-good"
"""Annotation on a Deployment while a rollout is under way: the pod template to return to, as JSON."""

GIVEN_UP = "qwen-operator.io/given-up"
"""Annotation on a Deployment that was returned to its last good template: which revision was given up, and why."""

GENERATED_KEY = "default"
"""Entry of the key Secret that holds the generated key."""

API_PORT = 8000
MANAGEMENT_PORT = 8001

CONTAINER = "server"
SERVER_PROGRAM = "qwen-server"
WEIGHTS_CONTAINER = "weights"
WEIGHTS_PROGRAM = "qwen-weights"
WEIGHTS = "weights"
"""Component of everything about weights."""
IMAGE = "image"
"""Component of the Jobs that pull an image in advance, and the name of their container."""
JOB_NAME = "batch.kubernetes.io/job-name"
"""Label that the Job controller puts on the pods of a Job."""
MODELS_DIR = "/models"
KEYS_DIR = "/etc/qwen/keys"
CREDENTIALS_DIR = "/etc/qwen/credentials"


def labels(model: str) -> dict[str, str]:
    """Labels of every child of a model, pods included."""
    return {**selector(model), MANAGED_BY: FIELD_MANAGER}


def selector(model: str) -> dict[str, str]:
    """Labels that find a model's pods; immutable once a Deployment exists."""
    return {NAME: MODEL_NAME, INSTANCE: model, COMPONENT: "server"}


def weights_labels(model: str) -> dict[str, str]:
    """Labels of what fetches and keeps a model's weights: its claim, its Jobs and their pods."""
    return {**labels(model), COMPONENT: WEIGHTS}


def weights_claim(model: str) -> str:
    """Name of the claim that is made for a model's weights."""
    return f"{model}-weights"


def weights_job(model: str, verb: str, mark: str) -> str:
    """Name of a Job about weights.

    :param verb: `measure` or `fetch`.
    :param mark: stands for the source, see `place.mark`.
    """
    return f"{model}-{verb}-{mark}"


def image_labels(model: str) -> dict[str, str]:
    """Labels of what pulls an image in advance; no Service, policy or budget selects them."""
    return {**labels(model), COMPONENT: IMAGE}


def image_job(model: str, mark: str) -> str:
    """Name of the Job that pulls an image onto nodes.

    :param mark: stands for the image and the nodes.
    """
    return f"{model}-pull-{mark}"


def disruption_budget(model: str) -> str:
    """Name of a model's PodDisruptionBudget."""
    return model


def network_policy(model: str) -> str:
    """Name of a model's NetworkPolicy."""
    return model


def deployment(model: str) -> str:
    """Name of a model's Deployment."""
    return model


def service(model: str) -> str:
    """Name of a model's Service."""
    return model


def key_secret(model: str) -> str:
    """Name of the Secret of API keys, unless the model names another."""
    return f"{model}-api-keys"
