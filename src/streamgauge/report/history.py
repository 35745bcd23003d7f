"""Defines the part of ``result.json`` that says how a run went, in a bounded number of columns."""

from typing import TypedDict


class NamedIntervals(TypedDict):
    """The chunk intervals of one name and protocol in one column, or of all other names: ``other``, no protocol."""

    name: str
    protocol: str
    counts: list[tuple[int, int]]
    """Each bucket that is not empty, by its position in ``History.interval_bounds``, with its count."""


class HistoryColumn(TypedDict):
    """``History.width_s`` seconds of the run."""

    t_s: int
    outcomes: dict[str, int]
    intervals: list[NamedIntervals]
    lag_p99: float | None
    """How late the generator read, at p99; of several seconds the highest. None if it read nothing."""
    cpu_max: float


class History(TypedDict):
    """The run in a bounded number of columns, however long it lasted; its counts are exact."""

    width_s: int
    interval_bounds: list[float]
    """The bounds of the buckets, one more than there are buckets; the outermost also have what lies beyond."""
    columns: list[HistoryColumn]
