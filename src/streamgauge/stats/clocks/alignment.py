"""Align the clocks of the raw chunk delays of many processes: find the one-way chunk delay and its uncertainty.

1. A pair is one load generator process and one server clock. Its raw delays are delay plus offset of the two clocks.
2. If both state that they run on one machine, and each cause precedes its effect, the offset is 0.
3. Otherwise the line below the smallest raw delays is the offset plus the smallest delay; its slope is the drift. The
   smallest delay lies between 0 and the smallest round trip, which consists of the way from a request to its receipt
   and of the way from a send to its arrival. Half of that round trip is the estimate. The stated uncertainty covers
   every straight line by which each cause precedes its effect. If there is no such line, a clock stepped, and the
   uncertainty covers the visible extent of the step.
4. Only then are pairs merged. On one machine, delays are counted from 0 on, and the sum does not depend on how streams
   are split over processes. Otherwise each process counts delays above a floor from its own streams, while the offset
   is known only from the whole run. Shifted by the difference, sums agree to about a bucket and to the uncertainty.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from streamgauge.stats.bounded_times import BoundedTimes
from streamgauge.stats.clocks.corridor import deviation_ns
from streamgauge.stats.clocks.envelope import Envelope, Line
from streamgauge.stats.clocks.raw_delays import ACAUSAL_NS, RawDelays

Method = Literal["same_clock", "minimum_filter"]
#: The error of mapping the wall clock to the monotonic clock.
MAPPING_NS = 5_000
#: How many parts of a measurement are kept; beyond that, neighbours in time are merged.
MAX_PARTS = 16
#: A second is timed by its middle, so clocks drift apart for this long within it.
_HALF_SLICE_NS = 500_000_000


@dataclass(frozen=True, slots=True)
class Fit:
    """The offset and drift of one pair's clocks, as far as they are known."""

    method: Method
    offset_s: float
    """The server's clock minus this process's, in the middle of the run."""
    drift_ppm: float
    """How much faster the server's clock runs."""
    uncertainty_s: float | None
    """The largest error of each delay; None if nothing bounds the smallest delay from above."""


@dataclass(slots=True)
class ChunkDelays:
    """All delays of one name and protocol, and the fits of their pairs."""

    delays: BoundedTimes = field(default_factory=BoundedTimes)
    fits: list[Fit] = field(default_factory=list)


@dataclass(slots=True)
class DelayPart:
    """Delays above ``floor_ns`` at ``t_ns``."""

    t_ns: float
    floor_ns: float
    delays: BoundedTimes


