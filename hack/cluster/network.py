"""The addresses of the cluster, and the commands and rules that lay its network.

One veth pair joins the node to the host; everything else exists only in the node's own network namespace.
Nothing here runs a command.
"""

from ipaddress import IPv4Address, IPv4Network
from typing import Final

INTERFACE: Final = "qwen-cluster0"
"""The host's end of the veth pair; its alias names the checkout that owns the cluster."""

NODE_INTERFACE: Final = "eth0"
NODE_NAME: Final = "node0"
LINK: Final = IPv4Network("10.88.0.0/24")
HOST: Final = IPv4Address("10.88.0.1")
NODE: Final = IPv4Address("10.88.0.2")
PODS: Final = IPv4Network("10.244.0.0/24")
SERVICES: Final = IPv4Network("10.96.0.0/16")
DOMAIN: Final = "cluster.local"

API_PORT: Final = 6443
REGISTRY_PORT: Final = 5000
HUB_PORT: Final = 5001
STORE_PORT: Final = 5002
"""Of the hub, and of the second server that it sends large files from, that tests may run on the host."""
REGISTRY: Final = f"{HOST}:{REGISTRY_PORT}"
API_URL: Final = f"https://{NODE}:{API_PORT}"

Command = tuple[str, ...]


def host_link(owner: str) -> tuple[Command, ...]:
    """Commands for the host's network: the veth pair, whose other end goes to process 1 of the caller's namespace."""
    return (
        ("ip", "link", "add", INTERFACE, "type", "veth", "peer", "name", NODE_INTERFACE, "netns", "1"),
        ("ip", "link", "set", INTERFACE, "alias", owner),
        ("ip", "address", "add", f"{HOST}/{LINK.prefixlen}", "dev", INTERFACE),
        ("ip", "link", "set", INTERFACE, "up"),
    )


def node_link() -> tuple[Command, ...]:
    """Commands for the node's network.

    Services need the default route: their address is looked up before kube-proxy's rules translate it.
    """
    return (
        ("ip", "link", "set", "lo", "up"),
        ("ip", "address", "add", f"{NODE}/{LINK.prefixlen}", "dev", NODE_INTERFACE),
        ("ip", "link", "set", NODE_INTERFACE, "up"),
        ("ip", "route", "add", "default", "via", str(HOST)),
        ("sysctl", "-qw", "net.ipv4.ip_forward=1"),
    )


def firewall() -> str:
    """Rules for nft in the node: what lies outside of the cluster is refused at once instead of hanging.

    Of the host, the node may reach everything, because it answers there, and a pod only the registry and a test's hub.
    """
    return "\n".join(
        (
            "table ip qwen-cluster {",
            *_chain(
                "output",
                "type filter hook output priority filter",
                f'oifname != "{NODE_INTERFACE}" accept',
                f"ip daddr {LINK} accept",
                "meta l4proto tcp reject with tcp reset",
                "reject",
            ),
            *_chain(
                "forward",
                "type filter hook forward priority filter",
                f'oifname != "{NODE_INTERFACE}" accept',
                "ct state established,related accept",
                *(f"ip daddr {HOST} tcp dport {port} accept" for port in (REGISTRY_PORT, HUB_PORT, STORE_PORT)),
                "meta l4proto tcp reject with tcp reset",
                "reject",
            ),
            *_chain(
                "postrouting",
                "type nat hook postrouting priority srcnat",
                f'ip saddr {PODS} oifname "{NODE_INTERFACE}" masquerade',
            ),
            "}",
        )
    )


def _chain(name: str, *rules: str) -> tuple[str, ...]:
    return (f"  chain {name} {{", *(f"    {rule};" for rule in rules), "  }")
