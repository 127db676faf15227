"""The one door of `kubectl qwen` to a cluster, with the rights of whoever typed.

Why it exists: what the API server refuses becomes one sentence with a remedy here, for every verb. It must never hold
the operator's Lease, and writes nothing unless the verb says that it does.
"""

import argparse
import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

from qwen_operator import footprint, refusals
from qwen_operator.cli import where
from qwen_operator.cli.endings import NotThere, Unknowable, Unseen
from qwen_operator.core import kinds
from qwen_operator.core.kinds import Kind
from qwen_operator.core.snapshot import Manifest

if TYPE_CHECKING:
    from qwen_operator.cluster import Cluster
    from qwen_operator.transport import Transport

AGENT = "kubectl-qwen"
"""Who we are in the API server's audit log, and the manager of the fields that we write."""
PAGE = 500
"""Objects a page of a list, as kubectl asks for."""
LONGEST_LOG = 4 * 2**20
"""Bytes kept of one container's log."""


class Access:
    """What a verb may ask a cluster; each method ends the verb with a sentence if the answer is a refusal."""

    def __init__(self, cluster: "Cluster", transport: "Transport", namespace: str) -> None:
        self.transport = transport
        self.cluster = cluster
        self.namespace = namespace

    async def model(self, name: str) -> Manifest:
        """A QwenModel as the API server has it."""
        return await self.get(kinds.QWEN_MODEL, name)

    async def models(self, *, everywhere: bool = False) -> list[Manifest]:
        """The QwenModels of the namespace, or of all, by name."""
        found = await self.all(kinds.QWEN_MODEL, everywhere=everywhere)
        return sorted(found, key=lambda model: (model["metadata"]["namespace"], model["metadata"]["name"]))

    async def changes(
        self, name: str | None, *, everywhere: bool = False
    ) -> AsyncIterator[tuple[list[Manifest], list[Manifest]]]:
        """One model or all of them, now and after each change, with those that changed; it never ends by itself.

        :raises NotThere: the one that was named does not exist, or not any more.
        """
        known: dict[tuple[str, str], Manifest] = {}
        while True:
            with self._told("list", kinds.QWEN_MODEL, everywhere=everywhere), contextlib.suppress(refusals.Gone):
                async for models, changed in self._until_expired(known, name, everywhere=everywhere):
                    if name and not models:
                        raise NotThere(f"There is no QwenModel {name} in namespace {self.namespace}.")
                    yield models, changed

    async def _until_expired(
        self, known: dict[tuple[str, str], Manifest], name: str | None, *, everywhere: bool
    ) -> AsyncIterator[tuple[list[Manifest], list[Manifest]]]:
        namespace, version = None if everywhere else self.namespace, ""
        listed: dict[tuple[str, str], Manifest] = {}
        async for page in self.cluster.pages(kinds.QWEN_MODEL, namespace):
            version = version or page.version
            listed |= {_place(model): model for model in page.items if name in (None, model["metadata"]["name"])}
        changed = [model for place, model in listed.items() if known.get(place) != model]
        known.clear()
        known.update(listed)
        yield [known[place] for place in sorted(known)], changed
        async for event in self.cluster.watch(kinds.QWEN_MODEL, namespace, version=version):
            place = _place(event.object) if event.type in ("ADDED", "MODIFIED", "DELETED") else None
            if place is None or (name and place[1] != name) or known.get(place) == event.object:
                continue
            if event.type == "DELETED":
                known.pop(place, None)
            else:
                known[place] = event.object
            yield [known[each] for each in sorted(known)], [] if event.type == "DELETED" else [event.object]

    async def get(self, kind: Kind, name: str) -> Manifest:
        """One object of the namespace.

        :raises NotThere: it does not exist. `Unseen`: the right to see it is missing. `Unknowable`: no answer.
        """
        with self._told("get", kind, name):
            return await self.cluster.get(kind, self.namespace, name)

    async def find(self, kind: Kind, name: str) -> Manifest | None:
        """One object of the namespace, or None."""
        try:
            return await self.get(kind, name)
        except NotThere:
            return None

    async def all(self, kind: Kind, *, selector: str = "", everywhere: bool = False) -> list[Manifest]:
        """The objects of a kind in the namespace, or in all."""
        found: list[Manifest] = []
        with self._told("list", kind, everywhere=everywhere):
            namespace, rest = None if everywhere else self.namespace, ""
            while True:
                page = await self.cluster.list_page(kind, namespace, selector=selector, rest=rest, limit=PAGE)
                found += page.items
                if not (rest := page.rest):
                    return found

    async def log(self, pod: str, container: str, *, previous: bool = False) -> str:
        """The end of a container's log; of the run before its last restart with `previous`."""
        query = {"container": container, "limitBytes": str(LONGEST_LOG), "timestamps": "true"}
        query |= {"previous": "true"} if previous else {}
        with self._told("get", kinds.POD, f"{pod}/log"):
            url = f"{kinds.POD.path(self.namespace, pod)}/log"
            return (await self.transport.request("GET", url, query=query)).decode(errors="replace")

    async def create(self, kind: Kind, manifest: Manifest) -> None:
        """A new object.

        :raises Conflict: it is there already.
        """
        with self._told("create", kind, manifest["metadata"]["name"]):
            url = kind.path(self.namespace)
            await self.transport.request("POST", url, query={"fieldManager": AGENT}, body=manifest)

    async def merge(self, kind: Kind, name: str, patch: Manifest) -> None:
        """A JSON merge patch; with `metadata.resourceVersion` in it, of that very version alone.

        :raises Conflict: there is another version by now.
        """
        with self._told("patch", kind, name):
            await self.transport.request(
                "PATCH",
                kind.path(self.namespace, name),
                query={"fieldManager": AGENT},
                body=patch,
                content_type="application/merge-patch+json",
            )

    @contextlib.contextmanager
    def _told(self, verb: str, kind: Kind, name: str = "", *, everywhere: bool = False) -> Iterator[None]:
        """Refusals as sentences; a conflict goes through, since whoever writes tries again."""
        place = "all namespaces" if everywhere else f"namespace {self.namespace}"
        flag = "-A" if everywhere else f"-n {self.namespace}"
        try:
            yield
        except refusals.Conflict:
            raise
        except refusals.NotFound as refusal:
            raise NotThere(_missing(kind, name, refusal, place, flag)) from None
        except refusals.Forbidden as refusal:
            resource = f"{kind.plural}.{kind.group}".rstrip(".")
            raise Unseen(
                f"You may not {verb} {kind.plural} in {place}: {_ended(refusal)} "
                f"kubectl auth can-i {verb} {resource} {flag} tells when you may."
            ) from None
        except refusals.Unauthorized:
            raise Unknowable(
                f"The API server {self.transport.server} does not take your credentials; log in to the cluster anew."
            ) from None
        except refusals.Unreachable as refusal:
            raise Unknowable(
                f"{_ended(refusal)} --context or --kubeconfig name another cluster; kubectl cluster-info looks, too."
            ) from None
        except refusals.Refusal as refusal:
            raise Unknowable(f"The API server refuses to {verb} {kind.kind} {name}: {_ended(refusal)}") from None


