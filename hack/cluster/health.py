"""Asks every component how it is. It changes nothing, and an answer is a sentence only when something is wrong."""

import http.client
import json
import urllib.request
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from hack.cluster import network
from hack.cluster.api import Api, ApiError
from hack.cluster.layout import Layout
from hack.cluster.machine import interface_owner
from hack.cluster.supervisor import Record

TIMEOUT: Final = 2.0
FAILURES: Final = (OSError, http.client.HTTPException, ApiError)

PROTECTED: Final = {
    "kube-apiserver": f"{network.API_URL}/readyz",
    "kube-controller-manager": f"https://{network.NODE}:10257/healthz",
    "kube-scheduler": f"https://{network.NODE}:10259/healthz",
    "kubelet": f"https://{network.NODE}:10250/healthz",
}
OPEN: Final = {
    "docker-registry": f"http://{network.REGISTRY}/v2/",
    "kube-proxy": f"http://{network.NODE}:10256/healthz",
    "coredns": f"http://{network.NODE}:8181/ready",
}


def records(layout: Layout) -> tuple[Record, ...]:
    """The components as the node last wrote them down; empty if it never did, or is of another version."""
    try:
        return tuple(Record(**fields) for fields in json.loads(layout.components.read_text()))
    except (FileNotFoundError, TypeError):
        return ()


def ailments(layout: Layout) -> dict[str, str]:
    """What is wrong, by component; empty when the node is Ready and pods can be made."""
    if not (layout.pki / "ca.crt").exists():
        return {"keys": f"{layout.pki} is gone"}
    if interface_owner() is None:  # to ask for the node's address would ask the outside world
        return {"network": f"the interface {network.INTERFACE} is not there"}
    found = {record.name: "waits to be started again" for record in records(layout) if not record.process}
    for name, url in PROTECTED.items():
        found |= _ailment(name, partial(_ask_protected, layout, url))
    for name, url in OPEN.items():
        found |= _ailment(name, partial(_ask_open, url))
    return found or _unready(layout)


def node_ready(node: dict[str, Any]) -> bool:
    """Whether a Node's condition Ready is True, and nothing keeps pods off it."""
    conditions = {condition["type"]: condition["status"] for condition in node.get("status", {}).get("conditions", ())}
    return conditions.get("Ready") == "True" and not node.get("spec", {}).get("taints")


def words(error: Exception) -> str:
    """An error as a person reads it: without Python's wrapping around the system's own words."""
    reason = getattr(error, "reason", error)
    return getattr(reason, "strerror", None) or str(reason)


def _unready(layout: Layout) -> dict[str, str]:
    api = Api(network.API_URL, layout.pki, TIMEOUT)
    try:
        if not node_ready(api.get(f"/api/v1/nodes/{network.NODE_NAME}")):
            return {"node": "is not Ready"}
        api.get("/api/v1/namespaces/default/serviceaccounts/default")
    except FAILURES as error:
        return {"node": words(error)}
    return {}


def _ask_protected(layout: Layout, url: str) -> None:
    base, _, path = url.rpartition("/")
    Api(base, layout.pki, TIMEOUT).text(f"/{path}")


def _ask_open(url: str) -> None:
    with urllib.request.urlopen(url, timeout=TIMEOUT):  # noqa: S310  # the addresses are constants above
        pass


def _ailment(name: str, ask: Callable[[], object]) -> dict[str, str]:
    try:
        ask()
    except FAILURES as error:
        return {name: words(error)}
    return {}
