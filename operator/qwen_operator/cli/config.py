"""`kubectl qwen config`: a ready client configuration for one model.

Why it exists: whoever has a model wants to call it. It must never print a key.
"""

import argparse
import sys
from typing import Any

from qwen_operator.cli import access, configurations, endings, models, values, where
from qwen_operator.cli.access import Access
from qwen_operator.cli.configurations import CLIENTS, FILES, Called
from qwen_operator.core import names, question
from qwen_operator.core.resource import QwenModel
from qwen_operator.core.serving import key_secret, served_name


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser = where.verb(
        verbs,
        "config",
        "a ready configuration for a client",
        "Print a client's configuration. Address and key come from the environment that --for env prints.",
        endings.listed(endings.DONE),
    )
    parser.set_defaults(verb=run)
    where.add_model(parser)
    parser.add_argument("--for", dest="client", choices=tuple(CLIENTS), default="env", help="default: env")
    parser.add_argument(
        "--url",
        default=values.base_url(names.API_PORT),
        help="base URL; default: %(default)s, where kubectl qwen proxy listens",
    )
    parser.add_argument(
        "--key", metavar="KEY", default=names.GENERATED_KEY, help="name of the key; default: %(default)s"
    )


def run(options: argparse.Namespace) -> int:
    """Print it; returns the exit status."""

    async def work(cluster: Access) -> int:
        model = await models.parsed(cluster, options.name)
        sys.stdout.write(CLIENTS[options.client](called(model, options.url, options.key)))
        print(f"This belongs into {FILES[options.client]}.", file=sys.stderr)
        return endings.YES

    return access.carried_out(options, work)


def called(model: QwenModel, url: str, key: str) -> configurations.Called:
    """How a model is called."""
    return Called(
        url=url,
        model_id=served_name(model),
        context=model.spec.model.context_length or question.LONGEST_CONTEXT,
        secret=key_secret(model),
        namespace=model.metadata.namespace,
        key=key,
    )
