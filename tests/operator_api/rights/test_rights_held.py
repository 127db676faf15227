"""What the API server itself says about the operator's rights, in every namespace."""

import pytest

from qwen_operator.core import kinds
from qwen_operator.core.kinds import Scope
from tests.operator_api.rights.account import HOME, TEAM, Account

Right = tuple[str, str, str]
EVERYBODYS = {"selfsubjectreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews"}
"""What every account may ask about itself."""


def held(operator: Account, namespace: str) -> set[Right]:
    """Group, resource and verb of every right in a namespace."""
    answer = operator.ask(
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
        {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}},
    )
    return {
        (group, resource, verb)
        for rule in answer.document["status"]["resourceRules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        if resource not in EVERYBODYS
    }


def of(*scopes: Scope) -> set[Right]:
    """The table's rights on kinds of some scopes."""
    return {(k.group, k.resource, verb) for k in kinds.ALL if k.scope in scopes for verb in k.verbs}


NODES = of(Scope.NODES)
MODELS = of(Scope.PRIMARY, Scope.OURS, Scope.REFERENCED, Scope.WRITE_ONLY)


@pytest.mark.parametrize(
    ("namespace", "rights"),
    [(TEAM, MODELS | NODES), (HOME, of(Scope.OPERATOR) | NODES), ("default", NODES), ("kube-system", NODES)],
)
def test_the_operator_holds_the_tables_rights_and_no_other(
    operator: Account, namespace: str, rights: set[Right]
) -> None:
    """As the authorizer sees it, whatever else is bound to whom; listing nodes is what gpuNodes.read adds."""
    assert held(operator, namespace) == rights


FORBIDDEN = {
    "read a Secret": ("GET", f"/api/v1/namespaces/{TEAM}/secrets/x"),
    "list Secrets": ("GET", f"/api/v1/namespaces/{TEAM}/secrets"),
    "overwrite a Secret": ("PATCH", f"/api/v1/namespaces/{TEAM}/secrets/x"),
    "delete a Secret": ("DELETE", f"/api/v1/namespaces/{TEAM}/secrets/x"),
    "create a Secret elsewhere": ("POST", "/api/v1/namespaces/default/secrets"),
    "create a pod": ("POST", f"/api/v1/namespaces/{TEAM}/pods"),
    "enter a pod": ("POST", f"/api/v1/namespaces/{TEAM}/pods/x/exec"),
    "read a pod's log": ("GET", f"/api/v1/namespaces/{TEAM}/pods/x/log"),
    "scale a Deployment of anybody's": ("PATCH", f"/apis/apps/v1/namespaces/{TEAM}/deployments/x/scale"),
    "delete all Deployments": ("DELETE", f"/apis/apps/v1/namespaces/{TEAM}/deployments"),
    "create a Deployment elsewhere": ("POST", "/apis/apps/v1/namespaces/default/deployments"),
    "create a DaemonSet": ("POST", f"/apis/apps/v1/namespaces/{TEAM}/daemonsets"),
    "delete a Service": ("DELETE", f"/api/v1/namespaces/{TEAM}/services/x"),
    "delete a claim": ("DELETE", f"/api/v1/namespaces/{TEAM}/persistentvolumeclaims/x"),
    "change a QwenModel": ("PATCH", f"/apis/qwen-operator.io/v1alpha1/namespaces/{TEAM}/qwenmodels/x"),
    "give itself rights": ("POST", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{TEAM}/rolebindings"),
    "ask for a token": ("POST", f"/api/v1/namespaces/{TEAM}/serviceaccounts/default/token"),
    "change the policy": ("DELETE", "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/x"),
    "see namespaces": ("GET", "/api/v1/namespaces"),
    "change a node": ("PATCH", "/api/v1/nodes/x"),
}


@pytest.mark.parametrize(("method", "path"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_what_the_token_cannot_do(operator: Account, method: str, path: str) -> None:
    """Forbidden before anything is looked at."""
    answer = operator.ask(method, path, {} if method in ("POST", "PATCH") else None)

    assert answer.status == 403, answer.message
