"""The operator's account as a release of the chart makes it, and what is answered to whoever holds its token."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from qwen_operator.core import kinds, names
from qwen_operator.core.kinds import Kind
from tests.charts.rendering import Values, objects

Json = dict[str, Any]

HOME = "rights-ops"
"""Namespace of the release."""
TEAM = "rights-team"
"""Namespace that it serves."""
VALUES: Values = {
    "image": {"repository": "registry.example/qwen-operator/operator", "tag": "51d0"},
    "serverImages": {
        "gpu": "registry.example/qwen-operator/server:3f2a",
        "cpu": "registry.example/qwen-operator/cpu:77b0",
    },
    "admissionPolicy": {"images": ["registry.example.com/ai"]},
    "watchNamespaces": [TEAM],
    "gpuNodes": {"read": True},
    "crds": {"install": False},
}
"""The release's images are those of `tests.builders.SETTINGS`."""

PLURALS = {
    "ServiceAccount": ("api/v1", "serviceaccounts"),
    "Deployment": ("apis/apps/v1", "deployments"),
    "NetworkPolicy": ("apis/networking.k8s.io/v1", "networkpolicies"),
    "ValidatingAdmissionPolicy": ("apis/admissionregistration.k8s.io/v1", "validatingadmissionpolicies"),
    "ValidatingAdmissionPolicyBinding": ("apis/admissionregistration.k8s.io/v1", "validatingadmissionpolicybindings"),
} | {
    kind: ("apis/rbac.authorization.k8s.io/v1", f"{kind.lower()}s")
    for kind in ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
}
"""Where objects of the chart are kept."""


@dataclass(frozen=True)
class Answer:
    """What the API server said."""

    status: int
    document: Json

    @property
    def allowed(self) -> bool:
        """Whether it was done, or would be."""
        return self.status < 400

    @property
    def message(self) -> str:
        """Why not."""
        return str(self.document.get("message", ""))


class Account:
    """Requests with somebody's rights; `admin` and the operator's account are told apart by their client."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def apply(self, kind: Kind, manifest: Json, *, trial: bool = False, namespace: str = TEAM) -> Answer:
        """Server-side apply, as the operator writes everything but the key Secret and its Lease."""
        url = kind.path(namespace, manifest["metadata"]["name"])
        query = {"fieldManager": names.FIELD_MANAGER, "force": "true"} | _trial(trial)
        headers = {"Content-Type": "application/apply-patch+yaml"}
        return _answer(self._client.patch(url, params=query, json=manifest, headers=headers))

    def create(self, kind: Kind, manifest: Json, *, trial: bool = False, namespace: str = TEAM) -> Answer:
        """A new object."""
        return _answer(self._client.post(kind.path(namespace), params=_trial(trial), json=manifest))

    def merge(self, kind: Kind, name: str, patch: Json, *, trial: bool = False) -> Answer:
        """A patch that may take fields of others away, as the operator never sends one."""
        headers = {"Content-Type": "application/merge-patch+json"}
        url = kind.path(TEAM, name)
        return _answer(self._client.patch(url, params=_trial(trial), json=patch, headers=headers))

    def delete(self, kind: Kind, name: str, *, trial: bool = False) -> Answer:
        """Without a word about what it is."""
        return _answer(self._client.delete(kind.path(TEAM, name), params=_trial(trial)))

    def ask(self, method: str, path: str, body: Json | None = None) -> Answer:
        """Anything else."""
        return _answer(self._client.request(method, path, json=body))


def _trial(trial: bool) -> dict[str, str]:
    return {"dryRun": "All"} if trial else {}


def _answer(response: httpx.Response) -> Answer:
    return Answer(response.status_code, response.json())


def install(admin: Account) -> None:
    """Two namespaces, and every object of the release."""
    for namespace in (HOME, TEAM):
        admin.ask("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    for manifest in objects(VALUES, namespace=HOME):
        root, plural = PLURALS[manifest["kind"]]
        namespace = manifest["metadata"].get("namespace")
        answer = admin.ask("POST", f"/{root}/{f'namespaces/{namespace}/' if namespace else ''}{plural}", manifest)
        assert answer.status in (201, 409), answer.message


def token(admin: Account) -> str:
    """A token of the operator's account, as its pod gets one."""
    path = f"/api/v1/namespaces/{HOME}/serviceaccounts/qwen-operator/token"
    answer = admin.ask("POST", path, {"spec": {"expirationSeconds": 3600}})
    assert answer.allowed, answer.message
    return str(answer.document["status"]["token"])


def kubeconfig(plane: Path, bearer: str, folder: Path) -> Path:
    """A kubeconfig for the operator's account."""
    document = yaml.safe_load(plane.read_text())
    document["users"][0]["user"] = {"token": bearer}
    path = folder / "operator.json"
    path.write_text(json.dumps(document))
    return path


def await_policy(account: Account) -> None:
    """An API server learns of a new policy and of new rights within a moment."""
    lease = {"apiVersion": kinds.LEASE.api_version, "kind": "Lease", "metadata": {"name": "foreign"}}
    deadline = time.monotonic() + 60
    while "ValidatingAdmissionPolicy" not in account.create(kinds.LEASE, lease, trial=True, namespace=HOME).message:
        assert time.monotonic() < deadline, "the policy does not come into force"
        time.sleep(0.1)
