"""Makes the report's charts over time, as figures for plotly.js: plain dictionaries of traces and axes.

The page sets the colours of text and grid, because it knows whether it is light or dark. Names are escaped here,
because plotly reads the text of a trace as markup.
"""

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict, cast

from streamgauge.report.axes import Figure, byte_rate_axis, count_axis, duration_axis, time_axis
from streamgauge.report.counter_text import counted_in
from streamgauge.report.lines import COLOURS, Key, Lines
from streamgauge.report.result import NamedPoint, PointFigures, Result, TimelinePoint
from streamgauge.report.spans import shaded
from streamgauge.report.thinning import seconds_per_point, thinned
from streamgauge.stats.quantities import Counter, Distribution
from streamgauge.stats.stream_quantities import COUNTERS, DISTRIBUTIONS

#: All names together; older results have no others.
_ALL: Key = ("all names", "")
#: The lines of started and finished streams often coincide, so one is dashed.
_COUNTS = {"started": (COLOURS[0], "solid"), "finished": (COLOURS[1], "dash"), "failed": (COLOURS[7], "solid")}
#: What a shape wants is no measurement.
GREY = "#7d8590"
#: Break the lines between points that are further apart than this many steps: seconds are missing.
_MISSING = 1.5
#: From this duration on, the time axis is in minutes.
LONG_S = 600

_Values = list[float | None]


class Chart(TypedDict):
    """One chart of the page."""

    key: str
    """Part of the id of its element."""
    title: str
    caption: str
    """One or two sentences on how to read the chart."""
    figure: Figure


def over_time(result: Result) -> list[Chart]:
    """Return the charts of the timeline that have values; none for a run without a timeline."""
    if not result["timeline"]:
        return []
    time = _Time(result)
    charts = [
        time.active(),
        time.streams(),
        *([time.failed()] if len(time.keys) > 1 and any(point["failed"] for point in result["timeline"]) else []),
        *(
            time.rates(each.field, each.unit, each.help, each.heading.capitalize() if each.whole else "")
            for each in counted_in(result, COUNTERS.values())
            if _has_rate(each)
        ),
        *(time.durations(each) for each in DISTRIBUTIONS.values() if each.by_second),
    ]
    return [
        chart for chart in charts if any(value is not None for line in chart["figure"]["data"] for value in line["y"])
    ]


def _has_rate(counter: Counter) -> bool:
    return counter.by_second and counter.field != "started"  # the chart of streams per second has them


