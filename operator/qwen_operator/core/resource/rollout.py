"""`spec.rollout`: how replicas of one kind are followed by those of another.

Why it exists: it keeps the page of `spec` readable. It must never hold a deadline for a start: whether one moves is
told from what it does.
"""

from typing import Annotated, Literal

from msgspec import Meta

from qwen_operator.core.resource.fields import Duration, Part, lasting


class Rollout(Part, frozen=True, kw_only=True):
    """How changed replicas take the place of those that run."""

    strategy: Annotated[
        Literal["Auto", "Surge", "InPlace", "OnDelete"],
        Meta(
            description="Surge starts a successor before a replica goes, and needs free GPUs for it. InPlace lets a "
            "replica finish its requests and go first. Auto surges, and goes on in place if the scheduler finds no "
            "room for the successor. OnDelete lets a change wait until no replica serves. Default: Auto."
        ),
    ] = "Auto"
    drain_timeout: Annotated[
        Duration,
        Meta(
            description="How long a replica that goes may work on the requests that it has, 0s to 12h; what is left "
            "then is cut with an error. Default: 5m."
        ),
        lasting("rollout.drainTimeout", "0s", "12h"),
    ] = "5m"
    auto_rollback: Annotated[
        Literal["LastGood", "Off"],
        Meta(
            description="What happens if changed replicas do not come up: LastGood returns to the last ones that did, "
            "and tries the failed change again only in another form; Off goes on trying. Default: LastGood."
        ),
    ] = "LastGood"
