"""A log-linear histogram of durations: HdrHistogram's layout at two significant digits over 1 µs to 1 h, sparse.

Values are nanoseconds on the way in and seconds on the way out. Buckets are 1 µs wide up to 256 µs and then double
in width with each power of two, 128 to a power: a value is known to within 1/128 of itself, or half a microsecond.
Merging two histograms adds their counts, so that the sum over workers equals a single process bucket for bucket.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

HALF_COUNT_BITS = 7
SHIFT = HALF_COUNT_BITS + 1
LOWEST_US = 1
HIGHEST_US = 3_600_000_000
HIGHEST_NS = HIGHEST_US * 1000
SIGNIFICANT_DIGITS = 2
#: The largest relative error of a percentile that is read from the histogram.
RELATIVE_ERROR = 0.01


def index_of(value_us: int) -> int:
    """Return the index of the bucket that holds ``value_us``."""
    power = value_us.bit_length() - SHIFT
    if power <= 0:
        return value_us
    return (power << HALF_COUNT_BITS) + (value_us >> power)


def bounds_us(index: int) -> tuple[int, int]:
    """Return the lowest value of bucket ``index`` and the first value above it."""
    power = (index >> HALF_COUNT_BITS) - 1
    if power <= 0:
        return index, index + 1
    low = (index - (power << HALF_COUNT_BITS)) << power
    return low, low + (1 << power)


#: How many values are counted together: sorted, they cost only as much as the buckets that they fall into.
_BATCH = 2_048


class Histogram:
    """Counts of durations, with their exact sum, minimum and maximum."""

    __slots__ = ("_batch", "_clipped", "_counts", "_max_ns", "_min_ns", "_sum_ns")

    def __init__(self) -> None:
        self._counts: defaultdict[int, int] = defaultdict(int)
        self._sum_ns = 0
        self._min_ns: int | None = None
        self._max_ns: int | None = None
        self._clipped = 0
        self._batch: list[int] = []

    @classmethod
    def of(
        cls, counts: Mapping[int, int], sum_ns: int, min_ns: int | None, max_ns: int | None, clipped: int = 0
    ) -> "Histogram":
        """Make a histogram with these counts by bucket, sum and extremes."""
        histogram = cls()
        histogram._counts.update((index, times) for index, times in counts.items() if times)
        histogram._sum_ns, histogram._min_ns, histogram._max_ns = sum_ns, min_ns, max_ns
        histogram._clipped = clipped
        return histogram

    def record_ns(self, value_ns: int, times: int = 1) -> None:
        """Count ``value_ns`` nanoseconds, ``times`` times. A negative value counts as 0."""
        if times != 1:
            self._add_same(value_ns, times)
            return
        batch = self._batch
        batch.append(value_ns)
        if len(batch) >= _BATCH:
            self._flush()

    def record_all_ns(self, values_ns: Sequence[int]) -> None:
        """Count each of these values once."""
        self._batch.extend(values_ns)
        if len(self._batch) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        """Count the values that were recorded since the last call."""
        if self._batch:
            self._add(self._batch)
            self._batch.clear()

    def _add_same(self, value_ns: int, times: int) -> None:
        value_ns = max(0, value_ns)
        if value_ns > HIGHEST_NS:
            self._clipped += times
        self._counts[index_of(min(value_ns // 1000, HIGHEST_US))] += times
        self._sum_ns += times * value_ns
        if self._min_ns is None or value_ns < self._min_ns:
            self._min_ns = value_ns
        if self._max_ns is None or value_ns > self._max_ns:
            self._max_ns = value_ns

    def _add(self, values_ns: list[int]) -> None:
        values_ns = sorted(values_ns)
        if values_ns[0] < 0:
            values_ns = [max(0, value_ns) for value_ns in values_ns]
        counts, at = self._counts, 0
        clipped = len(values_ns) - bisect_right(values_ns, HIGHEST_NS)
        while at < len(values_ns) - clipped:  # one bucket after the other, since most batches have few
            index = index_of(values_ns[at] // 1000)
            beyond = bisect_left(values_ns, bounds_us(index)[1] * 1000, at, len(values_ns) - clipped)
            counts[index] += beyond - at
            at = beyond
        if clipped:
            counts[index_of(HIGHEST_US)] += clipped
            self._clipped += clipped
        self._sum_ns += sum(values_ns)
        self._min_ns = _either(min, self._min_ns, values_ns[0])
        self._max_ns = _either(max, self._max_ns, values_ns[-1])

    @property
    def counts(self) -> Mapping[int, int]:
        """How many values each bucket holds, by its index."""
        self._flush()
        return self._counts

    @property
    def count(self) -> int:
        """How many values there are."""
        return sum(self._counts.values()) + len(self._batch)

    @property
    def empty(self) -> bool:
        """Whether there are no values."""
        return not (self._batch or self._counts)

    @property
    def sum_ns(self) -> int:
        """The exact sum of the values."""
        self._flush()
        return self._sum_ns

    @property
    def min_ns(self) -> int | None:
        """The exact smallest value; None if empty."""
        self._flush()
        return self._min_ns

    @property
    def max_ns(self) -> int | None:
        """The exact largest value; None if empty."""
        self._flush()
        return self._max_ns

    @property
    def clipped(self) -> int:
        """How many values are above one hour; they are in the last bucket."""
        self._flush()
        return self._clipped

    def merge(self, other: "Histogram") -> None:
        """Add ``other``'s counts to this one."""
        if other.empty:
            return
        self._flush()
        counts = self._counts
        for index, times in other.counts.items():
            counts[index] += times
        self._sum_ns += other.sum_ns
        self._clipped += other.clipped
        self._min_ns = _either(min, self._min_ns, other.min_ns)
        self._max_ns = _either(max, self._max_ns, other.max_ns)

    def swap(self, other: "Histogram") -> None:
        """Exchange the contents of the two."""
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            setattr(self, name, theirs)
            setattr(other, name, mine)

    def minus(self, part: "Histogram") -> "Histogram":
        """Return a new histogram without the values of ``part``, which must all be in this one.

        Minimum and maximum come from the remaining buckets, since the exact extremes may have been in ``part``.
        """
        rest = {index: times - part.counts.get(index, 0) for index, times in self.counts.items()}
        left = [index for index, times in rest.items() if times]
        min_ns = max_ns = None
        if left and self.min_ns is not None and self.max_ns is not None:
            min_ns = max(self.min_ns, bounds_us(min(left))[0] * 1000)
            max_ns = min(self.max_ns, bounds_us(max(left))[1] * 1000)
        return Histogram.of(rest, self.sum_ns - part.sum_ns, min_ns, max_ns, self.clipped - part.clipped)

    def plus(self, other: "Histogram") -> "Histogram":
        """Return a new histogram with the values of both."""
        both = Histogram()
        both.merge(self)
        both.merge(other)
        return both

    @property
    def mean_s(self) -> float | None:
        """The exact arithmetic mean in seconds; None if empty."""
        return self.sum_ns / count / 1e9 if (count := self.count) else None

    @property
    def min_s(self) -> float | None:
        """The exact smallest value in seconds; None if empty."""
        return None if self.min_ns is None else self.min_ns / 1e9

    @property
    def max_s(self) -> float | None:
        """The exact largest value in seconds; None if empty."""
        return None if self.max_ns is None else self.max_ns / 1e9

    def quantile_s(self, q: float, infinite: int = 0) -> float | None:
        """Return the value in seconds at or below which a share ``q`` of all lies (nearest rank); None if empty.

        The values of a bucket count as evenly spread over it, so that a small shift of many values remains visible.
        Of two histograms of equally many values, the one whose values are less or equal, rank by rank, never has the
        larger quantile. ``infinite`` more values count as larger than any other: the result is ``inf`` if the rank is
        among them.
        """
        return next(iter(self.quantiles_s((q,), infinite)))

    def quantiles_s(self, qs: Iterable[float], infinite: int = 0) -> list[float | None]:
        """Return several quantiles in one pass; ``qs`` must ascend. See :meth:`quantile_s`."""
        total = self.count + infinite
        found: list[float | None] = []
        items = iter(sorted(self.counts.items()))
        seen = index = times = 0
        for q in qs:
            if not total:
                found.append(None)
                continue
            rank = max(1, -int(-q * total // 1))
            while seen < rank and (item := next(items, None)):
                index, times = item
                seen += times
            if seen < rank:
                found.append(float("inf"))
            else:
                value_ns = _inside_ns(index, rank - seen + times, times)
                found.append(min(max(value_ns, self.min_ns or 0), self.max_ns or 0) / 1e9)
        return found

    def cumulative(self, bounds_s: Iterable[float]) -> list[int]:
        """Count the values at or below each of ``bounds_s`` (seconds, ascending), exact to the bucket's width."""
        found, seen = [], 0
        items = sorted(self.counts.items())
        position = 0
        for bound_s in bounds_s:
            limit_us = bound_s * 1e6
            while position < len(items) and sum(bounds_us(items[position][0])) / 2 <= limit_us:
                seen += items[position][1]
                position += 1
            found.append(seen)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return a form for msgpack and JSON; :meth:`from_dict` reads it."""
        flat = [number for item in self.counts.items() for number in item]
        extremes = {"min_ns": self.min_ns, "max_ns": self.max_ns}
        return {"counts": flat, "sum_ns": self.sum_ns, **extremes, "clipped": self.clipped}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Histogram":
        """Read the form that :meth:`to_dict` returns."""
        flat = data["counts"]
        counts = dict(zip(flat[::2], flat[1::2], strict=True))
        return cls.of(counts, data["sum_ns"], data["min_ns"], data["max_ns"], data["clipped"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self.to_sorted() == other.to_sorted()

    def __hash__(self) -> int:  # a histogram is mutable
        raise TypeError("unhashable type: 'Histogram'")

    def to_sorted(self) -> tuple[object, ...]:
        """Return everything that makes two histograms equal, in a fixed order."""
        counts = tuple(sorted((k, v) for k, v in self.counts.items() if v))
        return counts, self.count, self.sum_ns, self.min_ns, self.max_ns, self.clipped


def _inside_ns(index: int, position: int, times: int) -> int:
    """Return where the value at ``position`` (from 1) of the ``times`` values of a bucket lies, if they lie evenly.

    In the narrowest buckets all values count as lying in the middle, which is within half a microsecond.
    """
    low_us, high_us = bounds_us(index)
    if high_us - low_us == 1:
        return low_us * 1000 + 500
    return low_us * 1000 + (high_us - low_us) * 1000 * (2 * position - 1) // (2 * times)


def _either(choose: Any, a: int | None, b: int | None) -> int | None:
    if a is None or b is None:
        return b if a is None else a
    chosen: int = choose(a, b)
    return chosen
