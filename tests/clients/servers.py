"""What the model says in these tests, and how a client finds the server that says it."""

from typing import Any

from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from tests.clients.calls import call, script
from tests.server_unit.builders import KEY
from tests.server_unit.process import Process

HELLO = "Hello, how are you?"
ECHO: dict[str, object] = {}
"""The script of a model that says what it hears."""


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    celsius: float


WEATHER = Weather(city="Paris", celsius=21.5)
STRUCTURED: dict[str, object] = {"reply": WEATHER.model_dump_json(), "chat_template": "<tool_call>"}
"""The script of a model that was held to a schema."""

SUNNY = "It is sunny in Paris."


def asking_for_the_weather(form: str) -> dict[str, object]:
    """The script of a model that asks a tool for the weather, and then tells it."""
    return script(form, f"I look.\n{call(form, 'weather', city='Paris')}", SUNNY)


def environment(process: Process) -> dict[str, str]:
    """What every client of OpenAI's interface reads from its environment."""
    return {"OPENAI_BASE_URL": f"{process.url}/v1", "OPENAI_API_KEY": KEY}


def a_client(process: Process, **options: Any) -> OpenAI:
    """The official client, that shows errors instead of trying again."""
    return OpenAI(base_url=f"{process.url}/v1", **{"api_key": KEY, "max_retries": 0, **options})


def an_async_client(process: Process, **options: Any) -> AsyncOpenAI:
    """The same for coroutines."""
    return AsyncOpenAI(base_url=f"{process.url}/v1", **{"api_key": KEY, "max_retries": 0, **options})
