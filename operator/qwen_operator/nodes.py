"""The labels of the nodes with GPUs, looked up from time to time.

Why it exists: how much memory a GPU has is written there. Whether the operator may list nodes, which are nobody's
namespace, is up to who installs it, so this is asked for only where it is switched on. It must never keep more of a
node than its labels, and nothing waits for it longer than one answer.
"""

import asyncio
import logging
from collections.abc import Callable

from qwen_operator.cluster import Cluster
from qwen_operator.core import kinds
from qwen_operator.core.fit import nodes
from qwen_operator.refusals import Forbidden, Refusal

PERIOD = 600.0
"""Seconds between two looks: nodes with GPUs come and go slowly."""

log = logging.getLogger(__name__)


class Nodes:
    """The looks.

    :param found: told of the labels at each look.
    """

    def __init__(self, cluster: Cluster, found: Callable[[tuple[nodes.Labels, ...]], None]) -> None:
        self._cluster = cluster
        self._found = found
        self.asked = asyncio.Event()
        """Set once there was an answer, a refusal included."""

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(PERIOD)

    async def look(self) -> None:
        """Look once; what was known stays known if there is no answer."""
        try:
            found = [
                item["metadata"].get("labels") or {}
                async for page in self._cluster.pages(kinds.NODE, None, selector=nodes.PRODUCT)
                for item in page.items
            ]
        except Forbidden as refusal:
            log.warning("the memory of GPUs is not read from nodes: %s", refusal)
        except Refusal as refusal:
            log.warning("nodes can't be listed, and are asked for again later: %s", refusal)
        else:
            self._found(tuple(found))
        finally:
            self.asked.set()
