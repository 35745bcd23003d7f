"""Makes the series of a run that show whether it is steady, from its slices.

Three figures: the median time to first chunk, the median chunk interval, and chunks per second. The first two are what
users of a stream feel, the third is how much the service carries. Medians, because a p99 of one second rests on few
values; finished streams per second are left out, because all of a stream falls into the second of its end, and streams
of one length that began together end together.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, log1p
from statistics import median

from streamgauge.stats.histogram import Histogram
from streamgauge.stats.process_stats import Key
from streamgauge.stats.run_part import RunPart

#: A slice, and the second at which it begins.
Slice = tuple[int, RunPart]
#: A series of fewer points says nothing of a level.
LEAST_POINTS = 50
#: A point rests on so many values at least; neighbouring slices are joined until most points do.
LEAST_VALUES = 8
_MOST_POINTS_FILLED = 0.9
#: A smaller change of a level is none: the share, or for times this much if that is more.
MATERIAL, MATERIAL_S = 0.05, 0.0001
#: The names with the most values make a series; those of further names would change nothing.
_MOST_NAMES = 8
#: Below the histograms' resolution, so that a median of 0 has a logarithm too.
_SHORTEST_S = 1e-6


@dataclass(frozen=True, slots=True)
class Series:
    """One figure of a run by time."""

    key: str
    title: str
    starts_s: Sequence[int]
    """The second at which each point begins."""
    values: Sequence[float]
    """The logarithm of the figure at each point; that of times is relative to its own median."""
    least: float
    """The smallest change that counts."""

    def since(self, t_s: float) -> Sequence[float]:
        """Return the values of the points that begin at ``t_s`` or later."""
        return [value for start_s, value in zip(self.starts_s, self.values, strict=True) if start_s >= t_s]

    def start_s(self, t_s: float, at: int) -> int:
        """Return when point ``at`` of those since ``t_s`` begins."""
        return [start_s for start_s in self.starts_s if start_s >= t_s][at]


def series_of(slices: Sequence[Slice], width_s: int) -> list[Series]:
    """Return the series that have enough values; slices are ``width_s`` long."""
    found = [
        _times("time_to_first_chunk", "time to first chunk p50", slices),
        _times("chunk_interval", "chunk interval p50", slices),
        _chunks(slices, width_s),
    ]
    return [series for series in found if series is not None]


def _grouped(slices: Sequence[Slice], counts: Sequence[int]) -> list[list[Slice]] | None:
    """Join neighbours until most points have enough values; None if too few points would be left."""
    size = 1
    while len(slices) // size >= LEAST_POINTS:
        bounds = range(0, len(slices) - size + 1, size)
        filled = sum(sum(counts[at : at + size]) >= LEAST_VALUES for at in bounds)
        if filled >= _MOST_POINTS_FILLED * len(bounds):
            return [list(slices[at : at + size]) for at in bounds]
        size += 1
    return None


def _times(field: str, title: str, slices: Sequence[Slice]) -> Series | None:
    by_slice = [_counts(part, field) for _, part in slices]
    groups = _grouped(slices, [counts.total() for counts in by_slice])
    if groups is None:
        return None
    named = sum(by_slice, Counter[Key]()).most_common(_MOST_NAMES)
    lines = [(weight, [_median_s(group, key, field) for group in groups]) for key, weight in named]
    levels = [(weight, median(log(each) for each in line if each), line) for weight, line in lines if any(line)]
    starts_s, values = [], []
    for at, group in enumerate(groups):
        known = [(weight, log(each) - level) for weight, level, line in levels if (each := line[at])]
        if known:
            starts_s.append(group[0][0])
            values.append(sum(weight * each for weight, each in known) / sum(weight for weight, _ in known))
    if len(values) < LEAST_POINTS:
        return None
    middle = sum(weight * level for weight, level, _ in levels) / sum(weight for weight, _, _ in levels)
    return Series(field, title, starts_s, values, max(MATERIAL, log1p(MATERIAL_S / exp(middle))))


def _counts(part: RunPart, field: str) -> Counter[Key]:
    return Counter({key: getattr(stats, field).all.count for key, stats in part.all_stats.items()})


def _median_s(group: Sequence[Slice], key: Key, field: str) -> float | None:
    """Return the median of a name in joined slices; None if it rests on too few values."""
    joined = Histogram()
    for _, part in group:
        if key in part.all_stats:
            joined.merge(getattr(part.all_stats[key], field).all)
    return max(_SHORTEST_S, joined.quantile_s(0.5) or 0.0) if joined.count >= LEAST_VALUES / 2 else None


def _chunks(slices: Sequence[Slice], width_s: int) -> Series | None:
    counts = [sum(stats.chunks for stats in part.all_stats.values()) for _, part in slices]
    groups = _grouped(slices, counts)
    if groups is None:
        return None
    size = len(groups[0])
    sums = [sum(counts[at * size : (at + 1) * size]) for at in range(len(groups))]
    # Half a chunk more, so that a second in which the service stood still has a logarithm too.
    values = [log((chunks + 0.5) / (size * width_s)) for chunks in sums]
    return Series("chunks", "chunks per second", [group[0][0] for group in groups], values, MATERIAL)
