"""The admission policy of a release: whom it binds, what it covers, which images it allows. What it refuses is tried
on a real API server in `tests/operator_api/rights`.
"""

import re
from pathlib import Path
from typing import Any

import helm_python as helm
import pytest

from qwen_operator.core import kinds
from tests.charts.rendering import CHART, REQUIRED, VARIANTS, Manifest, Values, objects, of_kind, texts

WRITING = {"create": "CREATE", "patch": "UPDATE", "update": "UPDATE", "delete": "DELETE"}


def policy(values: Values, **release: str) -> Manifest:
    """The policy of a release."""
    [found] = of_kind(objects(values, **release), "ValidatingAdmissionPolicy")
    return found


def allows(values: Values, image: str) -> bool:
    """Whether an image may be run; RE2 and Python agree on what the expression uses."""
    [images] = [each["expression"] for each in policy(values)["spec"]["variables"] if each["name"] == "images"]
    return re.fullmatch(images.removeprefix("r'").removesuffix("'"), image) is not None


def test_it_binds_the_operators_own_account_and_nobody_else() -> None:
    """By the name that the API server knows it by."""
    conditions = [
        each["expression"] for each in policy(REQUIRED, name="blue", namespace="ops")["spec"]["matchConditions"]
    ]

    assert conditions == ["request.userInfo.username == 'system:serviceaccount:ops:blue-qwen-operator'"]


def test_it_denies_what_it_cannot_judge() -> None:
    """An expression that fails refuses the request; the binding denies and leaves a mark in the audit log."""
    [binding] = of_kind(objects(REQUIRED), "ValidatingAdmissionPolicyBinding")

    assert policy(REQUIRED)["spec"]["failurePolicy"] == "Fail"
    assert binding["spec"] == {
        "policyName": policy(REQUIRED)["metadata"]["name"],
        "validationActions": ["Deny", "Audit"],
    }


def test_it_covers_every_verb_that_writes_of_every_kind() -> None:
    """The table of kinds is the one list; a kind that is added there is covered, or refused by its own rule."""
    covered = {
        (group, resource, operation)
        for rule in policy(REQUIRED)["spec"]["matchConstraints"]["resourceRules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for operation in rule["operations"]
    }

    assert covered == {(k.group, k.resource, WRITING[v]) for k in kinds.ALL for v in k.verbs if v in WRITING}


def test_every_kind_that_is_written_has_a_rule() -> None:
    """None is let pass by not being thought of."""
    rules = " ".join(each["expression"] for each in policy(REQUIRED)["spec"]["validations"])

    for kind in kinds.ALL:
        if WRITING.keys() & {*kind.verbs}:
            assert f"'{kind.resource}'" in rules or f"'{kind.plural}'" in rules, kind


def test_two_releases_have_policies_of_their_own() -> None:
    """They are cluster-scoped."""
    first, second = policy(REQUIRED, namespace="a"), policy(REQUIRED, namespace="b")

    assert first["metadata"]["name"] != second["metadata"]["name"]


@pytest.mark.parametrize(
    ("variant", "image", "allowed"),
    [
        ("least", "registry.example/qwen-operator/operator:9", True),
        ("least", "registry.example:5000/qwen-operator/server:9", True),
        ("least", "registry.example:5000/qwen-operator/server-cpu@sha256:" + "c" * 64, True),
        ("least", "registry.example/qwen-operator/server:9", False),
        ("least", "registry.example/qwen-operator/operator/more:9", False),
        ("least", "registry-example/qwen-operator/operator:9", False),
        ("policy", "registry.example.com:5000/ai:1", True),
        ("policy", "registry.example.com:5000/ai/a/b:1", True),
        ("policy", "registry.example.com:5000/aint/a:1", False),
        ("policy", "registry.example.com/ai/a:1", False),
        ("policy", "localhost:1/nobody/nothing:1", True),
        ("policy", "localhost:10/nobody/nothing:1", False),
        ("digests", "registry.example/server@sha256:" + "c" * 64, True),
        ("digests", "registry.example/server:1@sha256:" + "c" * 64, True),
        ("digests", "registry.example/server:1", False),
        ("digests", "registry.example/server@sha256:" + "c" * 63, False),
    ],
)
def test_the_releases_own_repositories_and_those_that_are_named_are_allowed(
    variant: str, image: str, *, allowed: bool
) -> None:
    """By digest alone where that is asked for."""
    assert allows(VARIANTS[variant], image) is allowed


def test_a_release_whose_own_images_would_be_refused_is_refused_itself() -> None:
    """With the value that mends it."""
    values: dict[str, Any] = VARIANTS["digests"] | {"image": REQUIRED["image"]}

    with pytest.raises(helm.HelmError, match=r"operator:0\.1\.0 has no digest: set image\.digest"):
        objects(values)


def test_it_can_be_left_out() -> None:
    """For who installs without rights on the whole cluster."""
    assert [item for item in objects(VARIANTS["namespaced"]) if "Admission" in item["kind"]] == []


def test_an_admin_can_be_given_the_policy_alone() -> None:
    """As the chart's README says: by its file, for a release that leaves it out itself."""
    alone = {Path(name).name for name, text in texts(REQUIRED).items() if "kind: ValidatingAdmissionPolicy" in text}

    assert alone == {"admission-policy.yaml"}
    assert f"templates/{alone.pop()}" in (CHART / "README.md").read_text()
