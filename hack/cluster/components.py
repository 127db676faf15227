"""The command line of each component, in the order in which they start. Pure: a flag is data here."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from hack.cluster import network
from hack.cluster.identities import API_SERVER, CONTROLLER_MANAGER, KUBELET, KUBELET_CLIENT, SCHEDULER
from hack.cluster.layout import Layout
from hack.cluster.pki import Identity

LOOPBACK: Final = IPv4Address("127.0.0.1")
ETCD_PORT: Final = 2379
ETCD_PEER_PORT: Final = 2380


@dataclass(frozen=True)
class Component:
    """A program that the node keeps running; `name` is also that of its log file."""

    name: str
    command: tuple[str, ...]


def foundation(layout: Layout, host_network: str) -> tuple[Component, ...]:
    """What everything else stands on; `host_network` is the path of the host's network namespace."""
    enter_host = ("nsenter", f"--net={host_network}", "--")
    registry = ("docker-registry", "serve", str(layout.config / "registry.yaml"))
    return (
        Component("containerd", ("containerd", "--config", str(layout.config / "containerd.toml"))),
        etcd(layout.bin, layout.state / "etcd", ETCD_PORT, ETCD_PEER_PORT),
        kube_apiserver(layout.bin, layout.pki, ETCD_PORT, network.NODE, network.API_PORT, _kubelet_access(layout.pki)),
        Component("docker-registry", (*enter_host, *registry)),
    )


def tenants(layout: Layout, python: str) -> tuple[Component, ...]:
    """What needs an API server that answers; `python` is the interpreter of the driver."""
    return (
        kube_controller_manager(
            layout.bin, layout.pki, {"bind-address": network.NODE, **_serving(layout.pki, CONTROLLER_MANAGER)}
        ),
        _kube_scheduler(layout),
        _kubelet(layout),
        Component("kube-proxy", (f"{layout.bin}/kube-proxy", f"--config={layout.config / 'kube-proxy.yaml'}")),
        Component("coredns", (f"{layout.bin}/coredns", "-conf", str(layout.config / "Corefile"))),
        Component("recycler", (python, "-m", "hack.cluster.recycler", str(layout.root))),
    )


def etcd(programs: Path, data: Path, port: int, peer_port: int) -> Component:
    """The store. It does not wait for the disk: who loses power loses the last seconds of a throw-away cluster."""
    client, peer = f"http://{LOOPBACK}:{port}", f"http://{LOOPBACK}:{peer_port}"
    settings = {
        "data-dir": data,
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
        "log-level": "warn",
        "unsafe-no-fsync": "true",
    }
    return Component("etcd", (f"{programs}/etcd", *_flags(settings)))


def kube_apiserver(
    programs: Path, pki: Path, etcd_port: int, address: IPv4Address, port: int, further: Mapping[str, object]
) -> Component:
    """The API server, listening on `address` and `port`."""
    settings = {
        "advertise-address": address,
        "allow-privileged": "true",
        "authorization-mode": "Node,RBAC",
        "bind-address": address,
        "client-ca-file": pki / "ca.crt",
        "enable-admission-plugins": "NodeRestriction",
        "etcd-servers": f"http://{LOOPBACK}:{etcd_port}",
        "secure-port": port,
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": pki / "service-accounts.pub",
        "service-account-signing-key-file": pki / "service-accounts.key",
        "service-cluster-ip-range": network.SERVICES,
        **_serving(pki, API_SERVER),
        **further,
    }
    return Component("kube-apiserver", (f"{programs}/kube-apiserver", *_flags(settings)))


def _kubelet_access(pki: Path) -> dict[str, object]:
    """How the API server reaches the kubelet, for `exec`, `logs` and `port-forward`."""
    return {
        "kubelet-certificate-authority": pki / "ca.crt",
        "kubelet-client-certificate": pki / f"{KUBELET_CLIENT.name}.crt",
        "kubelet-client-key": pki / f"{KUBELET_CLIENT.name}.key",
        "kubelet-preferred-address-types": "InternalIP",
    }


def kube_controller_manager(programs: Path, pki: Path, further: Mapping[str, object]) -> Component:
    """All controllers, from garbage collection to volumes; `further` says how to serve."""
    kubeconfig = kubeconfig_path(pki, CONTROLLER_MANAGER)
    settings = {
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "kubeconfig": kubeconfig,
        "leader-elect": "false",
        "root-ca-file": pki / "ca.crt",
        "service-account-private-key-file": pki / "service-accounts.key",
        "use-service-account-credentials": "true",
        **further,
    }
    return Component("kube-controller-manager", (f"{programs}/kube-controller-manager", *_flags(settings)))


def kubeconfig_path(pki: Path, identity: Identity) -> Path:
    """Where an identity's kubeconfig lies."""
    return pki / f"{identity.name}.kubeconfig"


def _kube_scheduler(layout: Layout) -> Component:
    kubeconfig = kubeconfig_path(layout.pki, SCHEDULER)
    settings = {
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": network.NODE,
        "kubeconfig": kubeconfig,
        "leader-elect": "false",
        **_serving(layout.pki, SCHEDULER),
    }
    return Component("kube-scheduler", (f"{layout.bin}/kube-scheduler", *_flags(settings)))


def _kubelet(layout: Layout) -> Component:
    settings = {
        "config": layout.config / "kubelet.yaml",
        "hostname-override": network.NODE_NAME,
        "kubeconfig": kubeconfig_path(layout.pki, KUBELET),
        "node-ip": network.NODE,
    }
    return Component("kubelet", (f"{layout.bin}/kubelet", *_flags(settings)))


def _serving(pki: Path, identity: Identity) -> dict[str, object]:
    return {"tls-cert-file": pki / f"{identity.name}.crt", "tls-private-key-file": pki / f"{identity.name}.key"}


def _flags(settings: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in settings.items()]
