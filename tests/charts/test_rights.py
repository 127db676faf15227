"""The operator holds exactly the rights of its table of kinds, and nothing where it has nothing to do."""

from typing import Any

import pytest

from qwen_operator.core import kinds
from qwen_operator.core.kinds import Scope
from tests.charts.rendering import REQUIRED, ROOT, VARIANTS, Manifest, Values, objects, of_kind

Right = tuple[str, str, str]

APART = (Scope.OPERATOR, Scope.NODES)
ON_MODELS = {(k.group, k.resource, verb) for k in kinds.ALL if k.scope not in APART for verb in k.verbs}
ON_THE_LEASE = {(k.group, k.resource, verb) for k in kinds.ALL if k.scope is Scope.OPERATOR for verb in k.verbs}
AGGREGATION = "rbac.authorization.k8s.io/aggregate-to-"

VARIANT = pytest.mark.parametrize("values", VARIANTS.values(), ids=VARIANTS)


def rights(role: Manifest) -> set[Right]:
    """What a role grants: group, resource, verb. Fails on a rule that grants by any other means."""
    for rule in role["rules"]:
        assert rule.keys() == {"apiGroups", "resources", "verbs"}
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def granted(values: Values) -> dict[str, set[Right]]:
    """What the operator's ServiceAccount may do, by namespace; an empty namespace is the whole cluster."""
    found = objects(values)
    roles = {name_of(role): role for role in of_kind(found, "Role", "ClusterRole")}
    held: dict[str, set[Right]] = {}
    for binding in of_kind(found, "RoleBinding", "ClusterRoleBinding"):
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "qwen-operator", "namespace": "ops"}]
        namespace = binding["metadata"].get("namespace", "")
        role = roles[binding["roleRef"]["kind"], namespace, binding["roleRef"]["name"]]
        held[namespace] = held.get(namespace, set()) | rights(role)
    return held


def name_of(item: dict[str, Any]) -> tuple[str, str, str]:
    """A role's identity, as a binding refers to it."""
    return item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]


def test_each_named_namespace_has_the_tables_rights_and_no_other() -> None:
    """Neither more nor less; the release's own namespace has the Lease alone."""
    assert granted(VARIANTS["namespaces"]) == {
        "team-a": ON_MODELS,
        "team-b": ON_MODELS,
        "team-c": ON_MODELS,
        "ops": ON_THE_LEASE,
    }


def test_without_a_list_the_releases_own_namespace_is_served() -> None:
    """A chart takes no right in a namespace that nobody named."""
    assert granted(REQUIRED) == {"ops": ON_MODELS | ON_THE_LEASE}


def test_cluster_wide_is_the_same_rights_everywhere_but_the_lease() -> None:
    """The Lease stays where the operator is."""
    assert granted(VARIANTS["cluster_wide"]) == {"": ON_MODELS, "ops": ON_THE_LEASE}


def test_nodes_may_be_listed_where_that_is_switched_on_and_nothing_else_of_them() -> None:
    """The one right beyond the namespaces that are served; by default there is none."""
    assert granted(VARIANTS["gpu_nodes"]) == {"": {("", "nodes", "list")}, "ops": ON_MODELS | ON_THE_LEASE}


@VARIANT
def test_no_value_gives_a_right_to_read_or_change_a_secret(values: Values) -> None:
    """It may create one; whoever takes its token reads no key."""
    on_secrets = {right for held in granted(values).values() for right in held if right[1].startswith("secrets")}

    assert on_secrets == {("", "secrets", "create")}


@VARIANT
def test_no_rule_holds_a_wildcard(values: Values) -> None:
    """Every group, resource and verb is spelt out, in roles for users too."""
    for role in of_kind(objects(values), "Role", "ClusterRole"):
        assert "*" not in {word for right in rights(role) for word in right}


def test_roles_have_the_same_names_in_every_release() -> None:
    """So Helm refuses a second release in a namespace, and one that serves a namespace twice: the role is taken."""

    def names(release: str) -> set[tuple[str, str, str]]:
        return {name_of(item) for item in of_kind(objects(VARIANTS["namespaces"], name=release), "Role", "RoleBinding")}

    assert names("blue") == names("green")


def test_roles_for_users_are_made_when_asked_for_or_cluster_wide() -> None:
    """They are cluster-scoped, so a namespaced installation has none of them unasked."""

    def for_users(variant: str) -> set[str]:
        found = of_kind(objects(VARIANTS[variant]), "ClusterRole")
        return {r["metadata"]["name"] for r in found if any(AGGREGATION in label for label in r["metadata"]["labels"])}

    both = {"qwen-operator-view", "qwen-operator-edit"}
    assert (for_users("least"), for_users("user_roles"), for_users("cluster_wide")) == (set(), both, both)


def test_roles_for_users_extend_the_built_in_ones() -> None:
    """Viewers read models, editors also write and scale them; status stays the operator's."""
    roles = {r["metadata"]["name"]: r for r in of_kind(objects(VARIANTS["user_roles"]), "ClusterRole")}
    view, edit = roles["qwen-operator-view"], roles["qwen-operator-edit"]
    edited = {(resource, verb) for _, resource, verb in rights(edit)}

    assert view["metadata"]["labels"][f"{AGGREGATION}view"] == "true"
    assert edit["metadata"]["labels"][f"{AGGREGATION}edit"] == "true"
    assert edit["metadata"]["labels"][f"{AGGREGATION}admin"] == "true"
    assert {verb for _, _, verb in rights(view)} == {"get", "list", "watch"}
    assert {("qwenmodels", "create"), ("qwenmodels", "delete"), ("qwenmodels/scale", "patch")} <= edited
    assert not [verb for resource, verb in edited if resource == "qwenmodels/status"]


def test_the_page_about_security_lists_exactly_these_rights() -> None:
    """Each with a reason."""
    page = (ROOT / "docs/security.md").read_text().partition("## What the operator may do")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]
    listed = {kind: tuple(verbs.split(", ")) for kind, verbs, why in rows[2:] if why}

    assert listed == {kind.resource: kind.verbs for kind in kinds.ALL}
