"""Draws the report's charts of the run's history: outcomes, and for each name a heat map of its chunk intervals."""

import html
import math
from collections import Counter
from collections.abc import Sequence

from streamgauge.report.axes import Figure, count_axis, log_duration_axis, time_axis
from streamgauge.report.charts import LONG_S, Chart
from streamgauge.report.history import History, NamedIntervals
from streamgauge.report.lines import COLOURS, Key, Lines
from streamgauge.report.result import Result
from streamgauge.report.spans import shaded
from streamgauge.report.sums import FAILURES, ordered
from streamgauge.report.units import some

#: So many names have a heat map, those with the most chunks.
MOST_MAPS = 4
_OUTCOME_COLOURS = {"completed": COLOURS[2], "aborted": COLOURS[5], "censored": "#7d8590"}
_FAILURE_COLOURS = (COLOURS[7], COLOURS[1], COLOURS[4], COLOURS[3], COLOURS[6], COLOURS[0])
#: By the square root of a field's share, so that one chunk in a thousand can still be seen, on white and on near-black.
_SHADES = [[0.0, "#9cc3e6"], [0.5, "#3b82c4"], [1.0, "#e0872e"]]


def history_charts(result: Result) -> list[Chart]:
    """Return the charts of the history; none for a run of an older version, and none in which nothing happened."""
    history = result.get("history")
    if not history or not history["columns"]:
        return []
    lines = Lines(result)
    keys = _busiest(history)
    maps = [_heat_map(history, at, keys, lines) for at in range(min(MOST_MAPS, len(keys)))]
    charts = [*_outcomes(history), *maps]
    unit_s = 60 if _in_minutes(history) else 1
    for chart in charts:
        chart["figure"]["layout"] |= shaded(result, unit_s)
    return charts


def _busiest(history: History) -> list[Key]:
    counts: dict[Key, int] = {}
    for column in history["columns"]:
        for each in column["intervals"]:
            key = each["name"], each["protocol"]
            counts[key] = counts.get(key, 0) + sum(times for _, times in each["counts"])
    return sorted(counts, key=lambda key: -counts[key])


def _in_minutes(history: History) -> bool:
    return history["columns"][-1]["t_s"] >= LONG_S


def _times(history: History) -> tuple[list[float], str, float]:
    """Return where each column begins, the unit of that, and how wide a column is."""
    minutes = _in_minutes(history)
    unit_s = 60 if minutes else 1
    times = [round(column["t_s"] / unit_s, 3) for column in history["columns"]]
    return times, "min" if minutes else "s", history["width_s"] / unit_s


def _outcomes(history: History) -> list[Chart]:
    times, unit, width = _times(history)
    outcomes: Counter[str] = Counter()
    for column in history["columns"]:
        outcomes.update(column["outcomes"])
    known = ordered(outcomes)
    if not known:
        return []
    failures = [outcome for outcome in known if outcome in FAILURES]
    traces, sums = [], [0.0] * len(times)
    for outcome in known:
        rates = [column["outcomes"].get(outcome, 0) / history["width_s"] for column in history["columns"]]
        sums = [all_of_them + rate for all_of_them, rate in zip(sums, rates, strict=True)]
        traces.append(
            {
                "type": "bar",
                "name": html.escape(outcome),
                "meta": outcome,
                "x": times,
                "y": rates,
                "offset": 0,
                "width": width,
                "marker": {"color": _colour(outcome, failures)},
            }
        )
    layout = {
        "barmode": "stack",
        "bargap": 0,
        "hovermode": "x unified",
        "xaxis": time_axis(unit),
        "yaxis": count_axis(sums, "/s"),
    }
    caption = "How the streams ended, all names together. Each bar is the sum of what ended in its time."
    caption += f" Each covers {history['width_s']} s." if history["width_s"] > 1 else ""
    return [
        Chart(key="outcomes", title="Outcomes per second", caption=caption, figure={"data": traces, "layout": layout})
    ]


def _colour(outcome: str, failures: Sequence[str]) -> str:
    if outcome in _OUTCOME_COLOURS:
        return _OUTCOME_COLOURS[outcome]
    at = failures.index(outcome) if outcome in failures else len(failures)
    return _FAILURE_COLOURS[at % len(_FAILURE_COLOURS)]


def _heat_map(history: History, at: int, keys: Sequence[Key], lines: Lines) -> Chart:
    """Draw the intervals of ``keys[at]``."""
    times, unit, width = _times(history)
    key, names = keys[at], len(keys)
    columns = [_counts(column["intervals"], key) for column in history["columns"]]
    filled = [bucket for counts in columns for bucket in counts]
    low, high = max(0, min(filled) - 1), min(len(history["interval_bounds"]) - 2, max(filled) + 1)
    sums = [sum(counts.values()) for counts in columns]
    buckets = range(low, high + 1)
    shares = [
        [_shade(counts.get(bucket, 0), of_them) for counts, of_them in zip(columns, sums, strict=True)]
        for bucket in buckets
    ]
    hints = [[counts.get(bucket, 0) for counts in columns] for bucket in buckets]
    edges_s = history["interval_bounds"][low : high + 2]
    trace: Figure = {
        "type": "heatmap",
        "name": html.escape(lines.label(key)),
        "meta": lines.label(key),
        "x": [*times, round(times[-1] + width, 3)],
        "y": edges_s,
        "z": shares,
        "customdata": hints,
        "zmin": 0,
        "zmax": 1,
        "showscale": False,
        "colorscale": _SHADES,
        "hovertemplate": "%{customdata:,} intervals around %{y:.3~s}s, at %{x} " + unit + "<extra></extra>",
    }
    layout = {
        "hovermode": "closest",
        "xaxis": time_axis(unit),
        "yaxis": log_duration_axis(edges_s[0], edges_s[-1]),
    }
    whose = f" of {lines.label(key)}" if names > 1 else ""
    caption = "Each column shows how the intervals of its time were distributed; from pale blue over blue to "
    caption += "orange, the share of a field grows. A band above the usual one means that some chunks came late."
    caption += f" Each column covers {history['width_s']} s." if history["width_s"] > 1 else ""
    if names > MOST_MAPS:
        caption += f" Without a heat map: {some(names - MOST_MAPS, 'name')} with fewer chunks."
    return Chart(
        key=f"heat_map_{at}",
        title=f"Chunk intervals{whose} over time",
        caption=caption,
        figure={"data": [trace], "layout": layout},
    )


def _counts(intervals: Sequence[NamedIntervals], key: Key) -> dict[int, int]:
    return next((dict(each["counts"]) for each in intervals if (each["name"], each["protocol"]) == key), {})


def _shade(count: int, of_them: int) -> float | None:
    return round(math.sqrt(count / of_them), 3) if count else None
