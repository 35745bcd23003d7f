"""The report's charts over time, as figures that plotly.js draws: plain dictionaries of traces and axes.

Colours of text and grid are left to the page, which knows whether it is light or dark. Names are escaped here, because
plotly reads the text of a trace as markup.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypedDict

from streamgauge.report.result import Result, TimelinePoint

#: Readable on white and on near-black, and apart from each other for the colour-blind.
COLOURS = ("#3b82c4", "#e07b39", "#2e9e6b", "#c05fa6", "#a5832f", "#17a2b8", "#8d6fd1", "#d1495b")
#: Lines that share a chart; what started and what finished often lie on each other, and so one is dashed.
_LOOKS = {"finished": (COLOURS[1], "dash"), "failed": (COLOURS[7], "solid")}
#: A log axis helps from this ratio of the largest value to the smallest.
_WIDE = 20
#: Up to here a log axis has room for labels at 1, 2 and 5 in each decade.
_FEW_DECADES = 2.5
#: Points further apart than this have seconds between them of which nothing is known.
_MISSING_S = 1.5
#: From here on the time axis counts minutes.
_LONG_S = 600

Figure = dict[str, Any]


class Chart(TypedDict):
    """One chart of the page."""

    key: str
    """Its element's id."""
    title: str
    caption: str
    """How to read it, one sentence."""
    figure: Figure


def duration_axis(values_s: Sequence[float | None]) -> Figure:
    """An axis of durations, in s, ms or µs; logarithmic where the values are far apart."""
    axis: Figure = {"tickformat": "~s", "ticksuffix": "s", "hoverformat": ".3~s"}
    seen = [value for value in values_s if value]
    if not seen or max(seen) / min(seen) <= _WIDE:
        return axis | {"rangemode": "tozero"}
    low, high = math.log10(min(seen)), math.log10(max(seen))
    steps = (1, 2, 5) if high - low < _FEW_DECADES else (1,)
    ticks_s = [step * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for step in steps]
    return axis | {
        "type": "log",
        "range": [low - 0.1, high + 0.1],
        "tickvals": ticks_s,
        "ticktext": [_tick(tick_s) for tick_s in ticks_s],
    }


def _tick(value_s: float) -> str:
    for unit_s, unit in ((1, "s"), (1e-3, "ms")):
        if value_s >= unit_s * 0.999:
            return f"{value_s / unit_s:.0f}{unit}"
    return f"{value_s * 1e6:.3g}µs"


def over_time(result: Result) -> list[Chart]:
    """The charts of the timeline that have values; none for a run without one."""
    timeline = result["timeline"]
    if not timeline:
        return []
    axis = _Time(timeline)
    charts = [
        axis.chart("active", "Streams under way", "Concurrent streams at each second.", {
            "active": lambda point: point["active"],
        }),
        axis.chart("streams", "Streams per second", "Streams that started, finished and failed in each second.", {
            "started": lambda point: point["started"],
            "finished": lambda point: point["finished"],
            "failed": lambda point: point["failed"],
        }),
        axis.chart("chunks", "Chunks per second", "Chunks that arrived in each second.", {
            "chunks": lambda point: point["chunks"],
        }),
        axis.chart("bytes", "Bytes per second", "Body bytes that arrived in each second.", {
            "bytes": lambda point: point["bytes"],
        }, {"tickformat": "~s", "ticksuffix": "B", "hoverformat": ".3~s", "rangemode": "tozero"}),
        axis.durations(
            "time_to_first_chunk", "Time to first chunk", "Start of a stream until its first chunk, second by second."
        ),
        axis.durations(
            "chunk_interval", "Chunk interval", "Time between two chunks of one stream, pooled over all streams."
        ),
    ]  # fmt: skip
    return [
        chart for chart in charts if any(value is not None for line in chart["figure"]["data"] for value in line["y"])
    ]


