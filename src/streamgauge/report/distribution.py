"""The report's percentile curves: for each name, which share of its values took longer than what.

The axis is HdrHistogram's: even steps from 90 % to 99 % to 99.9 %, so that the tail has as much room as the bulk.
"""

import html
import math

from streamgauge.measure.histogram import Histogram, bounds_us
from streamgauge.report.charts import COLOURS, Chart, Figure, duration_axis
from streamgauge.report.hdr import decode
from streamgauge.report.result import MetricSummary, NamedStreams, Result

#: More names than this start hidden, and a click in the legend shows them.
SHOWN = 8
#: Neighbouring points closer than this on the logarithmic axis are one.
_NEAR = 1.015
_DASHES = ("solid", "dash", "dot", "dashdot")
_METRICS = {
    "time_to_first_chunk": "Time to first chunk",
    "chunk_interval": "Chunk interval",
    "chunk_delay": "Chunk delay",
}


def distributions(result: Result) -> list[Chart]:
    """One chart per metric that has values, with a curve per name."""
    return [
        chart for metric, title in _METRICS.items() if (chart := _chart(metric, title, result["streams"])) is not None
    ]


def percentile_curve(histogram: Histogram) -> tuple[list[float], list[float]]:
    """The points ``1 / (1 - q)`` and seconds of a curve that holds each value until the next one begins.

    The last value, whose q is 1, ends at the number of values: only one in so many took that long.
    """
    count, seen = histogram.count, 0
    ones_in: list[float] = []
    values_s: list[float] = []
    for index, times in sorted(histogram.counts.items()):
        seen += times
        value_s = sum(bounds_us(index)) / 2e6
        one_in = count / (count - seen) if seen < count else float(count)
        if not ones_in:
            ones_in, values_s = [1.0], [value_s]
        if one_in > ones_in[-1] * _NEAR or seen == count:
            ones_in.append(float(f"{one_in:.5g}"))
            values_s.append(float(f"{value_s:.4g}"))
    return ones_in, values_s


def _chart(metric: str, title: str, streams: list[NamedStreams]) -> Chart | None:
    labels = _labels(streams)
    measured = {
        label: found
        for label, each in zip(labels, streams, strict=True)
        if (found := _summary(each, metric)) and found["count"]
    }
    if not measured:
        return None
    largest = sorted(measured, key=lambda label: -measured[label]["count"])[:SHOWN]
    shown_first = sorted(measured.items(), key=lambda item: item[0] not in largest)
    curves = [
        _curve(label, found["hdr"], position, label in largest) for position, (label, found) in enumerate(shown_first)
    ]
    caption = "A point says which share of the values was at or below a duration; the tail is spread out to the right."
    if len(measured) > SHOWN:
        caption += f" The {SHOWN} names with the most values are shown; click a name to show or hide it."
    if any(found["uncertain"] for found in measured.values()):
        caption += " Coalesced reads leave part of these open: the table has the ranges of the percentiles that are."
    layout = {
        "hovermode": "closest",
        "xaxis": _percentile_axis(max(found["count"] for found in measured.values())),
        "yaxis": duration_axis([value for curve in curves for value in curve["y"]]),
        "showlegend": True,
    }
    return Chart(
        key=f"{metric}_distribution",
        title=f"{title} by percentile",
        caption=caption,
        figure={"data": curves, "layout": layout},
    )


def _labels(streams: list[NamedStreams]) -> list[str]:
    """The name of each, with its protocol where one name has several."""
    names = [each["name"] for each in streams]
    return [
        each["name"] if names.count(each["name"]) == 1 else f"{each['name']} ({each['protocol']})" for each in streams
    ]


def _summary(streams: NamedStreams, metric: str) -> MetricSummary | None:
    found: MetricSummary | None = streams[metric]  # type: ignore[literal-required]
    return found


def _curve(name: str, hdr: str, position: int, shown: bool) -> Figure:
    ones_in, values_s = percentile_curve(decode(hdr))
    return {
        "type": "scatter",
        "mode": "lines",
        "name": html.escape(name),
        "x": ones_in,
        "y": values_s,
        "visible": True if shown else "legendonly",
        "line": {
            "shape": "vh",
            "width": 1.8,
            "color": COLOURS[position % len(COLOURS)],
            "dash": _DASHES[position // len(COLOURS) % len(_DASHES)],
        },
        "hovertemplate": "1 in %{x:,.3~r} took about %{y} or longer<extra>%{fullData.name}</extra>",
    }


def _percentile_axis(count: int) -> Figure:
    nines = max(1, math.ceil(math.log10(count)))
    ticks = {1: "0 %", 2: "50 %", 10: "90 %"}
    ticks |= {10**power: f"{100 - 100 / 10**power:.{power - 2}f} %" for power in range(2, nines + 1)}
    return {
        "type": "log",
        "range": [0, math.log10(max(count, 10)) * 1.02],
        "tickvals": list(ticks),
        "ticktext": list(ticks.values()),
        "title": {"text": "percentile"},
    }
