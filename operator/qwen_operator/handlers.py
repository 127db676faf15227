"""kopf's part: the watch of QwenModels, and the process' signals. The only import of kopf.

Why it exists: kopf logs in, lists, watches, re-connects and ends on SIGTERM; all that an event may do is to put the
object into the models' cache. There is one kind of handler, `on.event`, since it alone writes nothing on the object: no
finalizer, no annotation, no progress. It must never await anything of ours, or fail.
"""

import asyncio
import signal
from collections.abc import Callable
from typing import Any

import aiohttp
import kopf

from qwen_operator.cache import Cache, version_of
from qwen_operator.core import kinds
from qwen_operator.core.snapshot import Manifest
from qwen_operator.keys import key_of

WATCH_TASK = f"watcher for {kinds.QWEN_MODEL.plural}."
"""How kopf calls the tasks whose end would make us deaf."""
WATCH_SECONDS = 300
"""A watch of kopf's ends and begins anew after this time."""
INACTIVITY_SECONDS = 70
"""kopf takes a watch for dead after this time without a byte; the API server sends a bookmark about once a minute."""


def configure(settings: kopf.OperatorSettings) -> None:
    """Set what experience showed to matter; the rest stays as kopf has it."""
    settings.scanning.disabled = True  # else a namespaced Role makes us deaf for 54 s at each start
    settings.peering.standalone = True  # one writer at a time is the Lease's business
    settings.posting.enabled = False
    settings.networking.connect_timeout, settings.networking.request_timeout = 5, 30
    settings.networking.error_backoffs = (0.5, 1, 2, 4, 8, 15)  # then it ends, and the process starts anew
    settings.watching.server_timeout, settings.watching.inactivity_timeout = WATCH_SECONDS, INACTIVITY_SECONDS
    settings.watching.reconnect_backoff = 1.0
    settings.watching.chunk_size = None  # a page that expired would end the operator
    settings.persistence.diffbase_storage = NothingKept()
    settings.queueing.idle_timeout = 0.1  # for as long an object that was told of stays in memory, decoded
    settings.queueing.exit_timeout = 2
    settings.queueing.worker_limit = None
    settings.execution.max_workers = 2
    settings.process.ultimate_exiting_timeout = 20


class NothingKept(kopf.DiffBaseStorage):
    """What kopf compares an object with: nothing, since nobody asks it for differences; else it copies each object."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        """What matters of an object."""
        return kopf.BodyEssence({})

    def fetch(self, **_: Any) -> kopf.BodyEssence | None:
        """What mattered before."""
        return None

    def store(self, **_: Any) -> None:
        """Nothing is written onto objects."""


def registry(models: Cache, server: str, session: Callable[[], aiohttp.ClientSession]) -> kopf.OperatorRegistry:
    """The handlers: how to log in, and where events go.

    :param session: makes a session that kopf may close.
    """
    handlers = kopf.OperatorRegistry()

    @kopf.on.login(registry=handlers, id="login")
    async def login(**_: object) -> kopf.AiohttpSession:
        return kopf.AiohttpSession(server=server, aiohttp_session=session())

    @kopf.on.event(kinds.GROUP, kinds.VERSION, kinds.QWEN_MODEL.plural, registry=handlers, id="note")
    async def note(event: kopf.RawEvent, **_: object) -> None:
        manifest: Manifest = dict(event["object"])
        if event["type"] == "DELETED":
            models.drop(key_of(manifest), version_of(manifest))
        else:
            models.put(manifest)

    return handlers


async def watch_models(handlers: kopf.OperatorRegistry, namespaces: tuple[str, ...]) -> None:
    """Run kopf until SIGTERM or SIGINT, which end it well, or until a watch fails for good, which raises.

    :param namespaces: those served; none means all.
    """
    settings, stop, ours = kopf.OperatorSettings(), asyncio.Event(), asyncio.all_tasks()
    configure(settings)
    tasks = await kopf.spawn_tasks(
        registry=handlers,
        settings=settings,
        clusterwide=not namespaces,
        namespaces=namespaces,
        standalone=True,
        stop_flag=stop,
    )
    for number in (signal.SIGINT, signal.SIGTERM):  # kopf's own handling fails at a second one, and a group gets two
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await kopf.run_tasks(tasks, ignored=ours)


def is_watching() -> bool:
    """Whether a task of kopf's that watches QwenModels is running."""
    return any(task.get_name().startswith(WATCH_TASK) for task in asyncio.all_tasks())
