"""`status` of a QwenModel: what the operator says, field by field.

Why it exists: the document that `core.status` writes and the schema that the API server prunes by are one thing. It
must never hold a phase, since conditions say more, or anything that changes by itself with time.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta

from qwen_operator.core.resource.fields import Part
from qwen_operator.core.resource.fit_report import Fit, Measured
from qwen_operator.core.resource.rules import keyed_by

ConditionType = Literal["Accepted", "Fits", "WeightsReady", "Applied", "Available", "Progressing", "Ready"]
ConditionStatus = Literal["True", "False", "Unknown"]

LONGEST_MESSAGE = 1024
"""Characters of a message: a sentence, a quoted excerpt and a remedy."""


class Condition(Part, frozen=True, kw_only=True, omit_defaults=False):
    """One aspect of the model, as Kubernetes' own kinds report theirs."""

    type: Annotated[ConditionType, Meta(description="Which aspect.")]
    status: Annotated[ConditionStatus, Meta(description="True, False or Unknown.")]
    reason: Annotated[
        str,
        Meta(pattern=r"^[A-Za-z][A-Za-z0-9]*$", min_length=1, max_length=64, description="Why, in one CamelCase word."),
    ]
    message: Annotated[str, Meta(max_length=LONGEST_MESSAGE, description="What is the matter, and what to do.")]
    observed_generation: Annotated[
        int, Meta(ge=0, description="Generation of the spec that this is about.", extra_json_schema={"format": "int64"})
    ]
    last_transition_time: Annotated[
        str,
        Meta(
            max_length=32,
            description="When the status last changed, UTC.",
            extra_json_schema={"format": "date-time"},
        ),
    ]


class Endpoint(Part, frozen=True, kw_only=True):
    """How to call the model."""

    url: Annotated[
        str, Meta(max_length=512, description="Base URL inside the cluster, for base_url of an OpenAI client.")
    ]
    model_id: Annotated[str, Meta(max_length=128, description="What clients send as model.")]
    port_forward: Annotated[
        str, Meta(max_length=512, description="Command that brings the model to this machine's localhost.")
    ]


class Loading(Part, frozen=True, kw_only=True):
    """How far the model is on its way into a replica."""

    summary: Annotated[str, Meta(max_length=64, description="Stage and percent in a few words.")]
    stage: Annotated[str, Meta(max_length=64, description="What the server does, in its own words.")]
    bytes_done: Annotated[
        int, Meta(ge=0, description="Bytes of weights that are read.", extra_json_schema={"format": "int64"})
    ]
    bytes_total: (
        Annotated[int, Meta(ge=0, description="Bytes of all weights.", extra_json_schema={"format": "int64"})] | None
    ) = None
    percent: Annotated[int, Meta(ge=0, le=100, description="Share of the weights that is read.")] | None = None
    seconds_left: Annotated[int, Meta(ge=0, description="Estimate from what was read so far, in seconds.")] | None = (
        None
    )


class Failure(Part, frozen=True, kw_only=True):
    """How a server ended that nobody had asked to end."""

    time: Annotated[str, Meta(max_length=32, description="When it ended, UTC; empty if the node did not say.")]
    pod: Annotated[str, Meta(max_length=253, description="Its pod.")]
    node: Annotated[str, Meta(max_length=253, description="The pod's node.")]
    reason: Annotated[str, Meta(max_length=64, description="The same reasons as in conditions.")]
    exit_code: Annotated[int, Meta(description="The process' exit code.")]
    signal: Annotated[int, Meta(description="Number of the signal that ended it, if one did.")] | None = None
    restarts: Annotated[int, Meta(ge=0, description="Restarts of that pod's server up to then.")]
    excerpt: Annotated[
        str, Meta(max_length=LONGEST_MESSAGE, description="Its last words, cut and without anything like a secret.")
    ]


class Timings(Part, frozen=True, kw_only=True):
    """How long a start took, in seconds. Kubernetes keeps whole ones."""

    pod: Annotated[str, Meta(max_length=253, description="The pod that started.")]
    started_at: Annotated[str, Meta(max_length=32, description="When its server's process began, UTC.")]
    scheduling: Annotated[int, Meta(ge=0, description="Seconds until a node was found.")] | None = None
    preparation: (
        Annotated[int, Meta(ge=0, description="Then seconds until the process began: image, volumes and network.")]
        | None
    ) = None
    engine_start: Annotated[int, Meta(ge=0, description="Then seconds until the model answered.")] | None = None
    total: Annotated[int, Meta(ge=0, description="Seconds all together.")] | None = None