class _Time:
    """The time axis that these charts share, and the timeline on it."""

    def __init__(self, result: Result) -> None:
        timeline = result["timeline"]
        self.step_s = seconds_per_point(timeline)
        self.unit = "min" if timeline[-1]["t_s"] >= LONG_S else "s"
        self.shaded = shaded(result, 60 if self.unit == "min" else 1)
        self.lines = Lines(result)
        self.shape = result["run"].get("shape")
        self.keys = self.lines.timeline or [_ALL]
        self.times: list[float] = []
        #: None breaks every line where the timeline left seconds out.
        self.timeline: list[TimelinePoint | None] = []
        for point in thinned(timeline, self.step_s):
            last = self.timeline[-1] if self.timeline else None
            if last and point["t_s"] - last["t_s"] > _MISSING * self.step_s:
                self._add(point["t_s"], None)
            self._add(point["t_s"], point)
        self._named: list[dict[Key, NamedPoint]] = [
            {(each["name"], each["protocol"]): each for each in point.get("streams", ())} if point else {}
            for point in self.timeline
        ]

    def _add(self, t_s: float, point: TimelinePoint | None) -> None:
        self.times.append(round(t_s / 60, 3) if self.unit == "min" else t_s)
        self.timeline.append(point)

    def _points(self, key: Key) -> Sequence[PointFigures | None]:
        """Return the points of one name at each time; None if it had no streams then."""
        return self.timeline if key == _ALL else [names.get(key) for names in self._named]

    def _counted(self, key: Key, count: str) -> _Values:
        """Return the counts of one name at each time: 0 if it had no streams, None only if the second is missing."""
        return [
            None if at is None else 0 if point is None else cast("Mapping[str, float]", point).get(count)
            for at, point in zip(self.timeline, self._points(key), strict=True)
        ]

    def active(self) -> Chart:
        values: _Values = [point and point["active"] for point in self.timeline]
        caption = "Concurrent streams at the end of each second, all names together."
        caption += f" Each point is the maximum of {self.step_s} s." if self.step_s > 1 else ""
        traces = [self._line("active", values, COLOURS[0])]
        if wanted := self._wanted("users"):
            users = self._of_shape("users")
            traces += [self._line("users", users, COLOURS[1], "dot"), self._line("users wanted", wanted, GREY, "dash")]
            caption += " The users, and those that the shape wanted, are those of the second."
            values = [*values, *users, *wanted]
        return self._framed("active", "Streams under way", caption, traces, count_axis(values))

    def streams(self) -> Chart:
        values = {count: self._counted(_ALL, count) for count in _COUNTS}
        traces = [self._line(count, values[count], *look) for count, look in _COUNTS.items()]
        caption = "Streams that started, finished and failed in each second, all names together."
        wanted = self._wanted("streams/s")
        if wanted:
            traces.append(self._line("wanted", wanted, GREY, "dash"))
            caption += " The shape wanted so many to start."
        axis = count_axis([value for column in (*values.values(), wanted) for value in column], "/s")
        return self._framed("streams", "Streams per second", caption + self._mean(), traces, axis)

    def _wanted(self, unit: str) -> _Values:
        """Return the level of the run's shape at each time; empty if the run has none of this unit."""
        return self._of_shape("wanted") if self.shape and self.shape["unit"] == unit else []

    def _of_shape(self, key: str) -> _Values:
        """Return the highest value of the seconds of each point; None after the shape, and where it is unknown."""
        seconds: dict[int, float | None] = {each["t_s"]: each[key] for each in self.shape["seconds"]}  # type: ignore[index, literal-required]
        found: _Values = []
        for point in self.timeline:
            covered = range(int(point["t_s"]), int(point["t_s"]) + self.step_s) if point else ()
            known = [value for t_s in covered if (value := seconds.get(t_s)) is not None]
            found.append(max(known, default=None))
        return found

    def failed(self) -> Chart:
        return self.rates("failed", "", "Streams that failed.", "Failures")

    def rates(self, count: str, unit: str, meaning: str, noun: str = "") -> Chart:
        """Chart ``count`` per second; ``noun`` is its name, if that differs."""
        values = {key: self._counted(key, count) for key in self.keys}
        traces = [
            self._line(self.lines.label(key) if key != _ALL else count, column, self._colour(key))
            for key, column in values.items()
        ]
        shown = [value for column in values.values() for value in column]
        axis = byte_rate_axis(shown) if unit == "bytes" else count_axis(shown, "/s")
        caption = f"{meaning.removesuffix('.')} in each second{self._by_name()}.{self._mean()}"
        return self._framed(count, f"{noun or count.replace('_', ' ').capitalize()} per second", caption, traces, axis)

    def durations(self, distribution: Distribution) -> Chart:
        """Chart p50 and p99 of ``distribution`` in each second."""
        metric = distribution.key
        points = {key: self._points(key) for key in self.keys}
        values = [*_percentiles(points.values(), metric), *_range_ends(points.values(), metric)]
        axis = duration_axis(values)
        traces = [
            trace
            for key in self.keys
            for percentile in ("p99", "p50")
            if (trace := self._percentile(key, metric, percentile, log=axis.get("type") == "log"))
        ]
        caption = f"{distribution.help.removesuffix('.')}{self._by_name()}, second by second."
        caption += " Solid lines are p99, dashed ones p50."
        if self.step_s > 1:
            caption += f" Each point covers {self.step_s} s: the highest p99 and the median p50 of these seconds."
        if any(None in trace["y"] for trace in traces):
            caption += " A gap is a second without values."
        if any("error_y" in trace for trace in traces):
            caption += " A bar is the range of a percentile that is not exactly known."
        return self._framed(f"{metric}_over_time", f"{distribution.title} over time", caption, traces, axis)

    def _percentile(self, key: Key, metric: str, percentile: str, *, log: bool) -> Figure | None:
        points = self._points(key)
        values = [point and _times_of(point, metric).get(percentile) for point in points]
        if all(value is None for value in values):
            return None
        if log:
            values = [value or None for value in values]
        ranges = [point and point.get("uncertain", {}).get(metric, {}).get(percentile) for point in points]
        one, label = len(self.keys) == 1, self.lines.label(key)
        dash = "solid" if percentile == "p99" else "dash"
        line = self._line(percentile if one else f"{label} {percentile}", values, self._colour(key), dash)
        return line | {"meta": percentile if one else label} | _bars(values, ranges)

    def _colour(self, key: Key) -> str:
        return COLOURS[0] if key == _ALL else self.lines.colour(key)

    def _line(self, name: str, values: _Values, colour: str, dash: str = "solid") -> Figure:
        return {
            "type": "scatter",
            "name": html.escape(name),
            "meta": name,  # the name in the legend, as plain text; lines with the same name share an entry
            "x": self.times,
            "y": values,
            "mode": "lines+markers" if _has_lone_point(values) else "lines",
            "marker": {"size": 5},
            "cliponaxis": False,
            "line": {"color": colour, "width": 1.2 if self.unit == "min" else 1.8, "dash": dash},
        }

    def _by_name(self) -> str:
        return ", by name" if len(self.keys) > 1 else ""

    def _mean(self) -> str:
        return f" Each point is the mean of {self.step_s} s." if self.step_s > 1 else ""

    def _framed(self, key: str, title: str, caption: str, traces: list[Figure], axis: Figure) -> Chart:
        layout = {
            "hovermode": "x unified",
            "xaxis": time_axis(self.unit),
            "yaxis": axis,
            **self.shaded,
        }
        return Chart(key=key, title=title, caption=caption, figure={"data": traces, "layout": layout})