class Pair:
    """One process and one server clock."""

    def __init__(self) -> None:
        self._same_clock = True
        self._wall_offset_ns: int | None = None
        self._lows = Envelope()
        #: The largest lower bounds of the offset, as the smallest values of their negatives.
        self._highs = Envelope()
        self._parts: dict[tuple[str, str], list[DelayPart]] = {}

    def add(self, key: tuple[str, str], raw: RawDelays, wall_offset_ns: int) -> None:
        """Add one second; ``wall_offset_ns`` is the process's wall clock minus its monotonic one."""
        self._same_clock = self._same_clock and raw.same_clock
        if not self._same_clock:  # a step of this machine's clock is not a step of the other clock
            wall_offset_ns = self._wall_offset_ns if self._wall_offset_ns is not None else wall_offset_ns
        self._wall_offset_ns = wall_offset_ns
        if raw.high is not None:
            self._highs.add((raw.high[0], -raw.high[1] - wall_offset_ns))
            self._same_clock = self._same_clock and raw.high[1] + wall_offset_ns < ACAUSAL_NS
        if raw.low is None or raw.floor_ns is None:
            return
        low_ns, floor_ns = raw.low[1] + wall_offset_ns, raw.floor_ns + wall_offset_ns
        self._lows.add((raw.low[0], low_ns))
        self._same_clock = self._same_clock and low_ns > -ACAUSAL_NS
        parts = self._parts.setdefault(key, [])
        parts.append(self._part(raw, floor_ns))
        if len(parts) > MAX_PARTS:
            line = self.line()
            pairs = zip(parts[::2], parts[1::2], strict=False)
            parts[:] = [joined(one, other, line) for one, other in pairs] + parts[len(parts) & ~1 :]

    def _part(self, raw: RawDelays, floor_ns: int) -> DelayPart:
        t_ns = (raw.first_ns + raw.last_ns) / 2
        if not self._same_clock:
            return DelayPart(t_ns, floor_ns, raw.delays)
        exact = abs(floor_ns) <= MAPPING_NS  # then the floor is the offset, up to its measuring error
        return DelayPart(t_ns, 0, raw.delays if exact else raw.delays.shifted(floor_ns))

    def part_of(self, raw: RawDelays) -> DelayPart | None:
        """Return the delays of a second that was added last; None if it has none."""
        if raw.low is None or raw.floor_ns is None or self._wall_offset_ns is None:
            return None
        return self._part(raw, raw.floor_ns + self._wall_offset_ns)

    def line(self) -> Line:
        """Return the line of the offset between the clocks, as far as it is known now."""
        return Line(0, 0, 0) if self._same_clock else self._lows.line

    def results(self) -> tuple[Fit, Mapping[tuple[str, str], BoundedTimes]] | None:
        """Return the fit of the clocks and the delays by name and protocol; None if there are no delays."""
        return self.aligned(self._parts) if self._parts else None

    def aligned(
        self, parts_by_key: Mapping[tuple[str, str], Iterable[DelayPart]]
    ) -> tuple[Fit, Mapping[tuple[str, str], BoundedTimes]]:
        """Return the fit of the clocks, and the delays of some parts of the measurement by that fit."""
        line = self.line()
        if self._same_clock:
            fit, base_ns = Fit("same_clock", 0.0, 0.0, MAPPING_NS / 1e9), 0.0
        else:
            fit, base_ns = self._filtered(line)
        found: dict[tuple[str, str], BoundedTimes] = {}
        for key, parts in parts_by_key.items():
            found[key] = BoundedTimes()
            for part in parts:
                found[key].merge(part.delays.shifted(part.floor_ns - line.at(part.t_ns) + base_ns))
        return fit, found

    def newest(self, key: tuple[str, str]) -> BoundedTimes:
        """Return the delays of the last added second of ``key``, by the current estimate of the clocks.

        Later seconds may improve the estimate: ``results`` is final.
        """
        part, line = self._parts[key][-1], self.line()
        base_ns = 0.0 if self._same_clock else self._smallest_ns(self._round_trip_ns(line))
        return part.delays.shifted(part.floor_ns - line.at(part.t_ns) + base_ns)

    def _round_trip_ns(self, line: Line) -> float | None:
        """Return the smallest round trip; None if none is known."""
        return min((line.at(t_ns) + value_ns for t_ns, value_ns in self._highs.points), default=None)

    @staticmethod
    def _smallest_ns(round_trip_ns: float | None) -> float:
        """Return the estimate of the smallest delay."""
        return max(0.0, round_trip_ns or 0.0) / 2

    def _filtered(self, line: Line) -> tuple[Fit, float]:
        """Return the fit by the minimum filter, and the smallest delay."""
        error_ns = self._lows.error_ns + abs(line.slope) * _HALF_SLICE_NS + MAPPING_NS
        round_trip_ns = self._round_trip_ns(line)
        base_ns = self._smallest_ns(round_trip_ns)
        uncertainty_s = None
        if round_trip_ns is not None:
            lowered = line._replace(value_ns=line.value_ns - base_ns)
            apart_ns = deviation_ns(lowered, self._lows.points, self._highs.points)
            if apart_ns is None:
                apart_ns = self._lows.rise_ns + abs(round_trip_ns)
            uncertainty_s = (max(apart_ns, abs(round_trip_ns) / 2) + error_ns) / 1e9
        return Fit("minimum_filter", (base_ns - line.value_ns) / 1e9, -line.slope * 1e6, uncertainty_s), base_ns


def joined(one: DelayPart, other: DelayPart, line: Line) -> DelayPart:
    """Merge two parts of one pair, above the lower of their floors after alignment by ``line``."""
    above = other.floor_ns - one.floor_ns - line.slope * (other.t_ns - one.t_ns)
    low, high = (one, other) if above >= 0 else (other, one)
    counts = low.delays.all.count, high.delays.all.count
    t_ns = low.t_ns + (high.t_ns - low.t_ns) * counts[1] / max(1, sum(counts))
    both = BoundedTimes()
    both.merge(low.delays)
    both.merge(high.delays.shifted(abs(above)) if abs(above) >= 1 else high.delays)
    return DelayPart(t_ns, low.floor_ns + line.slope * (t_ns - low.t_ns), both)


class HasDelays(Protocol):
    """Statistics of one name and protocol, of which only the delays are used here."""

    delays: dict[str, RawDelays]
    """Raw delays by the server's clock."""


class RunDelays:
    """The delays of a whole run."""

    def __init__(self) -> None:
        self._pairs: defaultdict[tuple[str, str], Pair] = defaultdict(Pair)

    def add(
        self, process: str, all_stats: Mapping[tuple[str, str], HasDelays], wall_offset_ns: int, *, stepped: bool
    ) -> None:
        """Add one second of ``process``; if its wall clock ``stepped`` in it, drop delays on the same clock."""
        for key, stats in all_stats.items():
            for clock, raw in stats.delays.items():
                if not (stepped and raw.same_clock):
                    self._pairs[process, clock].add(key, raw, wall_offset_ns)

    def pair(self, process: str, clock: str) -> Pair:
        """Return what is known of one process and one server clock."""
        return self._pairs[process, clock]

    def results(self) -> dict[tuple[str, str], ChunkDelays]:
        """Return the delays by name and protocol."""
        return by_name(pair.results() for pair in self._pairs.values())


def by_name(
    results: Iterable[tuple[Fit, Mapping[tuple[str, str], BoundedTimes]] | None],
) -> dict[tuple[str, str], ChunkDelays]:
    """Merge the aligned delays of pairs by name and protocol."""
    found: defaultdict[tuple[str, str], ChunkDelays] = defaultdict(ChunkDelays)
    for fit, by_key in filter(None, results):
        for key, delays in by_key.items():
            found[key].delays.merge(delays)
            found[key].fits.append(fit)
    return dict(found)
