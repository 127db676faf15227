"""docs/metrics.md: every series of server and operator, from where they are declared. Holds headings, no facts."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from hack.generate import exposition
from hack.generate.markdown import code, table
from qwen_operator.core import names
from qwen_operator.series import OWN as OF_THE_OPERATOR
from qwen_operator.series import Series as OperatorSeries
from qwen_server.metrics import OWN, Series

OF_VLLM = Path(__file__).with_name("vllm_series.json")
"""What a running engine showed; tests/server_engine holds a running one against it."""

MANY = 10
HEAD = f"""\
# Metrics

Generated from the sources by `make generate`; never edit it by hand. A histogram has `_bucket`, `_sum` and `_count`
behind its name. The library adds a gauge `…_created` to each counter and histogram: when it began.

# The server

Every replica shows them at `/metrics` on the management port ({names.MANAGEMENT_PORT}), which asks for no key
and is in no Service. No series holds a prompt, a completion, a key or an address.
"""
OPERATOR = """
# The operator

It shows them at `/metrics` on port 8080 of its pod, beside `/livez` and `/readyz`, with the series of its process as
above. No series names a model or a namespace. `/livez` fails when the event loop is late, when a watch is silent for
too long, when nobody watches QwenModels, or when a model waits for ever; it says which.

"""


def document() -> str:
    """Return the page."""
    snapshot = json.loads(OF_VLLM.read_text())
    of_vllm = f"As vLLM {snapshot['vllm']} shows them once the model is loaded, under its own names.\n\n"
    sections = [
        ("The server's own", _table(_own(each) for each in OWN)),
        (
            "The process that speaks HTTP",
            "The engine's processes are its children.\n\n" + _table(exposition.series(_process(), "process_")),
        ),
        ("vLLM's own", of_vllm + _table(snapshot["series"])),
    ]
    server = "".join(f"\n## {title}\n\n{text}" for title, text in sections)
    return HEAD + server + OPERATOR + _table(_own(each) for each in OF_THE_OPERATOR)


def _own(each: Series | OperatorSeries) -> dict[str, Any]:
    kind = each.kind.__name__.lower()
    name = f"{each.name}_total" if kind == "counter" else each.name
    return {"name": name, "type": kind, "labels": each.labels, "help": each.help}


def _process() -> str:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return generate_latest(registry).decode()


def _table(found: Iterable[dict[str, Any]]) -> str:
    rows = [
        (code(each["name"]), each["type"], _unit(each["name"]), _labels(each["labels"]), each["help"]) for each in found
    ]
    return table(("series", "type", "unit", "labels", "meaning"), rows)


def _labels(found: Sequence[str]) -> str:
    """Return the labels' names; those of vLLM's configuration are too many to read."""
    return ", ".join(map(code, found)) if len(found) < MANY else f"{len(found)} settings"


def _unit(name: str) -> str:
    """Return the unit that a name ends with, as Prometheus wants it."""
    words = name.removesuffix("_total").split("_")
    return next((unit for unit in ("seconds", "bytes", "tokens") if unit in words[-2:]), "")
