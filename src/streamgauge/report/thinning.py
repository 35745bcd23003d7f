"""Reduces the points of a timeline, so that the page of a long run stays small."""

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any, cast

from streamgauge.report.result import NamedPoint, PointFigures, TimelinePoint
from streamgauge.stats.run_second import ARRIVALS, SUMS
from streamgauge.stats.stream_quantities import TIMES_BY_SECOND

#: About the width of a chart in pixels; more points would show nothing more.
MOST_POINTS = 900


def seconds_per_point(timeline: Sequence[TimelinePoint]) -> int:
    """Return the number of seconds that each point covers."""
    return math.ceil(len(timeline) / MOST_POINTS)


def thinned(timeline: Sequence[TimelinePoint], step_s: int) -> list[TimelinePoint]:
    """Return one point for every ``step_s`` seconds.

    Counts become their mean per second, and active streams their maximum. p50 is the median of the seconds' p50, and
    p99 the highest p99: the percentiles of several seconds cannot be computed from those of each second.
    """
    if step_s <= 1:
        return list(timeline)
    steps = itertools.groupby(timeline, key=lambda point: point["t_s"] // step_s)
    return [_joined(list(points)) for _, points in steps]


def _joined(points: list[TimelinePoint]) -> TimelinePoint:
    first = {"t_s": points[0]["t_s"], "active": max(point["active"] for point in points)}
    joined = cast("TimelinePoint", {**first, **_figures(points, len(points))})
    for count in ARRIVALS:
        if any(count in point for point in points):
            joined[count] = _mean(points, count, len(points))  # type: ignore[literal-required]
    names: dict[tuple[str, str], list[NamedPoint]] = {}
    for point in points:
        for each in point.get("streams", ()):
            names.setdefault((each["name"], each["protocol"]), []).append(each)
    if names:
        joined["streams"] = [
            cast("NamedPoint", {"name": name, "protocol": protocol, **_figures(found, len(points))})
            for (name, protocol), found in names.items()
        ]
    return joined


def _figures(points: Iterable[PointFigures], seconds: int) -> dict[str, Any]:
    points = list(points)
    found: dict[str, Any] = {count: _mean(points, count, seconds) for count in SUMS}
    uncertain: dict[str, Any] = {}
    for metric in TIMES_BY_SECOND:
        chosen = {"p50": _middle(points, metric), "p99": _highest(points, metric)}
        found[metric] = {name: point and _value_s(point, metric, name) for name, point in chosen.items()}
        ranges = {
            name: point and point.get("uncertain", {}).get(metric, {}).get(name) for name, point in chosen.items()
        }
        uncertain[metric] = {name: between for name, between in ranges.items() if between}
    return found | {"uncertain": {metric: ranges for metric, ranges in uncertain.items() if ranges}}


def _mean(points: Iterable[PointFigures], count: str, seconds: int) -> float:
    return float(f"{sum(cast('dict[str, int]', point).get(count, 0) for point in points) / seconds:.4g}")


def _by_value(points: Iterable[PointFigures], metric: str, percentile: str) -> list[PointFigures]:
    known = [(value_s, point) for point in points if (value_s := _value_s(point, metric, percentile)) is not None]
    return [point for _, point in sorted(known, key=lambda item: item[0])]


def _value_s(point: PointFigures, metric: str, percentile: str) -> float | None:
    """Return a percentile of one second; None without values, or if an older version wrote the result."""
    return cast("dict[str, dict[str, float | None]]", point).get(metric, {}).get(percentile)


def _middle(points: Iterable[PointFigures], metric: str) -> PointFigures | None:
    known = _by_value(points, metric, "p50")
    return known[(len(known) - 1) // 2] if known else None


def _highest(points: Iterable[PointFigures], metric: str) -> PointFigures | None:
    known = _by_value(points, metric, "p99")
    return known[-1] if known else None
