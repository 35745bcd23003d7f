"""The history of a run in a bounded number of columns: outcomes, a heat map of chunk intervals, and the generator.

A run may last for days, so a column covers more seconds the longer the run lasts: whenever there are too many columns,
neighbours are added up. Counts stay exact; of the generator's figures the worst remains.
"""

import collections
import math
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache

from streamgauge.stats.histogram import Histogram, bounds_us
from streamgauge.stats.process_stats import Key
from streamgauge.stats.run_stats import OPEN_SECONDS, OTHER
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats

#: A chart shows about this many columns; a longer run has wider ones.
MOST_COLUMNS = 240
#: The heat map's buckets: so many for each power of ten, from the lowest bound to the highest.
_PER_DECADE, _LOWEST_S, _DECADES = 10, 1e-4, 6
#: The bounds of the buckets, in seconds. The first and the last bucket also have what lies beyond.
HEAT_BOUNDS_S = tuple(float(f"{_LOWEST_S * 10 ** (at / _PER_DECADE):.4g}") for at in range(_PER_DECADE * _DECADES + 1))


@cache
def heat_bucket(index: int) -> int:
    """Return the bucket of the heat map in which a histogram's bucket ``index`` has its middle."""
    middle_s = sum(bounds_us(index)) / 2e6
    bucket = math.floor(math.log10(middle_s / _LOWEST_S) * _PER_DECADE) if middle_s else 0
    return min(max(0, bucket), len(HEAT_BOUNDS_S) - 2)


@dataclass(slots=True)
class Column:
    """What happened in ``RunHistory.width_s`` seconds of a run."""

    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    intervals: dict[Key, collections.Counter[int]] = field(default_factory=dict)
    """Chunk intervals by bucket of the heat map, by name."""
    cpu_max: float = 0.0
    """The largest share of a core that one process used in one second."""
    lag: Histogram | None = field(default_factory=Histogram)
    """How late the generator read, while reports of these seconds may come."""
    lag_p99_s: float | None = None
    """The same once no more are expected: the highest p99 that was seen."""

    def add(self, key: Key, intervals: Histogram) -> None:
        """Count the intervals of a name."""
        counts = self.intervals.setdefault(key, collections.Counter())
        for index, times in intervals.counts.items():
            counts[heat_bucket(index)] += times

    def merge(self, other: "Column") -> None:
        """Add the column beside this one."""
        self.outcomes.update(other.outcomes)
        for line, counts in other.intervals.items():
            self.intervals.setdefault(line, collections.Counter()).update(counts)
        self.cpu_max = max(self.cpu_max, other.cpu_max)
        if self.lag is not None and other.lag is not None:
            self.lag.merge(other.lag)
        else:
            self.close(other.worst_lag_s)

    @property
    def worst_lag_s(self) -> float | None:
        """p99 of the generator's lag; None if it read nothing."""
        return self.lag_p99_s if self.lag is None else self.lag.quantile_s(0.99)

    def close(self, other_s: float | None = None) -> None:
        """Keep only the worst lag, of this column or the given one."""
        known = [lag_s for lag_s in (self.worst_lag_s, other_s) if lag_s is not None]
        self.lag, self.lag_p99_s = None, max(known, default=None)

    def folded(self, lines: Container[Key]) -> "Column":
        """Return the column with the names that have no line of their own added up as ``OTHER``."""
        if all(key in lines or key == OTHER for key in self.intervals):
            return self
        found: dict[Key, collections.Counter[int]] = {}
        for key, counts in self.intervals.items():
            found.setdefault(key if key in lines else OTHER, collections.Counter()).update(counts)
        return replace(self, intervals=found)

    def counts(self, line: Key | None = None) -> collections.Counter[int]:
        """Return the intervals by bucket, of one line or of all names."""
        if line is not None:
            return self.intervals.get(line, collections.Counter())
        return sum(self.intervals.values(), collections.Counter())


class RunHistory:
    """The columns of a run so far, over all processes.

    ``lines`` returns the names with counts of their own, those that have a line of the timeline: while reports of a
    second may come, it may still be open which they are, so all its names are counted.
    """

    def __init__(self, lines: Callable[[], Container[Key]] = frozenset) -> None:
        self._lines = lines
        #: How many seconds a column covers.
        self.width_s = 1
        #: By the number of widths since the run began.
        self.columns: dict[int, Column] = {}

    def add(self, part: SecondReport, keyed: Iterable[tuple[Key, StreamStats]]) -> None:
        """Add one second of one process, with its streams under the names of the run."""
        while part.t_s // self.width_s >= MOST_COLUMNS:
            self._widen()
        at = part.t_s // self.width_s
        column = self.columns.get(at)
        if column is None:
            column = self.columns[at] = Column()
            self._close_before(part.t_s - OPEN_SECONDS)
        for key, stats in keyed:
            column.outcomes.update(stats.outcomes)
            if not stats.chunk_interval.empty:
                column.add(key, stats.chunk_interval.all)
        column.cpu_max = max(column.cpu_max, min(1.0, part.cpu))
        if column.lag is not None:
            column.lag.merge(part.lag)
        elif part.lag.count:
            column.close(part.lag.quantile_s(0.99))

    def since(self, t_s: int) -> Iterator[tuple[int, Column]]:
        """Yield the columns that end after ``t_s``, each with the second at which it begins."""
        lines = self._lines()
        for at in sorted(self.columns):
            if (at + 1) * self.width_s > t_s:
                yield at * self.width_s, self.columns[at].folded(lines)

    def _widen(self) -> None:
        self.width_s *= 2
        narrow, self.columns = self.columns, {}
        for at, column in sorted(narrow.items()):
            known = self.columns.setdefault(at // 2, column)
            if known is not column:
                known.merge(column)

    def _close_before(self, t_s: int) -> None:
        lines = self._lines()
        for at, column in self.columns.items():
            if column.lag is not None and (at + 1) * self.width_s <= t_s:
                column.intervals = column.folded(lines).intervals
                column.close()
