"""Find the lines that fit between the upper and the lower bounds of the offset of two clocks.

A cause precedes its effect, in both directions: no chunk arrives before it is sent, and no request before it is made.
So the line of the offset lies above all points of one kind and below all points of the other, whatever the delays were.
"""

from collections.abc import Callable, Sequence

from streamgauge.stats.clocks.envelope import MAX_DRIFT, Line, lower_hull
from streamgauge.stats.clocks.raw_delays import Point

_STEPS = 50


def deviation_ns(line: Line, above: Sequence[Point], below: Sequence[Point]) -> float | None:
    """Return the largest distance of ``line`` from the true line, within the time of the points below it.

    ``above`` holds points that the true line does not exceed; ``below`` the negatives of points that do not exceed the
    line. None if no straight line lies between them, since a clock stepped, or there are several clocks.
    """
    tops = [(t_ns - line.t_ns, value_ns - line.at(t_ns)) for t_ns, value_ns in lower_hull(above)]
    feet = [(t_ns - line.t_ns, -value_ns - line.at(t_ns)) for t_ns, value_ns in lower_hull(below)]

    def highest(slope: float) -> float:
        return min(value_ns - slope * t_ns for t_ns, value_ns in tops)

    def lowest(slope: float) -> float:
        return max(value_ns - slope * t_ns for t_ns, value_ns in feet)

    def width(slope: float) -> float:
        return highest(slope) - lowest(slope)

    least, most = -MAX_DRIFT - line.slope, MAX_DRIFT - line.slope
    best = _peak(width, least, most)
    if width(best) < 0:
        return None
    least, most = _edge(width, best, least), _edge(width, best, most)
    found: list[float] = []
    for t_ns in (min(t for t, _ in feet), max(t for t, _ in feet)):
        up = _peak(lambda slope, t=t_ns: highest(slope) + slope * t, least, most)  # type: ignore[misc]
        down = _peak(lambda slope, t=t_ns: -lowest(slope) - slope * t, least, most)  # type: ignore[misc]
        found += [abs(highest(up) + up * t_ns), abs(lowest(down) + down * t_ns)]
    return max(found)


def _peak(of: Callable[[float], float], least: float, most: float) -> float:
    """Return the place where a concave function is largest."""
    for _ in range(_STEPS):
        third = (most - least) / 3
        if of(least + third) < of(most - third):
            least += third
        else:
            most -= third
    return (least + most) / 2


def _edge(of: Callable[[float], float], inside: float, outside: float) -> float:
    """Return the last place towards ``outside`` where a concave function is not negative, as it is at ``inside``."""
    if of(outside) >= 0:
        return outside
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if of(middle) >= 0 else (inside, middle)
    return inside
