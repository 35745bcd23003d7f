"""Find the straight line below a cloud of points: the raw delays that the clocks alone would cause.

Delays are never negative. So the smallest raw delays show the offset between two clocks, and the line that supports the
cloud from below shows the drift. It is the edge of the lower convex hull under the mean time, which has the smallest
total distance to all points (Moon, Skelly and Towsley, "Estimation and removal of clock skew from network delay
measurements").
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from streamgauge.stats.clocks.raw_delays import Point

#: The fastest drift of clocks, as a share; quartz stays within a quarter of it. A steeper trend is a growing delay.
MAX_DRIFT = 200e-6
#: How many points are kept; beyond that, neighbours in time are merged.
MAX_POINTS = 512
_FEW_POINTS = 4


class Line(NamedTuple):
    """A line with ``value_ns`` at ``t_ns``, and ``slope`` per ns."""

    t_ns: float
    value_ns: float
    slope: float

    def at(self, t_ns: float) -> float:
        """Return the line's value at ``t_ns``."""
        return self.value_ns + self.slope * (t_ns - self.t_ns)


class Envelope:
    """The smallest values of a long measurement, in bounded memory."""

    def __init__(self) -> None:
        self.points: list[Point] = []

    def add(self, point: Point) -> None:
        """Add a minimum; minima come roughly in the order of time."""
        self.points.append(point)
        if len(self.points) > MAX_POINTS:
            slope = line_below(self.points).slope
            self.points.sort()
            pairs = zip(self.points[::2], self.points[1::2], strict=False)
            rest = self.points[len(self.points) & ~1 :]
            self.points = [min(pair, key=lambda p: p[1] - slope * (p[0] - pair[0][0])) for pair in pairs] + rest

    @property
    def line(self) -> Line:
        """The line below all points."""
        return line_below(self.points)

    @property
    def error_ns(self) -> float:
        """The error of the line, estimated from how well its points agree.

        Comparing the lines of even and odd points shows chance; the minima of each eighth of the time show uneven
        drift.
        """
        points = sorted(self.points)
        span_ns = points[-1][0] - points[0][0]
        if len(points) < 2 * _FEW_POINTS:
            return MAX_DRIFT / 2 * span_ns + max(value_ns for _, value_ns in points) - min(v for _, v in points)
        even, odd = line_below(points[::2]), line_below(points[1::2])
        chance_ns = max(abs(even.at(t_ns) - odd.at(t_ns)) for t_ns in (points[0][0], points[-1][0]))
        return chance_ns + median(self._eighths())

    @property
    def rise_ns(self) -> float:
        """How far the highest minimum of an eighth of the time lies above the line."""
        return max(self._eighths())

    def _eighths(self) -> list[float]:
        """Return how far the minimum of each eighth of the time lies above the line."""
        points = sorted(self.points)
        line, size = line_below(points), -(-len(points) // 8)
        eighths = (points[at : at + size] for at in range(0, len(points), size))
        return [min(value - line.at(t) for t, value in eighth) for eighth in eighths]


def line_below(points: Sequence[Point]) -> Line:
    """Return the line that supports ``points`` from below; with too few points to show a drift, a level line."""
    mean_ns = sum(t_ns for t_ns, _ in points) // len(points)
    slope = 0.0
    if len(points) >= _FEW_POINTS:
        hull = lower_hull(points)
        for (t1, v1), (t2, v2) in pairwise(hull):
            if t1 <= mean_ns <= t2:
                slope = min(max((v2 - v1) / (t2 - t1), -MAX_DRIFT), MAX_DRIFT)
    return Line(mean_ns, min(value_ns - slope * (t_ns - mean_ns) for t_ns, value_ns in points), slope)


def lower_hull(points: Sequence[Point]) -> list[Point]:
    """Return the corners of the lower convex hull of ``points``, in the order of time."""
    hull: list[Point] = []
    for t, v in sorted(points):
        if hull and hull[-1][0] == t:
            continue
        while len(hull) > 1 and (hull[-1][0] - hull[-2][0]) * (v - hull[-2][1]) <= (t - hull[-2][0]) * (
            hull[-1][1] - hull[-2][1]
        ):
            hull.pop()
        hull.append((t, v))
    return hull
