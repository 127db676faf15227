"""Client configurations: those of docs/clients.md are the ones that `kubectl qwen config` prints."""

import json

import pytest
import yaml

from qwen_operator.cli import configurations
from qwen_operator.cli.configurations import CLIENTS, FILES, Called
from tests.clients.page import snippet

CALLED = Called(
    url="http://localhost:8000/v1",
    model_id="qwen3",
    context=200_000,
    secret="qwen3-api-keys",
    namespace="team",
    key="default",
)


def test_the_python_program_is_that_of_the_page() -> None:
    """Which `tests/clients` runs."""
    assert configurations.openai(CALLED) == snippet("Python", "python")


def test_the_configuration_of_qwen_code_is_that_of_the_page() -> None:
    """Which `tests/clients` runs Qwen Code with."""
    assert json.loads(configurations.qwen_code(CALLED)) == json.loads(snippet("Qwen Code", "json"))


def test_the_configuration_of_crush_is_that_of_the_page() -> None:
    """But for the name that people see, which is the model's own."""
    printed, shown = json.loads(configurations.crush(CALLED)), json.loads(snippet("crush", "json"))
    [model] = shown["providers"]["vllm"]["models"]
    model["name"] = "qwen3"

    assert printed == shown


def test_a_short_context_leaves_room_for_the_prompt() -> None:
    """A quarter at most is for the completion."""
    document = json.loads(configurations.crush(CALLED._replace(context=4096)))

    assert document["providers"]["vllm"]["models"][0]["default_max_tokens"] == 1024


def test_the_configuration_of_aider_is_that_of_the_page() -> None:
    """Client, model and address, and no word to its makers."""
    document = yaml.safe_load(configurations.aider(CALLED))

    assert document == yaml.safe_load(snippet("aider", "yaml"))
    assert document["model"] == "openai/qwen3"


@pytest.mark.parametrize("client", sorted(CLIENTS))
def test_every_configuration_has_its_place(client: str) -> None:
    """And names the model or the address."""
    assert FILES[client]
    assert "qwen3" in CLIENTS[client](CALLED)
