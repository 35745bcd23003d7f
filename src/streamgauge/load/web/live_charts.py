"""Defines the charts of the live page: which values each line has, and how to read it."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from streamgauge.report.lines import COLOURS
from streamgauge.report.result import TimelinePoint
from streamgauge.stats.quantities import Counter, Distribution
from streamgauge.stats.stream_quantities import COUNTERS, DISTRIBUTIONS

#: The distributions of the timeline, which have columns in the tab and charts on the page.
SHOWN_TIMES: tuple[Distribution, ...] = tuple(each for each in DISTRIBUTIONS.values() if each.by_second)
#: The counters of the timeline that have a chart of their own.
_RATES = tuple(each for each in COUNTERS.values() if each.by_second and each.field != "started")
_FAILURE = COLOURS[7]


class Line(TypedDict):
    """One line of a chart; ``values`` is its key in the page's data."""

    values: str
    label: str
    colour: str
    dash: str


class LiveChart(TypedDict):
    """One chart. ``kind`` says how it is drawn and which axis it has."""

    key: str
    title: str
    caption: str
    kind: str
    lines: list[Line]
    optional: bool
    """Whether it is hidden while it has no values, or zeros only."""


def live_charts() -> list[LiveChart]:
    """Return the charts in the order of the page."""
    times = {each.key: each for each in SHOWN_TIMES}
    first, interval = times.pop("time_to_first_chunk"), times.pop("chunk_interval")
    return [
        _optional(
            _chart(
                "shape",
                "Shape",
                "What the shape wants over the whole run, and what there was so far: users, or with arrivals the "
                "streams that started each second.",
                "shape",
            )
        ),
        _chart("active", "Streams under way", "Concurrent streams of all names.", "count", _line("active", "active")),
        _duration(first),
        _duration(interval),
        _chart(
            "intervals",
            "Chunk intervals, as a heat map",
            "Each column shows how the intervals of its time were distributed: from pale blue over blue to orange, the "
            "share of a field grows. A band above the usual one means that some chunks came late.",
            "heat",
        ),
        _chart(
            "streams",
            "Streams per second",
            "Streams that started, finished and failed.",
            "rate",
            _line("started", "started"),
            _line("finished", "finished", 1, "dash"),
            Line(values="failed", label="failed", colour=_FAILURE, dash="solid"),
        ),
        _chart("outcomes", "Outcomes per second", "How the streams of all names ended.", "outcomes"),
        *(_rate(each) for each in _RATES),
        *(_optional(_duration(each)) for each in times.values()),
        _chart(
            "lag",
            "Generator lag",
            "How late the load generator read what had arrived, at p99. Kernel timestamps keep it out of the figures "
            "above; a lag that grows means that the generator has too much to do.",
            "generator",
            _line("lag_p99", "lag p99", 4),
        ),
        _chart(
            "cpu",
            "Generator CPU",
            "The busiest process of the load generator, as a share of one core. Near 100 %, it starts streams late.",
            "share",
            _line("cpu", "CPU", 4),
        ),
    ]


def point_values(points: Sequence[TimelinePoint]) -> dict[str, list[Any]]:
    """Return the values of every line of the charts over points of the timeline, by key."""
    found: dict[str, list[Any]] = {"active": [point["active"] for point in points]}
    for name in ("started", "finished", "failed", *(each.field for each in _RATES)):
        found[name] = [_value(point, name) for point in points]
    for each in SHOWN_TIMES:
        for percentile in ("p50", "p99"):
            found[f"{each.key}.{percentile}"] = [_value(point, each.key)[percentile] for point in points]
    return found


def _value(point: Mapping[str, Any], key: str) -> Any:
    return point[key]


def _rate(counter: Counter) -> LiveChart:
    name = counter.field
    kind = "bytes" if counter.unit == "bytes" else "rate"
    chart = _chart(name, f"{name.capitalize()} per second", counter.help, kind, _line(name, name))
    return chart if name in ("chunks", "bytes") else _optional(chart)


def _optional(chart: LiveChart) -> LiveChart:
    return {**chart, "optional": True}


def _duration(distribution: Distribution) -> LiveChart:
    key = distribution.key
    lines = [_line(f"{key}.p99", "p99"), _line(f"{key}.p50", "p50", 0, "dash")]
    return _chart(key, distribution.title, f"{distribution.help} Second by second.", "duration", *lines)


def _chart(key: str, title: str, caption: str, kind: str, *lines: Line) -> LiveChart:
    return LiveChart(key=key, title=title, caption=caption, kind=kind, lines=list(lines), optional=False)


def _line(values: str, label: str, colour: int = 0, dash: str = "solid") -> Line:
    return Line(values=values, label=label, colour=COLOURS[colour], dash=dash)
