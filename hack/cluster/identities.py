"""Whom the certificates of a cluster speak for: Kubernetes' own fixed names, and the administrator.

A certificate is used both as client and as server, so each identity bears the addresses that it is reached by.
"""

from typing import Final

from hack.cluster import network
from hack.cluster.pki import Identity

ADMIN: Final = Identity("admin", "kubernetes-admin", "system:masters")
API_SERVER: Final = Identity(
    "kube-apiserver",
    "kube-apiserver",
    "kubernetes",
    (
        "DNS:localhost",
        "DNS:kubernetes",
        "DNS:kubernetes.default",
        "DNS:kubernetes.default.svc",
        f"DNS:kubernetes.default.svc.{network.DOMAIN}",
        "IP:127.0.0.1",
        f"IP:{network.SERVICES[1]}",
        f"IP:{network.NODE}",
    ),
)
KUBELET_CLIENT: Final = Identity("kubelet-client", "kube-apiserver-kubelet-client", "system:masters")
ON_NODE: Final = (f"IP:{network.NODE}",)
CONTROLLER_MANAGER: Final = Identity(
    "kube-controller-manager", "system:kube-controller-manager", "system:kube-controller-manager", ON_NODE
)
SCHEDULER: Final = Identity("kube-scheduler", "system:kube-scheduler", "system:kube-scheduler", ON_NODE)
KUBELET: Final = Identity(
    "kubelet", f"system:node:{network.NODE_NAME}", "system:nodes", (f"DNS:{network.NODE_NAME}", *ON_NODE)
)
KUBE_PROXY: Final = Identity("kube-proxy", "system:kube-proxy", "system:node-proxier")
COREDNS: Final = Identity("coredns", "coredns", "coredns")

CONTROL_PLANE_IDENTITIES: Final = (ADMIN, API_SERVER, KUBELET_CLIENT, CONTROLLER_MANAGER)
IDENTITIES: Final = (*CONTROL_PLANE_IDENTITIES, SCHEDULER, KUBELET, KUBE_PROXY, COREDNS)
