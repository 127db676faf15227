"""What is asked of one object: get, create, update, patch, delete; each write judged before it is stored."""

from dataclasses import dataclass

from tests.operator_api.emulator.admission import Admission, strict
from tests.operator_api.emulator.asking import Asked, Request
from tests.operator_api.emulator.memory import Manifest, Refused
from tests.operator_api.emulator.objects import Admit, Objects, as_it_is, without_status
from tests.operator_api.emulator.policies import Policies, Write
from tests.operator_api.emulator.rights import Rights


class Tried(Exception):  # noqa: N818  (how a trial ends)
    """A write with dryRun has passed every judgement; nothing is stored."""

    def __init__(self, manifest: Manifest) -> None:
        super().__init__()
        self.manifest = manifest


@dataclass(frozen=True)
class Verbs:
    """The verbs.

    :param judging: whether QwenModels are held against their definition's schema.
    """

    objects: Objects
    admission: Admission
    policies: Policies
    rights: Rights
    judging: bool

    def done(self, asked: Asked, request: Request, user: str) -> Manifest:
        """The object as it is afterwards.

        :param user: who asks; empty for the test itself.
        :raises Refused: what a real server would refuse.
        :raises Tried: the request was one of dryRun, and is let pass.
        """
        body = request.document()
        if request.query.get("fieldValidation") == "Strict":
            strict(asked.resource, body)
        place, who = (asked.resource, asked.namespace, asked.name), _writer(request)
        admit, on_status = self._judge(asked, request, user), asked.subresource == "status"
        match asked.verb:
            case "get":
                return self.objects.get(*place)
            case "create":
                return self.objects.create(*place[:2], _named(asked, body), updater=who, admit=admit)
            case "update":
                return self.objects.replace(*place, body, status=on_status, updater=who, admit=admit)
            case "delete":
                return self._delete(asked, request, user, body.get("preconditions") or {})
        return self._patch(asked, request, body, user, admit)

    def _judge(self, asked: Asked, request: Request, user: str) -> Admit:
        """Schema, then policies; a trial ends here."""
        by_schema = self.admission.admit if self.judging else as_it_is

        def judged(resource: str, old: Manifest | None, new: Manifest) -> Manifest:
            admitted = by_schema(resource, old, new)
            if user:
                self.policies.check(Write(user, asked, old, admitted))
            if request.query.get("dryRun") == "All":
                raise Tried(admitted)
            return admitted

        return judged

    def _patch(self, asked: Asked, request: Request, body: Manifest, user: str, admit: Admit) -> Manifest:
        place, status = (asked.resource, asked.namespace, asked.name), asked.subresource == "status"
        who = _writer(request)
        if "apply-patch" not in request.content_type:
            return self.objects.merge(*place, body, status=status, updater=who, admit=admit)
        if self.objects.find(*place) is None and not status:
            self.rights.create_too(user, asked)
        force = request.query.get("force") == "true"
        return self.objects.apply(*place, body, manager=who, status=status, force=force, admit=admit)

    def _delete(self, asked: Asked, request: Request, user: str, conditions: Manifest) -> Manifest:
        living = self.objects.get(asked.resource, asked.namespace, asked.name)
        if user:
            self.policies.check(Write(user, asked, living, None))
        if request.query.get("dryRun") == "All":
            raise Tried(living)
        uid, version = conditions.get("uid"), conditions.get("resourceVersion")
        return self.objects.delete(asked.resource, asked.namespace, asked.name, uid, version)


def _writer(request: Request) -> str:
    return request.query.get("fieldManager") or request.agent.partition("/")[0]


def _named(asked: Asked, body: Manifest) -> Manifest:
    if not (body.get("metadata") or {}).get("name"):
        raise Refused(422, "Invalid", "metadata.name: Required value: name or generateName is required")
    return without_status(asked.resource, body)