def _place(model: Manifest) -> tuple[str, str]:
    return model["metadata"]["namespace"], model["metadata"]["name"]


def _missing(kind: Kind, name: str, refusal: refusals.NotFound, place: str, flag: str) -> str:
    if not refusal.reason and kind.group == kinds.GROUP:
        return "The cluster knows no QwenModels: install the chart of qwen-operator first, or name another --context."
    hint = f" kubectl get {kind.plural} {flag} lists those that are." if "/" not in name else ""
    return f"There is no {kind.kind} {name} in {place}.{hint}"


def _ended(refusal: refusals.Refusal) -> str:
    sentence = str(refusal).strip()
    return sentence if sentence.endswith(".") else f"{sentence}."


Work = Callable[[Access], Awaitable[int]]


def carried_out(options: argparse.Namespace, work: Work, *, writes: bool = False) -> int:
    """The exit status of what is done on the cluster that the flags name.

    :param writes: whether the verb may change anything.
    """

    async def do() -> int:
        async with reached(options, writes=writes) as access:
            return await work(access)

    return asyncio.run(do())


@contextlib.asynccontextmanager
async def reached(options: argparse.Namespace, *, writes: bool = False) -> AsyncIterator[Access]:
    """The cluster that the flags name.

    :raises Unknowable: nothing tells where it is.
    """
    footprint.leave_unrun()  # and none of this at the top: half a second of every start, and `fit` needs no cluster
    from qwen_operator import credentials
    from qwen_operator.cluster import Cluster
    from qwen_operator.observe import Metrics
    from qwen_operator.transport import Transport

    try:
        found = await credentials.find(where.kubeconfig(options), options.context)
    except credentials.NoCredentials as reason:
        raise Unknowable(f"{str(reason).rstrip('.')}. --kubeconfig and --context name another one.") from None
    transport = Transport(found, Metrics(), lambda: writes, AGENT)
    try:
        yield Access(Cluster(transport), transport, options.namespace or found.namespace or "default")
    finally:
        await transport.close()
