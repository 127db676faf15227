"""The admission policy that binds the operator's own account, from the tables that its children are built from.

Why it exists: RBAC knows kinds and no content, so whoever holds the operator's token could run any pod. It must never
speak of a registry or of a release, which the chart's template adds as the variable `images` and as a condition.
"""

from typing import Any

from hack.generate.admission_pods import POD_RULES, POD_VARIABLES, rule
from qwen_operator.core import kinds, names
from qwen_operator.core.kinds import Kind, Scope

Named = dict[str, str]

OPERATIONS = {"create": "CREATE", "patch": "UPDATE", "update": "UPDATE", "delete": "DELETE"}
"""What the API server calls what a verb of RBAC does."""
CHILDREN = (*(kind for kind in kinds.ALL if kind.scope is Scope.OURS and "patch" in kind.verbs), kinds.SECRET)
"""Kinds whose objects always have a model as their controller."""
FENCED = {kinds.NETWORK_POLICY: "spec.podSelector.matchLabels", kinds.DISRUPTION_BUDGET: "spec.selector.matchLabels"}
"""Where objects say which pods they are about, apart from Services, whose selector has another shape."""

CONTROLLER = (
    "has({0}.metadata.ownerReferences) ? {0}.metadata.ownerReferences.filter(o, has(o.controller) && o.controller && "
    f"o.kind == '{kinds.QWEN_MODEL.kind}' && o.apiVersion.startsWith('{kinds.GROUP}/')) : []"
)
VARIABLES: list[Named] = [
    {"name": "resource", "expression": "request.resource.resource"},
    {"name": "subject", "expression": "object == null ? oldObject : object"},
    {"name": "owners", "expression": CONTROLLER.format("variables.subject")},
    {"name": "former", "expression": f"oldObject == null ? [] : ({CONTROLLER.format('oldObject')})"},
    {"name": "model", "expression": "variables.owners.size() == 1 ? variables.owners[0].name : ''"},
    {
        "name": "labels",
        "expression": "has(variables.subject.metadata.labels) ? variables.subject.metadata.labels : {}",
    },
    {
        "name": "formerLabels",
        "expression": "oldObject != null && has(oldObject.metadata.labels) ? oldObject.metadata.labels : {}",
    },
]


def document() -> dict[str, Any]:
    """Return what the policy matches, its variables and its rules."""
    return {
        "resourceRules": [_matched(kind) for kind in kinds.ALL if _operations(kind)],
        "variables": [*VARIABLES, *POD_VARIABLES],
        "validations": [*_identity(), *_claims(), *POD_RULES, *_contents()],
    }


def _matched(kind: Kind) -> dict[str, Any]:
    version = kind.api_version.rpartition("/")[2]
    place = {"apiGroups": [kind.group], "apiVersions": [version], "resources": [kind.resource]}
    return {**place, "operations": _operations(kind)}


def _operations(kind: Kind) -> list[str]:
    return list(dict.fromkeys(OPERATIONS[verb] for verb in kind.verbs if verb in OPERATIONS))


def _identity() -> list[Named]:
    children = str([kind.resource for kind in CHILDREN])
    marked = _ours("variables.labels", "variables.model")
    return [
        rule(
            f"!(variables.resource in {children}) || variables.model != ''",
            "a child must have a QwenModel as its controller",
        ),
        rule(
            f"!(variables.resource in {children}) || object == null || ({marked})",
            f"a child must bear the labels {names.MANAGED_BY} and {names.INSTANCE} of its model",
        ),
        rule(
            f"!(variables.resource in {children}) || oldObject == null || "
            "variables.former.exists(o, variables.owners.exists(n, n.uid == o.uid))",
            "an object that is not a child of the same QwenModel already must be left alone",
        ),
    ]


def _ours(labels: str, model: str) -> str:
    """Whether labels are those that we give to what belongs to a model."""
    return f"{_label(labels, names.MANAGED_BY, repr(names.FIELD_MANAGER))} && {_label(labels, names.INSTANCE, model)}"


