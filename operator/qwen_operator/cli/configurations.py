"""Ready configurations of clients, for one model.

Why it exists: an address, a key and a name have another place in each client. Those of docs/clients.md are these
(`tests/operator_unit` holds the two together). It must never hold a key: clients read it from their environment.
"""

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

QUESTION = "What is the capital of France?"


class Called(NamedTuple):
    """How a model is called."""

    url: str
    """Base URL, with /v1."""
    model_id: str
    """What clients send as model."""
    context: int
    """Tokens of prompt and completion together."""
    secret: str
    namespace: str
    key: str
    """Name of the entry in the Secret."""


def env(called: Called) -> str:
    """Variables that all of OpenAI's own clients read; the key is fetched when the shell runs it."""
    entry = f'{{{{index .data "{called.key}" | base64decode}}}}'
    fetched = f"kubectl get secret {called.secret} -n {called.namespace} -o go-template='{entry}'"
    return f'export OPENAI_BASE_URL={called.url}\nexport OPENAI_API_KEY="$({fetched})"\n'


def openai(called: Called) -> str:
    """A program with the official client for Python."""
    return f"""from openai import OpenAI

client = OpenAI()
question = [{{"role": "user", "content": "{QUESTION}"}}]

reply = client.chat.completions.create(model="{called.model_id}", messages=question)
print(reply.choices[0].message.content)

for chunk in client.chat.completions.create(model="{called.model_id}", messages=question, stream=True):
    print(chunk.choices[0].delta.content or "", end="", flush=True)
"""


def crush(called: Called) -> str:
    """crush.json; without the options crush would send tasks to OpenAI, and reports to its makers."""
    model = {
        "id": called.model_id,
        "name": called.model_id,
        "context_window": called.context,
        "default_max_tokens": min(8192, called.context // 4),
    }
    provider = {
        "type": "openai-compat",
        "base_url": "$OPENAI_BASE_URL",
        "api_key": "$OPENAI_API_KEY",
        "models": [model],
    }
    options = {"disable_default_providers": True, "disable_provider_auto_update": True, "disable_metrics": True}
    return _json({"$schema": "https://charm.land/crush.json", "providers": {"vllm": provider}, "options": options})


def qwen_code(called: Called) -> str:
    """~/.qwen/settings.json; it does not report its use to its makers."""
    return _json(
        {
            "security": {"auth": {"selectedType": "openai"}},
            "model": {"name": called.model_id},
            "privacy": {"usageStatisticsEnabled": False},
        }
    )


def aider(called: Called) -> str:
    """.aider.conf.yml; the prefix openai/ picks the client, not the maker. Nothing is reported to aider's makers."""
    switches = "analytics-disable: true\ncheck-update: false\nshow-model-warnings: false\n"
    return f"model: openai/{called.model_id}\nopenai-api-base: {called.url}\n{switches}"


def _json(document: object) -> str:
    return json.dumps(document, indent=2) + "\n"


CLIENTS: Mapping[str, Callable[[Called], str]] = {
    "openai": openai,
    "crush": crush,
    "qwen-code": qwen_code,
    "aider": aider,
    "env": env,
}

FILES: Mapping[str, str] = {
    "openai": "a Python program (pip install openai)",
    "crush": "crush.json, beside the work or in ~/.config/crush",
    "qwen-code": "~/.qwen/settings.json",
    "aider": ".aider.conf.yml, beside the work or in your home",
    "env": 'your shell: eval "$(kubectl qwen config ... --for env)"',
}
"""Where a configuration belongs."""
