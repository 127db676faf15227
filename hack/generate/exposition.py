"""What a scrape shows, as a list of series. Never looks at a value."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

OF_BUCKETS = {"le", "quantile"}
"""Labels that belong to the format of a histogram or summary."""
CREATED = "_created"
"""When a counter began; the library adds it to each."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One series: a counter's name has `_total` behind it, as it is queried."""

    name: str
    type: str
    labels: list[str]
    help: str


def series(text: str, prefix: str) -> list[dict[str, Any]]:
    """Return every series whose name begins so, in the order of their names, as JSON has it."""
    return [asdict(shown) for shown in sorted(_series(text, prefix), key=lambda each: each.name)]


def _series(text: str, prefix: str) -> Iterator[Shown]:
    for family in text_string_to_metric_families(text):
        if family.name.startswith(prefix) and not family.name.endswith(CREATED):
            labels = {label for sample in family.samples for label in sample.labels} - OF_BUCKETS
            name = f"{family.name}_total" if family.type == "counter" else family.name
            yield Shown(name=name, type=family.type, labels=sorted(labels), help=family.documentation)
