"""Bounded times: values, some of them known only as a range, with the least and the most of each uncertain one."""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from streamgauge.stats.histogram import HIGHEST_NS, Histogram, bounds_us

#: Longer times count as this. It keeps sums within 64 bits even for absurd stamps of a server.
LONGEST_NS = HIGHEST_NS + 1


class _Part:
    """A histogram that is made when it is first used, since most times are exactly known."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._slot = f"_{name}"

    def __get__(self, times: object, owner: type) -> Histogram:
        found: Histogram | None = getattr(times, self._slot)
        if found is None:
            found = Histogram()
            setattr(times, self._slot, found)
        return found

    def __set__(self, times: object, histogram: Histogram) -> None:
        setattr(times, self._slot, histogram)


class BoundedTimes:
    """Histograms of times, some of which are known only as a range.

    ``all`` holds every time, an uncertain one as its estimate. ``uncertain`` holds these estimates again; ``least`` and
    ``most`` hold the least and the most that each of them can be.
    """

    __slots__ = ("_least", "_most", "_uncertain", "all")
    PARTS = ("all", "uncertain", "least", "most")
    uncertain, least, most = _Part(), _Part(), _Part()

    def __init__(self) -> None:
        self.all = Histogram()
        self._uncertain: Histogram | None = None
        self._least: Histogram | None = None
        self._most: Histogram | None = None

    def record_ns(self, value_ns: int, times: int = 1) -> None:
        """Count a time that is exactly known. Code that runs for each chunk calls ``all.record_ns`` instead."""
        self.all.record_ns(value_ns, times)

    def record_between_ns(self, value_ns: int, least_ns: int, most_ns: int, times: int = 1) -> None:
        """Count a time that lies between ``least_ns`` and ``most_ns``, estimated as ``value_ns``."""
        uncertain, least, most = self._uncertain, self._least, self._most
        if uncertain is None or least is None or most is None:
            uncertain, least, most = self.uncertain, self.least, self.most
        self.all.record_ns(value_ns, times)
        uncertain.record_ns(value_ns, times)
        least.record_ns(least_ns, times)
        most.record_ns(most_ns, times)

    def record_s(self, value_s: float, range_s: tuple[float, float] | None) -> None:
        """Count a time of a record, in seconds; ``range_s`` is its least and its most, None if it is exactly known."""
        value_ns = round(value_s * 1e9)
        if range_s is None:
            self.record_ns(value_ns)
        else:
            self.record_between_ns(value_ns, round(range_s[0] * 1e9), round(range_s[1] * 1e9))

    @property
    def empty(self) -> bool:
        """Whether nothing was counted."""
        return next(self.filled_parts(), None) is None

    def filled_parts(self) -> Iterator[tuple[str, Histogram]]:
        """Yield the parts that are not empty, by name."""
        every = (self.all, self._uncertain, self._least, self._most)
        for name, part in zip(BoundedTimes.PARTS, every, strict=True):
            if part is not None and not part.empty:
                yield name, part

    @property
    def some_uncertain(self) -> bool:
        """Whether any time is known only as a range."""
        return self._uncertain is not None and not self._uncertain.empty

    @property
    def values(self) -> Histogram:
        """The times that results are made from."""
        return self.all

    def bounds(self) -> tuple[Histogram, Histogram]:
        """Return ``values`` with each uncertain time at its least, and at its most.

        No statistic of ``values`` (mean, extremes, quantiles) is below that of the first or above that of the second.
        """
        certain = self.all.minus(self.uncertain)
        least, most = certain.plus(self.least), certain.plus(self.most)
        return _limited(least, self.all, min), _limited(most, self.all, max)

    def merge(self, other: "BoundedTimes") -> None:
        """Add the times of ``other``."""
        for name, part in other.filled_parts():
            getattr(self, name).merge(part)

    def minus(self, part: "BoundedTimes") -> "BoundedTimes":
        """Return new times without those of ``part``, which must all be in this one."""
        rest = BoundedTimes()
        for name, whole in self.filled_parts():
            setattr(rest, name, whole.minus(getattr(part, name)))
        return rest

    def shifted(self, shift_ns: float) -> "BoundedTimes":
        """Return new times, each longer by ``shift_ns``."""
        result = BoundedTimes()
        for name, part in self.filled_parts():
            setattr(result, name, shifted(part, shift_ns))
        return result

    def to_dict(self) -> dict[str, Any]:
        """Return a form for msgpack and JSON, without empty parts; :meth:`from_dict` reads it."""
        return {name: part.to_dict() for name, part in self.filled_parts()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read the form that :meth:`to_dict` returns."""
        times = cls()
        for part in cls.PARTS:
            if part in data:
                setattr(times, part, Histogram.from_dict(data[part]))
        return times


