"""Draws the report's percentile curves: for each name, the duration at each percentile.

The axis is HdrHistogram's: even steps from 90 % to 99 % to 99.9 %, so that the tail has as much room as the bulk.
"""

import html

from streamgauge.report.axes import Figure, duration_axis, percentile_axis
from streamgauge.report.charts import Chart
from streamgauge.report.hdr import decode
from streamgauge.report.lines import Key, Lines
from streamgauge.report.result import NamedStreams, Result
from streamgauge.report.summary import summary_of
from streamgauge.report.units import some
from streamgauge.stats.histogram import Histogram, bounds_us
from streamgauge.stats.quantities import Distribution
from streamgauge.stats.stream_quantities import DISTRIBUTIONS

#: The curves of further names start hidden; a click in the legend shows them.
SHOWN = 8
#: Further names have no curve, so that the page stays small.
MOST_CURVES = 40
#: Merge neighbouring points that are closer than this ratio on the logarithmic axis.
_NEAR = 1.015


def distributions(result: Result) -> list[Chart]:
    """Return one chart per metric that has values, with a curve per name."""
    lines = Lines(result)
    return [
        chart
        for each in DISTRIBUTIONS.values()
        if each.charted and (chart := _chart(each, result["streams"], lines)) is not None
    ]


def percentile_curve(histogram: Histogram) -> tuple[list[float], list[float]]:
    """Return the points ``1 / (1 - q)`` and seconds of a curve that keeps each value until the next one begins.

    The last value, whose q is 1, is drawn at the number of values: only one in that many took so long.
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


def _chart(distribution: Distribution, streams: list[NamedStreams], lines: Lines) -> Chart | None:
    measured = {
        (each["name"], each["protocol"]): found
        for each in streams
        if (found := summary_of(distribution, each)) and found["count"]
    }
    if not measured:
        return None
    drawn = sorted(measured, key=lambda key: -measured[key]["count"])[:MOST_CURVES]
    largest = drawn[:SHOWN]
    shown_first = sorted(lines.ordered(drawn), key=lambda key: key not in largest)
    curves = [_curve(key, lines, measured[key]["hdr"], key in largest) for key in shown_first]
    caption = "Each point shows which share of the values was at or below a duration."
    caption += " The axis stretches towards the slowest values."
    if len(measured) > SHOWN:
        caption += f" The {SHOWN} names with the most values are shown; click a name to show or hide it."
    if len(measured) > MOST_CURVES:
        caption += f" Only in the table: {some(len(measured) - MOST_CURVES, 'name')} with fewer values."
    if any(found["uncertain"] for found in measured.values()):
        caption += " Some percentiles are known only as a range; the table shows these ranges."
    layout = {
        "hovermode": "closest",
        "xaxis": percentile_axis(max(found["count"] for found in measured.values())),
        "yaxis": duration_axis([value for curve in curves for value in curve["y"]]),
    }
    return Chart(
        key=f"{distribution.key}_distribution",
        title=f"{distribution.title} by percentile",
        caption=caption,
        figure={"data": curves, "layout": layout},
    )


def _curve(key: Key, lines: Lines, hdr: str, shown: bool) -> Figure:
    ones_in, values_s = percentile_curve(decode(hdr))
    return {
        "type": "scatter",
        "mode": "lines",
        "name": html.escape(lines.label(key)),
        "meta": lines.label(key),
        "x": ones_in,
        "y": values_s,
        "visible": True if shown else "legendonly",
        "line": {"shape": "vh", "width": 1.8, "color": lines.colour(key), "dash": lines.dash(key)},
        "hovertemplate": "1 in %{x:,.3~r} took about %{y} or longer<extra>%{fullData.name}</extra>",
    }
