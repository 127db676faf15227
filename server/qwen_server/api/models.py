"""GET /v1/models and /v1/models/{id}: the one model that is served."""

import orjson
from starlette.types import Receive, Scope, Send

from qwen_server.api.service import Service
from qwen_server.errors import NO_SUCH_MODEL, ApiError
from qwen_server.responses import respond
from qwen_server.wire.models import ModelCard, ModelList, model_card


def card(service: Service) -> ModelCard:
    """The served model."""
    return model_card(service.served_name, service.created, service.facts().context_length)


async def list_models(service: Service, scope: Scope, receive: Receive, send: Send) -> None:
    """A list of one."""
    del scope, receive
    models: ModelList = {"object": "list", "data": [card(service)]}
    await respond(send, orjson.dumps(models))


async def retrieve_model(service: Service, scope: Scope, receive: Receive, send: Send) -> None:
    """That one by its id. Raises ApiError (404) for any other."""
    del receive
    if scope["path_params"]["model"] != service.served_name:
        raise ApiError(NO_SUCH_MODEL, "The model does not exist here: GET /v1/models lists the one that does.", "model")
    await respond(send, orjson.dumps(card(service)))
