"""`kubectl qwen proxy`: a model on this machine's localhost, through restarts.

Why it exists: a port-forward that ends with its pod is typed anew after every restart. It must never end by itself.
"""

import argparse
import asyncio
import sys
from typing import Any

from qwen_operator.cli import access, endings, models, values, where
from qwen_operator.cli.access import Access
from qwen_operator.core import names


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser = where.verb(
        verbs,
        "proxy",
        "a model on this machine's localhost, through restarts",
        "Bring a model to a port of this machine until Ctrl-C. Each connection finds a replica anew; while there is\n"
        "none, clients are answered 503 with Retry-After.",
        endings.listed(endings.DONE),
    )
    parser.set_defaults(verb=run)
    where.add_model(parser)
    parser.add_argument(
        "--port",
        metavar="N",
        type=values.number(0, 65535),
        default=names.API_PORT,
        help="of this machine; 0 takes a free one; default: %(default)s",
    )


def run(options: argparse.Namespace) -> int:
    """Listen until interrupted."""

    async def work(cluster: Access) -> int:
        from qwen_operator.cli.tunnel import Tunnel

        model = await models.parsed(cluster, options.name)
        tunnel = Tunnel(cluster, model.metadata.name, lambda sentence: print(sentence, file=sys.stderr))
        async with tunnel.listening(options.port) as port:
            print(values.base_url(port), flush=True)
            await asyncio.Event().wait()
        return endings.YES

    return access.carried_out(options, work)