def _label(labels: str, key: str, value: str) -> str:
    return f"'{key}' in {labels} && {labels}['{key}'] == {value}"


def _claims() -> list[Named]:
    """Claims for weights may have no owner, so that they outlive their model: then labels say whose they are."""
    marks = {names.MANAGED_BY: names.FIELD_MANAGER, names.COMPONENT: names.WEIGHTS}

    def marked(labels: str) -> str:
        return " && ".join(_label(labels, key, repr(value)) for key, value in marks.items())

    return [
        _of(
            kinds.CLAIM,
            f"{marked('variables.labels')} && (!has(object.metadata.ownerReferences) || variables.model != '')",
            "a claim must bear the labels of weights, and have no owner but a QwenModel",
        ),
        _of(
            kinds.CLAIM,
            f"oldObject == null || variables.former.size() == 1 || ({marked('variables.formerLabels')})",
            "a claim that was not made for weights must be left alone",
        ),
        _of(
            kinds.CLAIM,
            "!has(object.spec.dataSource) && !has(object.spec.dataSourceRef) && (!has(object.spec.volumeName) || "
            "(oldObject != null && has(oldObject.spec.volumeName) && "
            "oldObject.spec.volumeName == object.spec.volumeName))",
            "a claim must name neither a volume nor a source of data",
        ),
    ]


def _contents() -> list[Named]:
    about_pods = [
        _of(
            kind,
            f"has(object.{place}) && {_of_a_model(f'object.{place}')}",
            f"a {kind.kind} must be about the pods of its model alone",
        )
        for kind, place in FENCED.items()
    ]
    return [*about_pods, _way_out(), _service(), _secret(), _event(), _lease(), _status()]


def _way_out() -> Named:
    """What serves a model has none, whoever holds the operator's token."""
    labels = "object.spec.podSelector.matchLabels"
    of_weights = f"{_label(labels, names.COMPONENT, repr(names.WEIGHTS))} && '{names.JOB_NAME}' in {labels}"
    return _of(
        kinds.NETWORK_POLICY,
        f"!has(object.spec.egress) || object.spec.egress.size() == 0 || ({of_weights})",
        "a NetworkPolicy must let nobody out but the pods of a Job about weights",
    )


def _of_a_model(labels: str) -> str:
    named = _label(labels, names.NAME, repr(names.MODEL_NAME))
    return f"{named} && {_label(labels, names.INSTANCE, 'variables.model')}"


def _service() -> Named:
    return _of(
        kinds.SERVICE,
        f"has(object.spec.selector) && {_of_a_model('object.spec.selector')} && "
        "!has(object.spec.externalIPs) && object.spec.type != 'ExternalName'",
        "a Service must lead to the pods of its model, and claim no external address",
    )


def _secret() -> Named:
    """A ServiceAccount's token is a Secret too, which whoever may create one could ask for."""
    return _of(
        kinds.SECRET,
        f"object.type == 'Opaque' && has(object.data) && object.data.all(k, k == '{names.GENERATED_KEY}')",
        "a Secret must be Opaque and hold the generated key alone",
    )


def _event() -> Named:
    about = f"involvedObject.kind == '{kinds.QWEN_MODEL.kind}'"
    component = f"reportingComponent == '{names.FIELD_MANAGER}'"
    return _of(
        kinds.EVENT,
        f"object.{about} && object.{component} && (oldObject == null || oldObject.{component})",
        "an event must be about a QwenModel and by the operator",
    )


def _lease() -> Named:
    return _of(kinds.LEASE, f"object.metadata.name == '{names.LEASE}'", f"the only Lease to write is {names.LEASE}")


def _status() -> Named:
    return _of(
        kinds.QWEN_MODEL_STATUS,
        "object.spec == oldObject.spec",
        "only the status of a QwenModel may be written",
    )


def _of(kind: Kind, expression: str, message: str) -> Named:
    """Return a rule for one kind; deletions hold nothing to look at."""
    return rule(f"variables.resource != '{kind.plural}' || object == null || ({expression})", message)
