"""The slowest streams of one name: by the wait for their first chunk, and by their longest chunk interval.

A percentile says how slow the slowest were; these say which, when, and how they ended.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from streamgauge.stats.record import StreamRecord

#: How many streams are kept by either measure.
MOST_SLOW = 5
#: Of a stream whose second is not known yet.
_UNPLACED = -1


class SlowStream(NamedTuple):
    """One slow stream. Tuples compare by the measure first, which is the same in all that are compared."""

    value_s: float
    """The measure: its time to first chunk, or its longest chunk interval."""
    t_s: int
    """The second of the run in which it ended."""
    time_to_first_chunk_s: float | None
    max_chunk_interval_s: float | None
    duration_s: float
    chunks: int
    outcome: str


class Slowest:
    """The slowest streams by both measures, the slowest first. Merging keeps the slowest of all."""

    __slots__ = ("chunk_interval", "time_to_first_chunk")

    def __init__(self) -> None:
        self.time_to_first_chunk: list[SlowStream] = []
        self.chunk_interval: list[SlowStream] = []

    def count(self, record: StreamRecord) -> None:
        """Keep a stream that ended, if it is one of the slowest."""
        for known, value_s in (
            (self.time_to_first_chunk, record.time_to_first_chunk_s),
            (self.chunk_interval, record.max_chunk_interval_s),
        ):
            if value_s is not None and (len(known) < MOST_SLOW or value_s > known[-1].value_s):
                _keep(known, [_slow(value_s, record)])

    def place(self, t_s: int) -> None:
        """Say in which second of the run these streams ended."""
        for known in (self.time_to_first_chunk, self.chunk_interval):
            known[:] = [each._replace(t_s=t_s) for each in known]

    def merge(self, other: "Slowest") -> None:
        """Keep the slowest of both."""
        _keep(self.time_to_first_chunk, other.time_to_first_chunk)
        _keep(self.chunk_interval, other.chunk_interval)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slowest) and self.to_list() == other.to_list()

    def __hash__(self) -> int:  # it changes
        raise TypeError("unhashable type: 'Slowest'")

    def __bool__(self) -> bool:
        return bool(self.time_to_first_chunk or self.chunk_interval)

    def to_list(self) -> list[list[list[Any]]]:
        """Return a form for msgpack and JSON; :meth:`from_list` reads it."""
        return [[list(each) for each in known] for known in (self.time_to_first_chunk, self.chunk_interval)]

    @classmethod
    def from_list(cls, data: Sequence[Sequence[Sequence[Any]]]) -> "Slowest":
        """Read the form that :meth:`to_list` returns."""
        slowest = cls()
        slowest.time_to_first_chunk, slowest.chunk_interval = ([SlowStream(*each) for each in known] for known in data)
        return slowest


def _slow(value_s: float, record: StreamRecord) -> SlowStream:
    return SlowStream(
        value_s,
        _UNPLACED,
        record.time_to_first_chunk_s,
        record.max_chunk_interval_s,
        record.duration_s,
        record.chunks,
        str(record.outcome),
    )


def _keep(known: list[SlowStream], more: Iterable[SlowStream]) -> None:
    known.extend(more)
    known.sort(key=_rank)
    del known[MOST_SLOW:]


def _rank(slow: SlowStream) -> tuple[float, ...]:
    """Return the order, in which no two different streams are equal: the slowest first."""
    return -slow.value_s, *(-1.0 if part is None else float(part) for part in slow[1:-1])