class _Time:
    """The time axis that these charts share, and the timeline on it."""

    def __init__(self, timeline: Sequence[TimelinePoint]) -> None:
        in_minutes = timeline[-1]["t_s"] >= _LONG_S
        self.unit = "min" if in_minutes else "s"
        self.times: list[float] = []
        #: None breaks every line, where the timeline left seconds out.
        self.timeline: list[TimelinePoint | None] = []
        for point in timeline:
            time = round(point["t_s"] / 60, 3) if in_minutes else point["t_s"]
            last = self.timeline[-1] if self.timeline else None
            if last and point["t_s"] - last["t_s"] > _MISSING_S:
                self.times.append(time)
                self.timeline.append(None)
            self.times.append(time)
            self.timeline.append(point)

    def chart(
        self,
        key: str,
        title: str,
        caption: str,
        lines: dict[str, Callable[[TimelinePoint], float | None]],
        axis: Figure | None = None,
    ) -> Chart:
        traces = [
            self._line(
                name, [point and value(point) for point in self.timeline], *_LOOKS.get(name, (COLOURS[0], "solid"))
            )
            for name, value in lines.items()
        ]
        return self._framed(key, title, caption, traces, axis or {"rangemode": "tozero", "tickformat": "~s"})

    def durations(self, metric: str, title: str, caption: str) -> Chart:
        values = {
            percentile: [point and point[metric].get(percentile) for point in self.timeline]  # type: ignore[literal-required]
            for percentile in ("p50", "p99")
        }
        shown = [value for column in values.values() for value in column]
        ranges = [point.get("uncertain", {}).get(metric, {}) if point else {} for point in self.timeline]
        ends = [most_s for each in ranges for _, most_s in each.values()]  # of the bars, which the axis has to reach
        axis = duration_axis([*shown, *ends])
        if axis.get("type") == "log":
            values = {percentile: [value or None for value in column] for percentile, column in values.items()}
        looks = {"p50": (COLOURS[0], "solid"), "p99": (COLOURS[1], "dot")}
        traces = [
            self._line(percentile, values[percentile], *look)
            | _bars(values[percentile], [each.get(percentile) for each in ranges])
            for percentile, look in looks.items()
        ]
        if None in values["p50"]:
            caption += " A gap is a second without values."
        if any("error_y" in trace for trace in traces):
            caption += " A bar is what coalesced reads leave open."
        return self._framed(f"{metric}_over_time", f"{title} over time", caption, traces, axis)

    def _line(self, name: str, values: list[float | None], colour: str, dash: str) -> Figure:
        return {
            "type": "scatter",
            "name": name,
            "x": self.times,
            "y": values,
            "mode": "lines+markers" if _has_lone_point(values) else "lines",
            "marker": {"size": 5},
            "cliponaxis": False,
            "line": {"color": colour} | ({"width": 1} if self.unit == "min" else {"width": 1.8, "dash": dash}),
        }

    def _framed(self, key: str, title: str, caption: str, traces: list[Figure], axis: Figure) -> Chart:
        layout = {
            "hovermode": "x unified",
            "xaxis": {
                "title": {"text": f"time into the run ({self.unit})"},
                "hoverformat": ".6~g",
                "rangemode": "nonnegative",
            },
            "yaxis": axis,
            "showlegend": len(traces) > 1,
        }
        return Chart(key=key, title=title, caption=caption, figure={"data": traces, "layout": layout})


def _bars(values: Sequence[float | None], ranges: Sequence[tuple[float, float] | None]) -> Figure:
    """From the least to the most that each value can be, where any is uncertain."""
    if not any(ranges):
        return {}
    above = [between and value and between[1] - value for between, value in zip(ranges, values, strict=True)]
    below = [between and value and value - between[0] for between, value in zip(ranges, values, strict=True)]
    return {
        "error_y": {
            "type": "data", "symmetric": False, "array": above, "arrayminus": below, "width": 0, "thickness": 1,
        }
    }  # fmt: skip


def _has_lone_point(values: Sequence[float | None]) -> bool:
    """Whether a value has no neighbour, so that no line would show it."""
    padded = [None, *values, None]
    return any(
        value is not None and padded[position] is None and padded[position + 2] is None
        for position, value in enumerate(values)
    )
