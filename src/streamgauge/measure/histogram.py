"""A log-linear histogram of durations: HdrHistogram's layout at two significant digits over 1 µs to 1 h, sparse.

Values are nanoseconds on the way in and seconds on the way out. Buckets are 1 µs wide up to 256 µs and then double
in width with each power of two, 128 to a power: a value is known to within 1/128 of itself, or half a microsecond.
Merging two histograms adds their counts, so that the sum over workers equals a single process bucket for bucket.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

HALF_COUNT_BITS = 7
SHIFT = HALF_COUNT_BITS + 1
LOWEST_US = 1
HIGHEST_US = 3_600_000_000
SIGNIFICANT_DIGITS = 2
#: A percentile read from the histogram is at most this much above or below the true one, relative.
RELATIVE_ERROR = 0.01


def index_of(value_us: int) -> int:
    """The bucket that holds ``value_us``."""
    power = value_us.bit_length() - SHIFT
    if power <= 0:
        return value_us
    return (power << HALF_COUNT_BITS) + (value_us >> power)


def bounds_us(index: int) -> tuple[int, int]:
    """The lowest value of bucket ``index`` and the first one above it."""
    power = (index >> HALF_COUNT_BITS) - 1
    if power <= 0:
        return index, index + 1
    low = (index - (power << HALF_COUNT_BITS)) << power
    return low, low + (1 << power)


class Histogram:
    """Counts of durations, with their exact sum, minimum and maximum."""

    __slots__ = ("clipped", "count", "counts", "max_ns", "min_ns", "sum_ns")

    def __init__(self) -> None:
        self.counts: defaultdict[int, int] = defaultdict(int)
        self.count = 0
        self.sum_ns = 0
        self.min_ns: int | None = None
        self.max_ns: int | None = None
        #: Values above one hour, counted in the last bucket.
        self.clipped = 0

    def record_ns(self, value_ns: int, times: int = 1) -> None:
        """Count ``value_ns`` nanoseconds, ``times`` times. A negative value counts as 0."""
        if value_ns < 0:
            value_ns = 0
        value_us = value_ns // 1000
        if value_us > HIGHEST_US:
            value_us = HIGHEST_US
            self.clipped += times
        power = value_us.bit_length() - SHIFT
        if power > 0:
            value_us = (power << HALF_COUNT_BITS) + (value_us >> power)
        self.counts[value_us] += times
        self.count += times
        self.sum_ns += value_ns * times
        if self.max_ns is None or value_ns > self.max_ns:
            self.max_ns = value_ns
        if self.min_ns is None or value_ns < self.min_ns:
            self.min_ns = value_ns

    def merge(self, other: "Histogram") -> None:
        """Add ``other``'s counts to this one."""
        counts = self.counts
        for index, times in other.counts.items():
            counts[index] += times
        self.count += other.count
        self.sum_ns += other.sum_ns
        self.clipped += other.clipped
        self.min_ns = _either(min, self.min_ns, other.min_ns)
        self.max_ns = _either(max, self.max_ns, other.max_ns)

    def swap(self, other: "Histogram") -> None:
        """Exchange the contents of the two."""
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            setattr(self, name, theirs)
            setattr(other, name, mine)

    def minus(self, part: "Histogram") -> "Histogram":
        """A new histogram without the values of ``part``, which must all be in this one.

        Minimum and maximum are those of the buckets that remain, since the exact ones may have left.
        """
        rest = Histogram()
        for index, times in self.counts.items():
            if remaining := times - part.counts.get(index, 0):
                rest.counts[index] = remaining
        rest.count = self.count - part.count
        rest.sum_ns = self.sum_ns - part.sum_ns
        rest.clipped = self.clipped - part.clipped
        if rest.counts and self.min_ns is not None and self.max_ns is not None:
            rest.min_ns = max(self.min_ns, bounds_us(min(rest.counts))[0] * 1000)
            rest.max_ns = min(self.max_ns, bounds_us(max(rest.counts))[1] * 1000)
        return rest

    @property
    def mean_s(self) -> float | None:
        """Arithmetic mean in seconds, exact; None when empty."""
        return self.sum_ns / self.count / 1e9 if self.count else None

    @property
    def min_s(self) -> float | None:
        """Smallest value in seconds, exact; None when empty."""
        return None if self.min_ns is None else self.min_ns / 1e9

    @property
    def max_s(self) -> float | None:
        """Largest value in seconds, exact; None when empty."""
        return None if self.max_ns is None else self.max_ns / 1e9

    def quantile_s(self, q: float, infinite: int = 0) -> float | None:
        """The value in seconds at or below which a share ``q`` of all lies (nearest rank); None when empty.

        ``infinite`` further values count as larger than any: the result is ``inf`` where the rank falls among them.
        """
        return next(iter(self.quantiles_s((q,), infinite)))

    def quantiles_s(self, qs: Iterable[float], infinite: int = 0) -> list[float | None]:
        """Several quantiles in one pass, ``qs`` ascending. See :meth:`quantile_s`."""
        total = self.count + infinite
        found: list[float | None] = []
        items = iter(sorted(self.counts.items()))
        seen, middle_ns = 0, 0.0
        for q in qs:
            if not total:
                found.append(None)
                continue
            rank = max(1, -int(-q * total // 1))
            while seen < rank and (item := next(items, None)):
                low_us, high_us = bounds_us(item[0])
                middle_ns = (low_us + high_us) * 500
                seen += item[1]
            if seen < rank:
                found.append(float("inf"))
            else:
                found.append(min(max(middle_ns, self.min_ns or 0), self.max_ns or 0) / 1e9)
        return found

    def cumulative(self, bounds_s: Iterable[float]) -> list[int]:
        """How many values lie at or below each of ``bounds_s`` (seconds, ascending), to the bucket's width."""
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
        """A form that msgpack and JSON carry; :meth:`from_dict` reads it."""
        flat: list[int] = []
        for item in self.counts.items():
            flat.extend(item)
        return {
            "counts": flat,
            "count": self.count,
            "sum_ns": self.sum_ns,
            "min_ns": self.min_ns,
            "max_ns": self.max_ns,
            "clipped": self.clipped,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Histogram":
        """What :meth:`to_dict` wrote."""
        histogram = cls()
        flat = data["counts"]
        histogram.counts.update(zip(flat[::2], flat[1::2], strict=True))
        histogram.count = data["count"]
        histogram.sum_ns = data["sum_ns"]
        histogram.min_ns = data["min_ns"]
        histogram.max_ns = data["max_ns"]
        histogram.clipped = data["clipped"]
        return histogram

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self.to_sorted() == other.to_sorted()

    def __hash__(self) -> int:  # a histogram is mutable
        raise TypeError("unhashable type: 'Histogram'")

    def to_sorted(self) -> tuple[object, ...]:
        """Everything that two equal histograms have in common."""
        counts = tuple(sorted((k, v) for k, v in self.counts.items() if v))
        return counts, self.count, self.sum_ns, self.min_ns, self.max_ns, self.clipped


def _either(choose: Any, a: int | None, b: int | None) -> int | None:
    if a is None or b is None:
        return b if a is None else a
    chosen: int = choose(a, b)
    return chosen