class FirstChunkTimes(BoundedTimes):
    """Times to the first chunk. ``failed`` holds those of streams that failed later again; results leave them out.

    A part of a run has the first chunk of some streams, and the failure of others. In one second's times, ``earlier``
    holds those of ``failed`` again whose first chunk came earlier, by how many seconds. It does not merge: whoever
    adds up a part takes it into account first (``RunPart``).
    """

    __slots__ = ("_earlier", "_failed")

    def __init__(self) -> None:
        super().__init__()
        self._failed: BoundedTimes | None = None
        self._earlier: dict[int, BoundedTimes] | None = None

    def record_failed_s(self, value_s: float, range_s: tuple[float, float] | None, ago_s: float) -> None:
        """Count the time of a stream that failed now, ``ago_s`` after its first chunk; half a second counts as one."""
        self.failed.record_s(value_s, range_s)
        if seconds := int(ago_s + 0.5):
            if self._earlier is None:
                self._earlier = {}
            self._earlier.setdefault(seconds, BoundedTimes()).record_s(value_s, range_s)

    @property
    def earlier(self) -> Mapping[int, BoundedTimes]:
        """The failed streams' times whose first chunk came in an earlier second, by how many seconds earlier."""
        return self._earlier or {}

    @earlier.setter
    def earlier(self, times: dict[int, BoundedTimes]) -> None:
        self._earlier = times

    def limit_failed(self) -> None:
        """Drop what is in ``failed`` and not in these times.

        The seconds of ``earlier`` are rounded, so at the beginning of a part of a run a stream may be in one alone.
        """
        for name, part in list(self.failed.filled_parts()) if self.some_failed else []:
            setattr(self.failed, name, _common(part, getattr(self, name)))

    @property
    def failed(self) -> BoundedTimes:
        """The times of streams that failed; made when first used, since most streams do not fail."""
        if self._failed is None:
            self._failed = BoundedTimes()
        return self._failed

    @failed.setter
    def failed(self, times: BoundedTimes) -> None:
        self._failed = times

    @property
    def some_failed(self) -> bool:
        """Whether any stream failed after its first chunk."""
        return self._failed is not None and not self._failed.empty

    @property
    def empty(self) -> bool:
        """Whether nothing was counted. A stream may fail long after its first chunk was counted and reported."""
        return not self.some_failed and super().empty

    @property
    def values(self) -> Histogram:
        """The times of streams that did not fail."""
        return self.all.minus(self.failed.all) if self.some_failed else self.all

    def bounds(self) -> tuple[Histogram, Histogram]:
        """Return ``values`` with each uncertain time at its least, and at its most."""
        return self.minus(self.failed).bounds() if self.some_failed else super().bounds()

    def merge(self, other: BoundedTimes) -> None:
        """Add the times of ``other``, also those of failed streams."""
        super().merge(other)
        if isinstance(other, FirstChunkTimes) and other.some_failed:
            self.failed.merge(other.failed)

    def to_dict(self) -> dict[str, Any]:
        """See ``BoundedTimes``."""
        found = super().to_dict() | ({"failed": self.failed.to_dict()} if self.some_failed else {})
        earlier = [[seconds, times.to_dict()] for seconds, times in self.earlier.items()]
        return found | ({"earlier": earlier} if earlier else {})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """See ``BoundedTimes``."""
        times = super().from_dict(data)
        if "failed" in data:
            times.failed = BoundedTimes.from_dict(data["failed"])
        if "earlier" in data:
            times.earlier = {seconds: BoundedTimes.from_dict(part) for seconds, part in data["earlier"]}
        return times


def _common(histogram: Histogram, other: Histogram) -> Histogram:
    """Return those values of ``histogram`` that are, by bucket, in ``other`` too; sums to half a bucket's width."""
    excess = {
        index: times - min(times, other.counts.get(index, 0))
        for index, times in histogram.counts.items()
        if times > other.counts.get(index, 0)
    }
    if not excess:
        return histogram
    sum_ns = sum(sum(bounds_us(index)) * 500 * times for index, times in excess.items())
    return histogram.minus(Histogram.of(excess, min(sum_ns, histogram.sum_ns), None, None))


def _limited(bound: Histogram, values: Histogram, choose: Any) -> Histogram:
    """Return ``bound`` with sum and extremes on the side of ``values`` that ``choose`` names.

    They may be on the other side by part of a bucket, where only buckets are left of the extremes or of the sum.
    """
    if bound.min_ns is None or bound.max_ns is None or values.min_ns is None or values.max_ns is None:
        return bound
    return Histogram.of(
        bound.counts,
        choose(bound.sum_ns, values.sum_ns),
        choose(bound.min_ns, values.min_ns),
        choose(bound.max_ns, values.max_ns),
        bound.clipped,
    )


def shifted(histogram: Histogram, shift_ns: float) -> Histogram:
    """Return ``histogram`` with ``shift_ns`` added to each value, exact to half a bucket; below 0 counts as 0."""
    moved = Histogram()
    for index, times in histogram.counts.items():
        low_us, high_us = bounds_us(index)
        moved.record_ns(min(round((low_us + high_us) * 500 + shift_ns), LONGEST_NS), times)
    if histogram.min_ns is None or histogram.max_ns is None:
        return moved
    shift = min(round(shift_ns), LONGEST_NS)
    exact = histogram.min_ns + shift >= 0
    return Histogram.of(
        moved.counts,
        histogram.sum_ns + shift * histogram.count if exact else moved.sum_ns,
        max(0, histogram.min_ns + shift),
        max(0, histogram.max_ns + shift),
        histogram.clipped,
    )
