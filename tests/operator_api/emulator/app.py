"""The emulator: a request in, an answer out, whichever way both travel."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable

import msgspec

from tests.operator_api.emulator import front
from tests.operator_api.emulator.admission import Admission
from tests.operator_api.emulator.asking import Answer, Asked, HungUp, Request, refusal, selected, understood
from tests.operator_api.emulator.faults import Faults, Strike, Traffic
from tests.operator_api.emulator.kinds import BY_PLURAL, QWEN_MODELS, discovery
from tests.operator_api.emulator.listing import Lists
from tests.operator_api.emulator.memory import Manifest, Refused
from tests.operator_api.emulator.objects import Objects
from tests.operator_api.emulator.policies import Policies
from tests.operator_api.emulator.rights import EVERYBODYS, Rights
from tests.operator_api.emulator.verbs import Tried, Verbs
from tests.operator_api.emulator.watching import Watches


class Emulator:
    """The server: everything a test looks at or breaks; `url` once `serving` is entered.

    :param seed: of the uids, so that a run can be repeated.
    :param now: UTC time in RFC 3339, for what the server stamps.
    :param judging: whether QwenModels are held against their definition's schema.
    """

    def __init__(
        self,
        seed: int | None = None,
        *,
        now: Callable[[], str] = lambda: "2026-11-23T00:00:00Z",
        judging: bool = True,
    ) -> None:
        self.objects = Objects(None if seed is None else random.Random(seed), now)  # noqa: S311
        self.faults = Faults()
        self.traffic = Traffic()
        self.rights = Rights(self.objects)
        self.policies = Policies(self.objects)
        self.watches = Watches(self.objects, self.faults)
        self.admission = Admission(self.objects)
        self.url = ""
        self.ports: dict[str, int] = {}
        """By pod: the port of this machine that its portforward leads to."""
        self.logs: dict[str, str] = {}
        """By pod: what its container wrote."""
        self._lists = Lists(self.objects, self.faults)
        self._verbs = Verbs(self.objects, self.admission, self.policies, self.rights, judging)

    @contextlib.asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator["Emulator"]:
        """Listen on a port of the loopback address."""
        async with front.listening(self, port) as self.url:
            try:
                yield self
            finally:
                self.hang_up_watches()

    def hang_up_watches(self) -> None:
        """End every running watch now, as a restarted server does."""
        self.watches.hang_up()

    def compact(self) -> None:
        """Forget history and unfinished pages: whoever goes on from before is told 410."""
        self.objects.compact()
        self._lists.forget()

    async def answer(self, request: Request) -> Answer:
        """The answer to a request.

        :raises HungUp: none, and the connection is gone.
        """
        asked = understood(request)
        self.traffic.note(asked, request.agent)
        if self.faults.hangs:
            await asyncio.Event().wait()
        if self.faults.hang_up:
            raise HungUp
        strike = self.faults.plan.befalls(asked) if self.faults.plan and request.agent else None
        try:
            self._let_pass(asked, strike)
            user = self.rights.user(request.token)
            self.rights.check(user, asked)
            answer = await self._do(asked, request, user)
        except Refused as refused:
            answer = refusal(refused)
        else:
            if self.faults.loses(asked.verb, asked.what):
                lost = f"the answer of {asked.verb} {asked.what} is lost by the test"
                answer = refusal(Refused(500, "Injected", lost))
        if strike is Strike.AFTER and self.faults.plan:
            self.faults.plan.then()
            raise HungUp
        return answer

    def _let_pass(self, asked: Asked, strike: Strike | None) -> None:
        if strike is Strike.BEFORE and self.faults.plan:
            self.faults.plan.then()
            raise HungUp
        status = 403 if asked.namespace in self.faults.forbidden else self.faults.status(asked.verb, asked.what)
        if strike is Strike.INSTEAD and self.faults.plan:
            status = self.faults.plan.status
        if status:
            after = self.faults.retry_after if status == 429 else None
            raise Refused(status, "Injected", f"{asked.verb} {asked.what} is refused by the test", after=after)

    async def _do(self, asked: Asked, request: Request, user: str) -> Answer:
        if asked.verb == "discover":
            hidden = frozenset() if self.admission.installed else frozenset({QWEN_MODELS})
            return _json(discovery(request.path, without=hidden))
        if asked.resource in EVERYBODYS:
            return _json(self.rights.review(user, request.document()["spec"]["namespace"]), status=201)
        if asked.resource not in BY_PLURAL or (asked.resource == QWEN_MODELS and not self.admission.installed):
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        if asked.verb == "watch":
            selected(request.query, asked.resource, {"metadata": {}})
            return Answer(lines=self.watches.begin(asked, request.query))
        if asked.verb == "list":
            if self.faults.stall:
                await self.faults.stall.wait()
            return self._lists.answer(asked, request)
        if asked.subresource in ("portforward", "log", "token"):
            return self._beside(asked)
        return self._one(asked, request, user)

    def _beside(self, asked: Asked) -> Answer:
        """What hangs on an object and is none."""
        self.objects.get(asked.resource, asked.namespace, asked.name)
        match asked.subresource:
            case "portforward":
                return Answer(status=101)
            case "token":
                token = {"token": self.rights.token(asked.namespace, asked.name)}
                return _json({"kind": "TokenRequest", "status": token}, status=201)
        return Answer(body=self.logs.get(asked.name, "").encode(), content_type="text/plain")

    def _one(self, asked: Asked, request: Request, user: str) -> Answer:
        new = self.objects.find(asked.resource, asked.namespace, asked.name) is None
        try:
            found = self._verbs.done(asked, request, user)
        except Tried as tried:
            found = tried.manifest
        return _json(found, status=201 if new else 200)


def _json(document: Manifest, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(document))
