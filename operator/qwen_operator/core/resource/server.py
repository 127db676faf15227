"""`spec.server`, `spec.auth` and `spec.service`: the program in the pod, and the way to it.

Why it exists: it keeps the page of `spec` readable. It must never take a reference to a Secret's content, since the
operator and whoever writes a QwenModel are not to gain it.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from qwen_operator.core.resource import arguments, environment
from qwen_operator.core.resource.fields import Duration, LabelValue, Name, Part, lasting
from qwen_operator.core.resource.rules import ATOMIC, keyed_by, rules

ARGUMENT_RULES = rules(
    (
        f"self.matches('{arguments.allowed_pattern()}')",
        "server.args[] takes one flag an element, as --flag or --flag=value, out of: "
        + ", ".join(arguments.ALLOWED)
        + "; what has a field of its own is set there",
    )
)

ENV_RULES = rules(
    (
        f"!(self.name in {list(environment.RESERVED)!r}) && !self.name.startsWith('{environment.RESERVED_PREFIX}')",
        "server.env[].name is set by the operator or reserved; remove it: "
        + ", ".join((*environment.RESERVED, f"{environment.RESERVED_PREFIX}*")),
    )
)

KEPT_LABELS = "!self.exists(k, k.startsWith('app.kubernetes.io/') || k.startsWith('qwen-operator.io/'))"


class PullSecret(Part, frozen=True, kw_only=True):
    """A Secret of type kubernetes.io/dockerconfigjson in the model's namespace."""

    name: Annotated[Name, Meta(description="Name of the Secret.")]


class Variable(Part, frozen=True, kw_only=True):
    """An environment variable of the server."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=128, description="Its name.")]
    value: Annotated[
        str, Meta(max_length=4096, description="Its value, as it stands; no secret belongs here. Default: empty.")
    ] = ""


class Server(Part, frozen=True, kw_only=True):
    """The server that runs in each replica."""

    image: (
        Annotated[
            str,
            Meta(
                pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$",
                max_length=512,
                description="Image of the server. Default: the operator's own for the device.",
            ),
        ]
        | None
    ) = None
    image_pull_policy: (
        Annotated[
            Literal["Always", "IfNotPresent", "Never"],
            Meta(description="When the node pulls the image. Default: the operator's setting, IfNotPresent."),
        ]
        | None
    ) = None
    image_pull_secrets: Annotated[
        tuple[PullSecret, ...],
        Meta(
            max_length=8,
            description="Secrets with credentials of the image's registry. Default: none.",
            extra_json_schema=keyed_by("name"),
        ),
    ] = ()
    args: Annotated[
        tuple[Annotated[str, Meta(max_length=128, extra_json_schema=ARGUMENT_RULES)], ...],
        Meta(
            max_length=16,
            description="Flags of the engine that have no field of their own, one an element, as --flag or "
            "--flag=value: " + ", ".join(arguments.ALLOWED) + ". Default: none.",
            extra_json_schema=ATOMIC,
        ),
    ] = ()
    env: Annotated[
        tuple[Annotated[Variable, Meta(extra_json_schema=ENV_RULES)], ...],
        Meta(
            max_length=64,
            description="Environment variables of the server, as literals. Default: none.",
            extra_json_schema=keyed_by("name"),
        ),
    ] = ()
    gpu_memory_utilization: (
        Annotated[
            float,
            Meta(
                ge=0.1,
                le=0.98,
                description="Share of each GPU's memory that the engine may use, 0.1 to 0.98. Default: 0.9.",
            ),
        ]
        | None
    ) = None
    max_num_seqs: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=4096,
                description="Requests that one replica works on at once, or with parallelism.data each of its "
                "ranks. Default: the engine's own.",
            ),
        ]
        | None
    ) = None
    context_overflow: Annotated[
        Literal["Reject", "Clamp"],
        Meta(
            description="What happens to a request whose prompt and max_tokens exceed the context: Reject answers 400, "
            "Clamp lowers max_tokens. Default: Reject."
        ),
    ] = "Reject"
    stall_timeout: (
        Annotated[
            Duration,
            Meta(
                description="How long a start, or an engine at work, may stand still before the server ends with the "
                "reason, 10s to 12h; a start that moves may take as long as it takes. Default: 10m."
            ),
            lasting("server.stallTimeout", "10s", "12h"),
        ]
        | None
    ) = None


class Auth(Part, frozen=True, kw_only=True):
    """Who may call the model."""

    secret_name: (
        Annotated[
            Name,
            Meta(
                description="Secret in the same namespace whose entries are the API keys: entry name = key name, value "
                "= the key or sha256:<hex>. Entries may come and go while replicas run. Default: <name>-api-keys."
            ),
        ]
        | None
    ) = None
    generate: (
        Annotated[
            bool,
            Meta(
                description="Whether the operator creates the Secret with one generated key if it is missing. It never "
                "reads or changes one that exists. Default: true without secretName, false with it."
            ),
        ]
        | None
    ) = None


class Service(Part, frozen=True, kw_only=True):
    """The Service in front of the replicas."""

    type: Annotated[
        Literal["ClusterIP", "NodePort", "LoadBalancer"],
        Meta(
            description="How far it reaches: inside the cluster, nodes' ports, or a load balancer. Default: ClusterIP."
        ),
    ] = "ClusterIP"
    port: Annotated[int, Meta(ge=1, le=65535, description="Port that clients call. Default: 8000.")] = 8000
    annotations: Annotated[
        dict[str, Annotated[str, Meta(max_length=4096)]],
        Meta(
            max_length=32, description="Annotations of the Service, such as a load balancer's settings. Default: none."
        ),
    ] = field(default_factory=dict)
    labels: Annotated[
        dict[str, LabelValue],
        Meta(
            max_length=32,
            description="Labels of the Service besides the operator's own. Default: none.",
            extra_json_schema=rules(
                (KEPT_LABELS, "service.labels must not hold app.kubernetes.io/* or qwen-operator.io/*: these are set")
            ),
        ),
    ] = field(default_factory=dict)
