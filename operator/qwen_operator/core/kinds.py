"""The one table of kinds the operator touches: informers, RBAC and request paths all come from it.

Why it exists: a right that is not in this table is not held, and a kind that is not in it can't be addressed. It must
never hold a read verb on Secrets.
"""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """Whose objects of a kind we deal with, which decides how they are watched."""

    PRIMARY = "primary"
    """The resource itself: kopf watches it, all objects in the served namespaces."""
    OURS = "ours"
    """Made by us or by what we made: watched with our label selector."""
    REFERENCED = "referenced"
    """Named by a spec, mostly somebody else's: watched without a selector."""
    WRITE_ONLY = "write-only"
    """Created, never read."""
    NODES = "nodes"
    """Of no namespace, and listed from time to time where that is allowed; never written."""
    OPERATOR = "operator"
    """The operator's own, in its own namespace only."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind, or one subresource of it, with the verbs the operator uses on it."""

    api_version: str
    kind: str
    plural: str
    verbs: tuple[str, ...]
    scope: Scope
    subresource: str = ""

    @property
    def group(self) -> str:
        """API group; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def resource(self) -> str:
        """Resource as RBAC names it: the plural, with the subresource behind a slash."""
        return f"{self.plural}/{self.subresource}" if self.subresource else self.plural

    @property
    def watched(self) -> bool:
        """Whether an informer of ours keeps a cache of it."""
        return "watch" in self.verbs and self.scope in (Scope.OURS, Scope.REFERENCED)

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """URL path of one object, of one namespace's collection, or (without arguments) of all namespaces."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"
        place = f"/namespaces/{namespace}" if namespace else ""
        one = f"/{name}" if name else ""
        sub = f"/{self.subresource}" if self.subresource and name else ""
        return f"{root}{place}/{self.plural}{one}{sub}"


GROUP = "qwen-operator.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

QWEN_MODEL = Kind(
    api_version=API_VERSION,
    kind="QwenModel",
    plural="qwenmodels",
    verbs=("get", "list", "watch"),
    scope=Scope.PRIMARY,
)
QWEN_MODEL_STATUS = Kind(
    api_version=API_VERSION,
    kind="QwenModel",
    plural="qwenmodels",
    subresource="status",
    verbs=("patch",),
    scope=Scope.PRIMARY,
)
DEPLOYMENT = Kind(
    api_version="apps/v1",
    kind="Deployment",
    plural="deployments",
    verbs=("get", "list", "watch", "create", "patch"),
    scope=Scope.OURS,
)
SERVICE = Kind(
    api_version="v1",
    kind="Service",
    plural="services",
    verbs=("get", "list", "watch", "create", "patch"),
    scope=Scope.OURS,
)
SECRET = Kind(api_version="v1", kind="Secret", plural="secrets", verbs=("create",), scope=Scope.WRITE_ONLY)
EVENT = Kind(api_version="v1", kind="Event", plural="events", verbs=("create", "patch"), scope=Scope.WRITE_ONLY)
POD = Kind(api_version="v1", kind="Pod", plural="pods", verbs=("list", "watch"), scope=Scope.OURS)
CLAIM = Kind(
    api_version="v1",
    kind="PersistentVolumeClaim",
    plural="persistentvolumeclaims",
    verbs=("get", "list", "watch", "create", "patch"),
    scope=Scope.REFERENCED,
)
JOB = Kind(
    api_version="batch/v1",
    kind="Job",
    plural="jobs",
    verbs=("get", "list", "watch", "create", "patch", "delete"),
    scope=Scope.OURS,
)
NETWORK_POLICY = Kind(
    api_version="networking.k8s.io/v1",
    kind="NetworkPolicy",
    plural="networkpolicies",
    verbs=("get", "list", "watch", "create", "patch", "delete"),
    scope=Scope.OURS,
)
DISRUPTION_BUDGET = Kind(
    api_version="policy/v1",
    kind="PodDisruptionBudget",
    plural="poddisruptionbudgets",
    verbs=("get", "list", "watch", "create", "patch", "delete"),
    scope=Scope.OURS,
)
NODE = Kind(api_version="v1", kind="Node", plural="nodes", verbs=("list",), scope=Scope.NODES)
LEASE = Kind(
    api_version="coordination.k8s.io/v1",
    kind="Lease",
    plural="leases",
    verbs=("get", "create", "update"),
    scope=Scope.OPERATOR,
)

ALL = (
    QWEN_MODEL,
    QWEN_MODEL_STATUS,
    DEPLOYMENT,
    SERVICE,
    SECRET,
    EVENT,
    POD,
    CLAIM,
    JOB,
    NETWORK_POLICY,
    DISRUPTION_BUDGET,
    NODE,
    LEASE,
)
WATCHED = tuple(kind for kind in ALL if kind.watched)
"""Kinds with an informer of ours."""
