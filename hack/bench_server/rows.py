"""What the server is held against, and how a row is judged: medians of paired runs, their spread, a limit. Pure."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """A server under test."""

    VLLM = "vLLM"
    VLLM_PARSERS = "vLLM, parsers on"
    RUST = "vLLM's Rust front end"
    OURS = "ours"
    OURS_ALONE = "ours, one token a chunk"
    OURS_PARSERS = "ours, parsers on"


class What(StrEnum):
    """A figure of one run."""

    CPU = "µs of CPU a token"
    FIRST_P50 = "ms to the first token, p50"
    FIRST_P99 = "ms to the first token, p99"
    CHUNKS = "chunks a token"
    RATE = "tokens a second"
    LIVEZ = "ms of the slowest /livez"
    READY = "s from process start to ready"
    READY_CPU = "s of CPU from process start to ready"


@dataclass(frozen=True)
class Figure:
    """What was measured, on whom, under what load."""

    case: str
    side: Side
    what: What


Measured = Mapping[Figure, Sequence[float]]
"""The runs of each figure, in the order in which all sides took their turns."""


@dataclass(frozen=True)
class Row:
    """One requirement: a figure of ours, alone or as a part of another side's, and its limit."""

    words: str
    case: str
    what: What
    ours: Side
    limit: float
    theirs: Side | None = None
    at_least: bool = False


def spread(values: Sequence[float]) -> str:
    """A median with the lowest and the highest."""
    return f"{shown(statistics.median(values))} ({shown(min(values))} to {shown(max(values))})"


def shown(value: float) -> str:
    """A number with three digits."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


@dataclass(frozen=True)
class Judged:
    """A row with its runs. Without runs there is a reason instead of a verdict."""

    row: Row
    ours: Sequence[float] = ()
    theirs: Sequence[float] = ()
    missing: str = ""

    @property
    def values(self) -> list[float]:
        """What the limit is for: each run's figure, or each pair's ratio."""
        if self.row.theirs is None:
            return list(self.ours)
        return [mine / other for mine, other in zip(self.ours, self.theirs, strict=True)]

    @property
    def value(self) -> float:
        """The median over all runs."""
        return statistics.median(self.values)

    @property
    def verdict(self) -> str:
        """PASS, MISSED, or not measured."""
        if self.missing:
            return "not measured"
        good = self.value >= self.row.limit if self.row.at_least else self.value <= self.row.limit
        return "PASS" if good else "MISSED"


def judged(rows: Sequence[Row], measured: Measured, missing: Mapping[Side, str]) -> list[Judged]:
    """Every row with what was measured for it."""
    return [judgement(row, measured, missing) for row in rows]


def judgement(row: Row, measured: Measured, missing: Mapping[Side, str]) -> Judged:
    """One row. A side that could not be had is said, not guessed."""
    why = missing.get(row.theirs, "") if row.theirs else ""
    ours = measured.get(Figure(row.case, row.ours, row.what), ())
    theirs = measured.get(Figure(row.case, row.theirs, row.what), ()) if row.theirs else ()
    if why or not ours or (row.theirs and not theirs):
        return Judged(row, missing=why or "this run left it out")
    return Judged(row, ours, theirs)


FEW, SOME, MANY, WHOLE, LONG, START = "8 streams", "32 streams", "128 streams", "whole replies", "long prompt", "start"

ROWS = (
    Row("CPU a streamed token, 32 streams", SOME, What.CPU, Side.OURS, 0.6, Side.VLLM),
    Row("the same, parsers on in both", SOME, What.CPU, Side.OURS_PARSERS, 0.5, Side.VLLM_PARSERS),
    Row("128 streams, one token a chunk", MANY, What.CPU, Side.OURS_ALONE, 0.6, Side.VLLM),
    Row("128 streams, as served", MANY, What.CPU, Side.OURS, 0.35, Side.VLLM),
    Row("the same against the Rust front end", MANY, What.CPU, Side.OURS, 1.0, Side.RUST),
    Row("chunks a token, 8 streams", FEW, What.CHUNKS, Side.OURS, 0.99, at_least=True),
    Row("time to first token, 128 streams, p50", MANY, What.FIRST_P50, Side.OURS, 0.5, Side.VLLM),
    Row("the same, p99", MANY, What.FIRST_P99, Side.OURS, 0.5, Side.VLLM),
    Row("CPU of a whole reply, a token", WHOLE, What.CPU, Side.OURS, 1.0, Side.VLLM),
    Row("slowest /livez during a 135,000-token prompt, ms", LONG, What.LIVEZ, Side.OURS, 50.0),
    Row("process start → ready", START, What.READY, Side.OURS, 0.4, Side.VLLM),
)
"""What `make bench-server` measures."""
