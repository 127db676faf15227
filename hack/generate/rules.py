"""RBAC rules of the chart, from the operator's table of kinds. Never grants a verb that the table does not hold."""

from dataclasses import replace
from typing import Any

from qwen_operator.core import kinds
from qwen_operator.core.kinds import Kind, Scope

Rule = dict[str, Any]

READ = ("get", "list", "watch")
WRITE = ("create", "update", "patch", "delete", "deletecollection")


def document() -> dict[str, list[Rule]]:
    """Return the rules by who holds them: the operator on models, on nodes and on its Lease; viewers and editors."""
    apart = (Scope.OPERATOR, Scope.NODES)
    return {
        "models": [_rule(kind, kind.verbs) for kind in kinds.ALL if kind.scope not in apart],
        "nodes": [_rule(kind, kind.verbs) for kind in kinds.ALL if kind.scope is Scope.NODES],
        "lease": [_rule(kind, kind.verbs) for kind in kinds.ALL if kind.scope is Scope.OPERATOR],
        "view": [_of_the_model("", READ), _of_the_model("status", ("get",)), _of_the_model("scale", ("get",))],
        "edit": [_of_the_model("", WRITE), _of_the_model("scale", ("update", "patch"))],
    }


def _rule(kind: Kind, verbs: tuple[str, ...]) -> Rule:
    return {"apiGroups": [kind.group], "resources": [kind.resource], "verbs": list(verbs)}


def _of_the_model(subresource: str, verbs: tuple[str, ...]) -> Rule:
    """Return a user's rule; Kubernetes gives whoever may edit the rules of view too."""
    return _rule(replace(kinds.QWEN_MODEL, subresource=subresource), verbs)
