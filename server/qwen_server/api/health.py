"""GET /health: what a client may know of the server's health."""

import orjson
from starlette.types import Receive, Scope, Send

from qwen_server.api.service import Service
from qwen_server.errors import ENGINE_SILENT, ApiError
from qwen_server.health import Condition
from qwen_server.responses import respond
from qwen_server.wire.health import Health


async def health(service: Service, scope: Scope, receive: Receive, send: Send) -> None:
    """200 while the engine answers; the gate in front has refused what comes before and after."""
    del scope, receive
    if service.pulse.condition() is not Condition.LIVELY:
        raise ApiError(ENGINE_SILENT)
    engine = service.engine
    body: Health = {
        "status": "ok",
        "model": service.served_name,
        "version": service.version,
        "running": engine.running,
        "waiting": engine.waiting,
    }
    await respond(send, orjson.dumps(body))
