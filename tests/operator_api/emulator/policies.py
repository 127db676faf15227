"""ValidatingAdmissionPolicies that are stored here, held against each write as the real server does.

What of them is judged: rules by group, resource and operation; conditions, variables and validations in CEL, by the
library `common-expression-language`. What is not: parameters, selectors of objects and namespaces, audit annotations,
expressions as messages.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import cel

from tests.operator_api.emulator.asking import Asked
from tests.operator_api.emulator.memory import Manifest, Memory, Refused

POLICIES = "validatingadmissionpolicies"
BINDINGS = "validatingadmissionpolicybindings"


class Write(NamedTuple):
    """What is judged."""

    user: str
    asked: Asked
    old: Manifest | None
    new: Manifest | None
    """None if it is a deletion."""

    @property
    def operation(self) -> str:
        """What a policy calls it."""
        if self.new is None:
            return "DELETE"
        return "CREATE" if self.old is None else "UPDATE"

    def context(self) -> cel.Context:
        """What expressions may speak of, but for variables."""
        resource = {"group": self.asked.group, "resource": self.asked.resource}
        request = {"userInfo": {"username": self.user}, "resource": resource}
        return cel.Context({"request": request, "object": self.new, "oldObject": self.old})


class Policies:
    """The judgement of every policy that is bound."""

    def __init__(self, objects: Memory) -> None:
        self._objects = objects
        self.refused: Counter[str] = Counter()
        """How often what was said."""

    def check(self, write: Write) -> None:
        """Let a write pass.

        :raises Refused: with the sentence and the reason of the validation that failed.
        """
        for policy, binding in self._bound():
            if not _covers(policy["spec"], write) or (failed := _failed(policy["spec"], write)) is None:
                continue
            sentence, reason = failed
            self.refused[sentence] += 1
            said = f"ValidatingAdmissionPolicy '{policy['metadata']['name']}' with binding '{binding}' denied request: "
            raise Refused(403 if reason == "Forbidden" else 422, reason, said + sentence)

    def _bound(self) -> Iterator[tuple[Manifest, str]]:
        for binding in self._objects.all(BINDINGS):
            policy = self._objects.find(POLICIES, "", binding["spec"]["policyName"])
            if policy is not None and "Deny" in binding["spec"]["validationActions"]:
                yield policy, binding["metadata"]["name"]


def _covers(spec: Manifest, write: Write) -> bool:
    return any(
        write.asked.group in rule["apiGroups"]
        and write.asked.what in rule["resources"]
        and write.operation in rule["operations"]
        for rule in spec["matchConstraints"]["resourceRules"]
    )


def _failed(spec: Manifest, write: Write) -> tuple[str, str] | None:
    """Sentence and reason of the first validation that does not hold."""
    context = write.context()
    if not all(_conjunction((), (each["expression"],)).execute(context) for each in spec.get("matchConditions") or ()):
        return None
    variables = tuple((each["name"], each["expression"]) for each in spec.get("variables") or ())
    if _holds(_conjunction(variables, tuple(each["expression"] for each in spec["validations"])), context) is True:
        return None
    for each in spec["validations"]:
        if (found := _holds(_conjunction(variables, (each["expression"],)), context)) is not True:
            sentence = each["message"] if found is False else f"expression '{each['expression']}' {found}"
            return sentence, each.get("reason", "Invalid")
    return None


def _holds(program: Any, context: cel.Context) -> bool | str:
    """Whether it holds, or why nobody can tell."""
    try:
        return bool(program.execute(context))
    except (KeyError, TypeError, RuntimeError, ValueError) as error:
        return f"resulted in error: {error}"


@cache
def _conjunction(variables: tuple[tuple[str, str], ...], expressions: tuple[str, ...]) -> Any:
    """All of them as one program, each variable written out where it stands: so none is worked out in vain."""
    known: dict[str, str] = {}
    for name, expression in variables:
        known[name] = _written_out(expression, known)
    return cel.compile(" && ".join(f"({_written_out(each, known)})" for each in expressions))


def _written_out(expression: str, known: dict[str, str]) -> str:
    return re.sub(r"\bvariables\.(\w+)", lambda found: f"({known[found[1]]})", expression)
