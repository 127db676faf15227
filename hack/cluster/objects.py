"""The Kubernetes objects that a fresh cluster is given: volumes, their class, and what cluster DNS may read. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from hack.cluster.identities import COREDNS
from hack.cluster.layout import Layout

Object = dict[str, Any]

VOLUME_COUNT: Final = 10
VOLUME_SIZE: Final = "10Gi"
STORAGE_CLASS: Final = "local"
OWNED: Final[Mapping[str, str]] = {"app.kubernetes.io/managed-by": "qwen-operator-cluster"}
"""The label of what the driver made; the recycler touches nothing else."""

COLLECTIONS: Final[Mapping[str, str]] = {
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "PersistentVolume": "/api/v1/persistentvolumes",
    "StorageClass": "/apis/storage.k8s.io/v1/storageclasses",
}


def path(document: Object) -> str:
    """The REST path of an object of one of the kinds in COLLECTIONS."""
    return f"{COLLECTIONS[document['kind']]}/{document['metadata']['name']}"


def objects(layout: Layout) -> tuple[Object, ...]:
    """Everything to apply, in order."""
    return (dns_role(), dns_binding(), storage_class(), *(volume(layout, name) for name in volume_names()))


def volume_names() -> tuple[str, ...]:
    """v1 to v10."""
    return tuple(f"v{number}" for number in range(1, VOLUME_COUNT + 1))


def storage_class() -> Object:
    """The default class: nothing is provisioned, a claim is bound to a volume made in advance when a pod needs it."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": _metadata(STORAGE_CLASS, {"storageclass.kubernetes.io/is-default-class": "true"}),
        "provisioner": "kubernetes.io/no-provisioner",
        "reclaimPolicy": "Retain",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def volume(layout: Layout, name: str) -> Object:
    """A folder of the host as a volume; the recycler makes it available again after its claim is gone."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": _metadata(name),
        "spec": {
            "accessModes": ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"],
            "capacity": {"storage": VOLUME_SIZE},
            "hostPath": {"path": str(layout.volumes / name), "type": "Directory"},
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": STORAGE_CLASS,
        },
    }


def dns_role() -> Object:
    """What CoreDNS reads."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": _metadata("coredns"),
        "rules": [
            {"apiGroups": [""], "resources": ["namespaces", "pods", "services"], "verbs": ["list", "watch"]},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
        ],
    }


def dns_binding() -> Object:
    """Gives that role to the user whom CoreDNS's certificate names."""
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": _metadata("coredns"),
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "coredns"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": COREDNS.user}],
    }


def _metadata(name: str, annotations: Mapping[str, str] | None = None) -> Object:
    return {"name": name, "labels": dict(OWNED), "annotations": dict(annotations or {})}