RevisionId = Annotated[str, Meta(max_length=63)]


class Revision(Part, frozen=True, kw_only=True):
    """Which pod templates there are, by the label qwen-operator.io/revision of their pods."""

    current: Annotated[RevisionId, Meta(description="What replicas run, or are brought to.")]
    last_good: Annotated[RevisionId, Meta(description="The last one all replicas of which have answered.")] | None = (
        None
    )
    failed: (
        Annotated[
            RevisionId, Meta(description="One that did not come up; it is not tried again until the spec changes.")
        ]
        | None
    ) = None


class Weights(Part, frozen=True, kw_only=True):
    """What is known of fetched weights."""

    source: Annotated[str, Meta(max_length=1024, description="The model.uri that this is about.")]
    commit: Annotated[
        str, Meta(max_length=64, description="The revision it stood for when it was resolved; a digest for s3://.")
    ]
    bytes: Annotated[int, Meta(ge=0, description="Bytes of all files.", extra_json_schema={"format": "int64"})]
    files: Annotated[int, Meta(ge=0, description="Number of files.")]
    facts: (
        Annotated[
            str,
            Meta(
                max_length=4096,
                description="What the Job said of the model's configuration and tensors, for the check whether it "
                "fits: kept for when the Job's pod is gone, since a layout that changed would restart every replica.",
            ),
        ]
        | None
    ) = None


class Status(Part, frozen=True, kw_only=True):
    """Where the model stands, why, and what to do."""

    observed_generation: Annotated[
        int,
        Meta(
            ge=-1,
            description="Generation of the spec that this is about; -1 before the operator's first look.",
            extra_json_schema={"format": "int64"},
        ),
    ]
    reason: Annotated[str, Meta(max_length=64, description="Reason of the condition Ready.")]
    message: Annotated[str, Meta(max_length=LONGEST_MESSAGE, description="Message of the condition Ready.")]
    conditions: Annotated[
        list[Condition],
        Meta(
            max_length=16,
            description="Accepted: the spec can be served. Fits: the numbers say that it runs on the GPUs asked for. "
            "WeightsReady: the files are there and verified. Applied: the children are as asked. Available: a replica "
            "answers. Progressing: something is moving. Ready: all replicas run what was asked for last, and answer.",
            extra_json_schema=keyed_by("type"),
        ),
    ]
    replicas: Annotated[int, Meta(ge=0, description="Pods that there are, old ones of a rollout included.")] | None = (
        None
    )
    ready_replicas: Annotated[int, Meta(ge=0, description="Pods that answer.")] | None = None
    updated_replicas: Annotated[int, Meta(ge=0, description="Pods that run what was asked for last.")] | None = None
    replica_summary: (
        Annotated[str, Meta(max_length=32, description="Replicas that answer, of those asked for.")] | None
    ) = None
    selector: (
        Annotated[str, Meta(max_length=512, description="Label selector of the pods, for autoscalers.")] | None
    ) = None
    gpus: Annotated[int, Meta(ge=0, description="GPUs of one replica; 0 on CPU.")] | None = None
    progress: (
        Annotated[
            Loading,
            Meta(
                description="How far the replica is that has loaded least; written at most every 10 s, and absent when "
                "none loads."
            ),
        ]
        | None
    ) = None
    last_failure: (
        Annotated[Failure, Meta(description="The server's last failure; it stays after the model has recovered.")]
        | None
    ) = None
    timings: Annotated[Timings, Meta(description="How long the last successful start took.")] | None = None
    revision: Annotated[Revision, Meta(description="Which pod templates there are.")] | None = None
    weights: Annotated[Weights, Meta(description="What is known of fetched weights.")] | None = None
    fit: Annotated[Fit, Meta(description="Whether the model fits on the GPUs asked for.")] | None = None
    measured: (
        Annotated[
            Measured, Meta(description="What the engine was seen to use, once all replicas run what was asked for.")
        ]
        | None
    ) = None
    endpoint: Annotated[Endpoint, Meta(description="How to call the model.")] | None = None


UNSEEN: dict[str, Any] = {
    "observedGeneration": -1,
    "reason": "NotLookedAt",
    "message": "No operator has looked at it yet; if that lasts, see whether one runs and serves this namespace.",
    "conditions": [],
}
"""The status that the API server shows before the operator's first: without it kstatus takes a model that nobody has
looked at for one that is as asked (docs/decisions/0031)."""


def reported(status: Mapping[str, Any]) -> bool:
    """Whether the operator has ever said anything: what the API server fills in does not count."""
    return bool(status) and status.get("observedGeneration") != UNSEEN["observedGeneration"]