def _percentiles(lines: Iterable[Sequence[PointFigures | None]], metric: str) -> _Values:
    """Return every p50 and p99 of these lines."""
    return [value for line in lines for point in line if point for value in _times_of(point, metric).values()]


def _times_of(point: PointFigures, metric: str) -> Mapping[str, float | None]:
    """Return p50 and p99 of a metric in one second; nothing if an older version wrote the result."""
    return cast("Mapping[str, Mapping[str, float | None]]", point).get(metric, {})


def _range_ends(lines: Iterable[Sequence[PointFigures | None]], metric: str) -> _Values:
    """Return the upper ends of the lines' bars, which the axis has to include."""
    return [
        most_s
        for line in lines
        for point in line
        if point
        for _, most_s in point.get("uncertain", {}).get(metric, {}).values()
    ]


def _bars(values: _Values, ranges: Sequence[tuple[float, float] | None]) -> Figure:
    """Make the bars that show the ranges of values, if any value is uncertain."""
    if not any(ranges):
        return {}
    above = [between and value and between[1] - value for between, value in zip(ranges, values, strict=True)]
    below = [between and value and value - between[0] for between, value in zip(ranges, values, strict=True)]
    return {
        "error_y": {
            "type": "data", "symmetric": False, "array": above, "arrayminus": below, "width": 0, "thickness": 1,
        }
    }  # fmt: skip


def _has_lone_point(values: _Values) -> bool:
    """Whether a value has no neighbour, so that no line would show it."""
    padded = [None, *values, None]
    return any(
        value is not None and padded[position] is None and padded[position + 2] is None
        for position, value in enumerate(values)
    )
