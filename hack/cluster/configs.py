"""The configuration file of each component, as data. Nothing here writes a file.

Paths such as /var/lib/kubelet are those of an ordinary node: in the node's own mount namespace they lead below the
cluster's folder (`node.BINDS`).
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import yaml

from hack.cluster import network, toml
from hack.cluster.cgroups import NAME as CGROUP
from hack.cluster.layout import Layout
from hack.cluster.pause import IMAGE

CRI: Final = "io.containerd.grpc.v1.cri"


def files(layout: Layout) -> dict[Path, str]:
    """Every configuration file: path and text."""
    folder = layout.config
    return {
        folder / "containerd.toml": toml.dumps(containerd(layout)),
        folder / "registries" / network.REGISTRY / "hosts.toml": toml.dumps(registry_access()),
        folder / "cni" / "10-pods.conflist": json.dumps(pod_network(), indent=2),
        folder / "kubelet.yaml": yaml.safe_dump(kubelet(layout)),
        folder / "kube-proxy.yaml": yaml.safe_dump(kube_proxy(layout)),
        folder / "registry.yaml": yaml.safe_dump(registry(layout)),
        folder / "Corefile": corefile(layout),
        folder / "resolv.conf": f"nameserver {network.NODE}\n",
    }


def fingerprint(texts: dict[Path, str], commands: list[tuple[str, ...]]) -> str:
    """A digest of everything that a running node was started with."""
    content = json.dumps([sorted((str(path), text) for path, text in texts.items()), commands])
    return hashlib.sha256(content.encode()).hexdigest()


def containerd(layout: Layout) -> dict[str, toml.Value]:
    """Settings of containerd (version 2 of the format, which 1.6 and 2.x read).

    Blobs of layers are discarded once unpacked, which halves the disk an image takes. A container's oom_score_adj is
    restricted to what containerd itself may set, because some machines lack CAP_SYS_RESOURCE.
    """
    runc: dict[str, toml.Value] = {"runtime_type": "io.containerd.runc.v2", "options": {"SystemdCgroup": False}}
    cri: dict[str, toml.Value] = {
        "sandbox_image": IMAGE,
        "restrict_oom_score_adj": True,
        "cni": {"bin_dir": "/usr/lib/cni", "conf_dir": str(layout.config / "cni")},
        "containerd": {"snapshotter": "overlayfs", "discard_unpacked_layers": True, "runtimes": {"runc": runc}},
        "registry": {"config_path": str(layout.config / "registries")},
    }
    return {
        "version": 2,
        "root": str(layout.state / "containerd"),
        "state": "/run/containerd",
        "grpc": {"address": "/run/containerd/containerd.sock"},
        "plugins": {CRI: cri, "io.containerd.internal.v1.opt": {"path": str(layout.state / "containerd-opt")}},
    }


def registry_access() -> dict[str, toml.Value]:
    """How containerd reaches the local registry: over plain HTTP."""
    url = f"http://{network.REGISTRY}"
    return {"server": url, "host": {url: {"capabilities": ["pull", "resolve"]}}}


def pod_network() -> dict[str, Any]:
    """The CNI chain: a point-to-point link for each pod, so that every packet passes the node's own rules."""
    addresses = {"type": "host-local", "ranges": [[{"subnet": str(network.PODS)}]], "routes": [{"dst": "0.0.0.0/0"}]}
    return {
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {"type": "ptp", "ipMasq": False, "ipam": addresses},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def kubelet(layout: Layout) -> dict[str, Any]:
    """KubeletConfiguration.

    cgroup version 1 and swap are tolerated. `syncFrequency` is shortened so that a changed Secret reaches its pods
    within seconds. Images are never collected, and pods are evicted for want of memory only.
    """
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(layout.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{CGROUP}",
        "clusterDNS": [str(network.NODE)],
        "clusterDomain": network.DOMAIN,
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "evictionHard": {"memory.available": "100Mi"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "registryPullQPS": 0,
        "resolvConf": str(layout.config / "resolv.conf"),
        "serializeImagePulls": False,
        "syncFrequency": "5s",
        "tlsCertFile": str(layout.pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(layout.pki / "kubelet.key"),
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
    }


def kube_proxy(layout: Layout) -> dict[str, Any]:
    """KubeProxyConfiguration; the conntrack settings of the machine stay as they are."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "hostnameOverride": network.NODE_NAME,
        "clusterCIDR": str(network.PODS),
        "clientConnection": {"kubeconfig": str(layout.pki / "kube-proxy.kubeconfig")},
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def registry(layout: Layout) -> dict[str, Any]:
    """Settings of Debian's docker-registry."""
    return {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(layout.registry)}, "delete": {"enabled": True}},
        "http": {"addr": network.REGISTRY},
    }


def corefile(layout: Layout) -> str:
    """The Corefile: names of the cluster, and no others, on the node's own address."""
    lines = (
        ".:53 {",
        f"  bind {network.NODE}",
        "  errors",
        f"  ready {network.NODE}:8181",
        f"  kubernetes {network.DOMAIN} in-addr.arpa {{",
        f"    kubeconfig {layout.pki / 'coredns.kubeconfig'}",
        "    pods insecure",
        "  }",
        "  cache 5",
        "}",
    )
    return "".join(f"{line}\n" for line in lines)
