"""Who may do what: the roles that are stored here, held against each request as the real server's RBAC does.

A request without a token, or with one that was not made here, is the test's own, and may do everything.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.operator_api.emulator.asking import Asked
from tests.operator_api.emulator.memory import Happening, Manifest, Memory, Refused

Right = tuple[str, str, str, str]
"""Namespace (empty: all), group, resource, verb."""
OF_ROLES = frozenset({"roles", "rolebindings", "clusterroles", "clusterrolebindings"})


class Rights:
    """What each account may do, and which of its rights were used."""

    def __init__(self, objects: Memory) -> None:
        self._objects = objects
        self._accounts: dict[str, str] = {}
        self._revoked: set[str] = set()
        self._held: dict[str, frozenset[Right]] = {}
        self.used: Counter[Right] = Counter()
        self.exceeded: Counter[Right] = Counter()
        objects.listeners.append(self._woken)

    def token(self, namespace: str, account: str) -> str:
        """A token of a service account."""
        token = f"token-of-{namespace}-{account}"
        self._accounts[token] = f"system:serviceaccount:{namespace}:{account}"
        return token

    def user(self, token: str) -> str:
        """Who bears a token; empty for the test itself.

        :raises Refused: 401.
        """
        if token in self._revoked:
            raise Refused(401, "Unauthorized", "Unauthorized")
        return self._accounts.get(token, "")

    def revoke(self, token: str) -> None:
        """A token that is good no longer."""
        self._revoked.add(token)

    def held(self, user: str) -> frozenset[Right]:
        """Every right of a user."""
        if user not in self._held:
            self._held[user] = frozenset(self._bound(user))
        return self._held[user]

    def check(self, user: str, asked: Asked) -> None:
        """Let a request pass.

        :raises Refused: 403.
        """
        if not user or asked.verb == "discover" or asked.resource in EVERYBODYS:
            return
        for namespace in ("", asked.namespace):
            right = (namespace, asked.group, asked.what, asked.verb)
            if right in self.held(user):
                self.used[right] += 1
                return
        self.exceeded[asked.namespace, asked.group, asked.what, asked.verb] += 1
        where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
        raise Refused(
            403,
            "Forbidden",
            f'{asked.resource} is forbidden: User "{user}" cannot {asked.verb} resource "{asked.what}" '
            f'in API group "{asked.group}" {where}',
        )

    def create_too(self, user: str, asked: Asked) -> None:
        """An apply that makes a new object needs the right to create as well."""
        self.check(user, Asked("create", asked.group, asked.resource, asked.namespace, "", asked.subresource))

    def review(self, user: str, namespace: str) -> Manifest:
        """What a user is answered who asks for its own rights in a namespace."""
        rules = [
            {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
            for where, group, resource, verb in sorted(self.held(user))
            if where in ("", namespace)
        ]
        return {"kind": "SelfSubjectRulesReview", "status": {"resourceRules": rules}}

    def _woken(self, happening: Happening) -> None:
        if happening.resource in OF_ROLES:
            self._held.clear()

    def _bound(self, user: str) -> Iterator[Right]:
        for kind in ("rolebindings", "clusterrolebindings"):
            for binding in self._objects.all(kind):
                if any(_named(subject) == user for subject in binding.get("subjects") or ()):
                    yield from self._given(binding)

    def _given(self, binding: Manifest) -> Iterator[Right]:
        namespace, reference = binding["metadata"].get("namespace", ""), binding["roleRef"]
        of_role = (f"{reference['kind'].lower()}s", namespace if reference["kind"] == "Role" else "", reference["name"])
        for rule in (self._objects.find(*of_role) or {}).get("rules") or ():
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    yield from ((namespace, group, resource, verb) for verb in rule["verbs"])


EVERYBODYS = frozenset({"selfsubjectrulesreviews"})
"""What every account may ask about itself."""


def _named(subject: dict[str, Any]) -> str:
    return f"system:serviceaccount:{subject.get('namespace', '')}:{subject['name']}"
