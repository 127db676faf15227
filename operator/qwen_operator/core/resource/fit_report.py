"""`status.fit`: the numbers behind the condition Fits.

Why it exists: it keeps the page of `status` readable. It must never hold a number that is rounded: people read the
condition's message, programs read this.
"""

from typing import Annotated, Literal

from msgspec import Meta

from qwen_operator.core.resource.fields import Part


class FitLayout(Part, frozen=True, kw_only=True):
    """How the GPUs of a replica share the model."""

    tensor: Annotated[int, Meta(ge=1, description="GPUs that split each layer.")]
    pipeline: Annotated[int, Meta(ge=1, description="Stages that the layers are divided into.")]
    data: Annotated[int, Meta(ge=1, description="Ranks that each take their own requests.")]
    expert: Annotated[
        Literal["Enabled", "Disabled"], Meta(description="Whether each GPU holds whole experts, or slices of all.")
    ]


def _bytes(description: str) -> Meta:
    return Meta(description=f"{description}, in bytes.", extra_json_schema={"format": "int64"})


class Fit(Part, frozen=True, kw_only=True):
    """Whether the model fits on its GPUs; sizes are those of the fullest GPU."""

    verdict: Annotated[
        Literal["Fits", "Tight", "DoesNotFit", "Unknown"],
        Meta(description="Tight reaches into the headroom, or has no room for one request more of full length."),
    ]
    layout: Annotated[FitLayout, Meta(description="The layout that was judged.")] | None = None
    need: Annotated[int, _bytes("Weights, overhead and KV cache together")] | None = None
    have: Annotated[int, _bytes("What the engine may use")] | None = None
    weights: Annotated[int, _bytes("Weights")] | None = None
    overhead: Annotated[int, _bytes("What an engine holds beside weights and KV cache")] | None = None
    kv_cache: Annotated[int, _bytes("KV cache of one request of full length")] | None = None
    kv_per_token: Annotated[int, _bytes("KV cache of one token")] | None = None
    concurrent_requests: (
        Annotated[int, Meta(ge=0, description="Requests of full length that one replica holds at the same time.")]
        | None
    ) = None
    largest_context: Annotated[int, Meta(ge=0, description="Tokens of the longest request that fits.")] | None = None
    gpus_needed: (
        Annotated[int, Meta(ge=1, description="The fewest GPUs of a replica that will do; left out if none will.")]
        | None
    ) = None


class Measured(Part, frozen=True, kw_only=True):
    """What an engine that serves was seen to use; it stays for the next estimate."""

    cache_tokens: Annotated[int, Meta(ge=1, description="Tokens that the KV cache of one rank holds.")] | None = None
    load_seconds: (
        Annotated[int, Meta(ge=0, description="Seconds from the first byte of weights to the last.")] | None
    ) = None
    layout: Annotated[FitLayout, Meta(description="The layout of that engine.")] | None = None
    overhead: (
        Annotated[int, _bytes("What it holds on the fullest GPU beside the weights and the KV cache, worked out")]
        | None
    ) = None
    holds_for: (
        Annotated[
            str,
            Meta(max_length=16, description="Digest of model, types, flags and GPU memory for which overhead holds."),
        ]
        | None
    ) = None
