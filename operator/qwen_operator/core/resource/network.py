"""`spec.networkPolicy`: whom the replicas may talk to, and whether Jobs are fenced.

Why it exists: it keeps the page of `spec` readable. It must never open the way out, since a replica needs none.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from qwen_operator.core.resource.fields import Part
from qwen_operator.core.resource.rules import ATOMIC, rules
from qwen_operator.core.resource.selector import Selector

OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
CIDR = rf"^({OCTET}(\\.{OCTET}){{3}}/(3[0-2]|[12]?[0-9])|[0-9a-f:]*:[0-9a-f:]*/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))$"
"""A range of addresses, as text of a CEL string; `10.0.0.0/8` or `fd00::/8`."""

NETWORK_RULES = rules(
    (
        "!has(self.from) || self.mode == 'Restricted'",
        "networkPolicy.from needs networkPolicy.mode Restricted; with mode Off leave it out",
    ),
)
SOMEBODY = rules(
    (
        "self.size() > 0",
        "networkPolicy.from must hold somebody, since an empty list lets everybody in; leave it out to mean that",
    )
)
PEER_RULES = rules(
    (
        "has(self.podSelector) || has(self.namespaceSelector) || has(self.ipBlock)",
        "networkPolicy.from[] must have podSelector, namespaceSelector or ipBlock; podSelector: {} means every pod of "
        "the namespace",
    ),
    (
        "!has(self.ipBlock) || !(has(self.podSelector) || has(self.namespaceSelector))",
        "networkPolicy.from[].ipBlock must stand alone; put pods and addresses into elements of their own",
    ),
)


def _range(name: str, example: str) -> Meta:
    message = f"networkPolicy.from[].ipBlock.{name} must be a range of addresses, such as {example}"
    return Meta(extra_json_schema=rules((f"self.matches('{CIDR}')", message)))


Cidr = Annotated[str, Meta(max_length=43)]


class Block(Part, frozen=True, kw_only=True):
    """A range of addresses."""

    cidr: Annotated[
        Cidr,
        Meta(description="Range of addresses in CIDR form, such as 10.0.0.0/8."),
        _range("cidr", "10.0.0.0/8 or fd00::/8"),
    ]
    without: Annotated[
        tuple[Annotated[Cidr, _range("except[]", "10.1.0.0/16")], ...],
        Meta(max_length=16, description="Ranges of it that are left out. Default: none.", extra_json_schema=ATOMIC),
    ] = field(default=(), name="except")


class Peer(Part, frozen=True, kw_only=True):
    """Somebody who may call the API."""

    pod_selector: Annotated[
        Selector | None,
        Meta(
            description="Pods, by their labels; of the model's own namespace unless namespaceSelector is given, too. "
            "Default: every pod of the namespaces chosen."
        ),
    ] = None
    namespace_selector: Annotated[
        Selector | None,
        Meta(description="Namespaces, by their labels; {} is every one. Default: the model's own."),
    ] = None
    ip_block: Annotated[
        Block | None,
        Meta(
            description="Addresses instead of pods, as they are seen at the replica: a load balancer or a node may "
            "have put its own in their place. Default: none."
        ),
    ] = None


class NetworkPolicy(Part, frozen=True, kw_only=True):
    """Whom the replicas may talk to."""

    mode: Annotated[
        Literal["Restricted", "Off"],
        Meta(
            description="Restricted lets connections in to the API and the management port, and none out: the server "
            "needs no network. Jobs that fetch reach name servers, the port of their source and 443; other Jobs reach "
            "nothing. Off makes no policy. Default: Restricted."
        ),
    ] = "Restricted"
    peers: Annotated[
        tuple[Annotated[Peer, Meta(extra_json_schema=PEER_RULES)], ...],
        Meta(
            max_length=32,
            description="Who may call the API; each element lets somebody in. The management port, which the kubelet "
            "and Prometheus ask and which tells no content, stays open. Default: everybody, who still needs a key.",
            extra_json_schema=ATOMIC | SOMEBODY,
        ),
    ] = field(default=(), name="from")
