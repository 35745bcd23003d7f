"""The corridor between what bounds two clocks' offset from above and from below, and the lines that fit through it.

Cause comes before effect, both ways: no chunk arrives before it was sent, and no request comes before it was made. The
line of the offset lies above all points of the one kind and below all of the other, whatever the delays did meanwhile.
"""

from collections.abc import Callable, Sequence

from streamgauge.stats.clocks.envelope import MAX_DRIFT, Line, lower_hull
from streamgauge.stats.clocks.raw_delays import Point

_STEPS = 50


def deviation_ns(line: Line, above: Sequence[Point], below: Sequence[Point]) -> float | None:
    """How far ``line`` may be from the true one, between the first and the last of the points that bound it from below.

    ``above`` are points that the true line does not exceed, ``below`` the negatives of those that do not exceed it.
    None where no straight line lies between them: a clock stepped, or there is more than one.
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
    """Where a concave function is largest."""
    for _ in range(_STEPS):
        third = (most - least) / 3
        if of(least + third) < of(most - third):
            least += third
        else:
            most -= third
    return (least + most) / 2


def _edge(of: Callable[[float], float], inside: float, outside: float) -> float:
    """How far towards ``outside`` a concave function, not negative at ``inside``, remains so."""
    if of(outside) >= 0:
        return outside
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if of(middle) >= 0 else (inside, middle)
    return inside
