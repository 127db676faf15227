"""What the operator is held to, read from `limits.yaml`, and how a measurement is judged by it."""

from collections.abc import Mapping
from enum import Enum, auto
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
import yaml

PATH = Path(__file__).with_name("limits.yaml")


class What(Enum):
    """A figure."""

    CROWD_SECONDS = auto()
    CROWD_CPU = auto()
    CROWD_WRITES = auto()
    CROWD_READS = auto()
    REST_CALLS = auto()
    REST_WRITES = auto()
    RESTART_WRITES = auto()
    RESTART_READS = auto()
    MORE_P50 = auto()
    MORE_P99 = auto()
    FIRST_SECONDS = auto()
    RESTART_SECONDS = auto()
    LOOKED_SECONDS = auto()
    EMPTY_MEMORY = auto()
    CROWD_MEMORY = auto()
    MODEL_MEMORY = auto()
    GROWTH_SECONDS = auto()
    GROWTH_CPU = auto()
    BURST_RECONCILES = auto()
    BURST_STATUSES = auto()
    FAILING_P99 = auto()
    FAILING_TRIES = auto()
    FAILING_WRITES = auto()
    REST_CPU = auto()
    IN_FLIGHT = auto()
    STATUS_SECONDS = auto()


Figures = dict[What, float]
"""What was measured with one number of models."""
Verdict = Literal["PASS", "MISSED", ""]
"""Empty where there is no limit for this number of models."""


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of the file."""

    figure: str
    goal: str
    words: str
    unit: str
    most: float | dict[int, float]
    commit: float | None = None

    @property
    def what(self) -> What:
        """The figure that it is about."""
        return What[self.figure]

    def at(self, models: int) -> float | None:
        """The limit with so many models, or None."""
        return self.most.get(models) if isinstance(self.most, dict) else self.most

    def verdict(self, value: float, models: int) -> Verdict:
        """A value at the limit is within it."""
        most = self.at(models)
        return "" if most is None else "PASS" if value <= most else "MISSED"


@cache
def limits() -> tuple[Limit, ...]:
    """All of them, in the file's order."""
    entries = yaml.safe_load(PATH.read_text())
    return tuple(msgspec.convert(entries, list[Limit], strict=False))


def is_judged(what: What, models: int) -> bool:
    """Whether there is a limit with so many models."""
    return any(limit.what is what and limit.at(models) is not None for limit in limits())


def grown(found: Mapping[int, Figures]) -> dict[int, Figures]:
    """With growth: how many times what 1,000 models take 5,000 do, where both were measured."""
    if not {1000, 5000} <= found.keys():
        return dict(found)
    few, many = found[1000], found[5000]
    growth = {
        What.GROWTH_SECONDS: many[What.CROWD_SECONDS] / few[What.CROWD_SECONDS],
        What.GROWTH_CPU: 5 * many[What.CROWD_CPU] / few[What.CROWD_CPU],
    }
    return {**found, 5000: {**many, **growth}}


def missed(found: Mapping[int, Figures]) -> list[str]:
    """Every limit that does not hold, in words."""
    return [
        f"{limit.words}, {models} models: {figures[limit.what]:.3g} {limit.unit}".rstrip()
        for limit in limits()
        for models, figures in found.items()
        if limit.what in figures and limit.verdict(figures[limit.what], models) == "MISSED"
    ]


def broken_by_a_commit(figures: Figures) -> list[str]:
    """Every limit of a commit that does not hold, or was not measured, in words."""
    return [
        f"{limit.words}: {figures.get(limit.what)} {limit.unit}".rstrip()
        for limit in limits()
        if limit.commit is not None and not figures.get(limit.what, float("inf")) <= limit.commit
    ]
