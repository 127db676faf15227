"""What the operator is told once, at its start.

Why it exists: builders and decisions take their surroundings as one value. It must never read the environment itself;
`__main__` is the only reader.
"""

from dataclasses import dataclass

SERVER_IMAGE = "qwen-operator/server:latest"
SERVER_CPU_IMAGE = "qwen-operator/server-cpu:latest"
WEIGHTS_IMAGE = "qwen-operator/operator:latest"
"""Images where nobody says otherwise; the chart always does."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The operator's own settings, the same for all models."""

    namespace: str = "qwen-operator"
    """Namespace the operator itself runs in; its Lease lives there."""

    watch_namespaces: tuple[str, ...] = ()
    """Namespaces whose QwenModels are served; empty means the whole cluster."""

    server_image: str
    """Image of the server for `device: GPU`, when a model names none."""

    server_cpu_image: str
    """Image of the server for `device: CPU`, when a model names none."""

    weights_image: str
    """Image of the Jobs that fetch weights: the operator's own."""

    hub_endpoint: str = ""
    """Base URL of the hub for hf://; empty means the public one."""

    store_endpoint: str = ""
    """Base URL of the object store for s3://; empty means AWS."""

    image_pull_policy: str = "IfNotPresent"
    """Pull policy of the server's image, when a model names none."""

    read_nodes: bool = False
    """Whether the memory of GPUs is read from the labels of nodes, which takes a right on the whole cluster."""

    workers: int = 16
    """Models reconciled at the same time."""

    resync_seconds: float = 600.0
    """Seconds between two looks at a model that nothing else wakes; spread by 20 %."""
