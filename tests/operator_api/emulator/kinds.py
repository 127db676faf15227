"""The kinds that the emulator serves, and how each differs from the rest."""

from typing import Any, NamedTuple

QWEN_MODELS = "qwenmodels"
DEFINITIONS = "customresourcedefinitions"
RBAC = "rbac.authorization.k8s.io"
VERBS = ["get", "list", "watch", "create", "patch", "update", "delete"]


class Served(NamedTuple):
    """A kind: group, version, plural."""

    group: str
    version: str
    plural: str

    @property
    def api_version(self) -> str:
        """As objects bear it."""
        return f"{self.group}/{self.version}" if self.group else self.version


KINDS = {
    Served("", "v1", "services"): "Service",
    Served("", "v1", "secrets"): "Secret",
    Served("", "v1", "events"): "Event",
    Served("", "v1", "pods"): "Pod",
    Served("", "v1", "persistentvolumeclaims"): "PersistentVolumeClaim",
    Served("", "v1", "namespaces"): "Namespace",
    Served("", "v1", "nodes"): "Node",
    Served("apps", "v1", "deployments"): "Deployment",
    Served("apps", "v1", "replicasets"): "ReplicaSet",
    Served("batch", "v1", "jobs"): "Job",
    Served("policy", "v1", "poddisruptionbudgets"): "PodDisruptionBudget",
    Served("networking.k8s.io", "v1", "networkpolicies"): "NetworkPolicy",
    Served("apiextensions.k8s.io", "v1", DEFINITIONS): "CustomResourceDefinition",
    Served("", "v1", "serviceaccounts"): "ServiceAccount",
    Served(RBAC, "v1", "roles"): "Role",
    Served(RBAC, "v1", "rolebindings"): "RoleBinding",
    Served(RBAC, "v1", "clusterroles"): "ClusterRole",
    Served(RBAC, "v1", "clusterrolebindings"): "ClusterRoleBinding",
    Served("admissionregistration.k8s.io", "v1", "validatingadmissionpolicies"): "ValidatingAdmissionPolicy",
    Served("admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings"): (
        "ValidatingAdmissionPolicyBinding"
    ),
    Served("coordination.k8s.io", "v1", "leases"): "Lease",
    Served("qwen-operator.io", "v1alpha1", QWEN_MODELS): "QwenModel",
}
BY_PLURAL = {served.plural: (served, kind) for served, kind in KINDS.items()}
BY_KIND = {kind: served for served, kind in KINDS.items()}
CLUSTER_SCOPED = frozenset(
    {
        "namespaces",
        "nodes",
        DEFINITIONS,
        "clusterroles",
        "clusterrolebindings",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
    }
)
WITH_STATUS = frozenset(
    {QWEN_MODELS, "deployments", "replicasets", "jobs", "services", "pods", "persistentvolumeclaims"}
)
"""Kinds whose status is written by its own path alone."""
WITHOUT_GENERATION = frozenset({"pods", "services", "secrets", "events", "persistentvolumeclaims", "leases", "nodes"})
"""Kinds of which nobody counts changes of the spec. (Pods have a generation since 1.33; nobody here reads it.)"""


def discovery(path: str, *, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """What kopf asks before it watches: groups and resources.

    :param without: plurals whose definition is not installed.
    """
    parts = path.strip("/").split("/")
    served = {one: kind for one, kind in KINDS.items() if one.plural not in without}
    if parts == ["api"]:
        return {"kind": "APIVersions", "versions": ["v1"]}
    if parts == ["apis"]:
        groups = sorted({(one.group, one.version) for one in served if one.group})
        versions = [(group, {"groupVersion": f"{group}/{version}", "version": version}) for group, version in groups]
        return {"groups": [{"name": group, "versions": [v], "preferredVersion": v} for group, v in versions]}
    group, version = ("", parts[1]) if parts[0] == "api" else (parts[1], parts[2])
    resources = [
        {
            "name": one.plural,
            "singularName": "",
            "namespaced": one.plural not in CLUSTER_SCOPED,
            "kind": kind,
            "verbs": VERBS,
        }
        for one, kind in served.items()
        if (one.group, one.version) == (group, version)
    ]
    return {"kind": "APIResourceList", "resources": resources}
