"""Draws time series panels: lines, limits, marks of runs, and a table for a legend."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from monitoring.panels import Json
from tools.preview import style
from tools.preview.box import Box
from tools.preview.queries import Line, Mark, PanelQueries
from tools.preview.units import formatted
from tools.preview.variables import Window

_LEGEND_ROW_PX, _AXIS_PX, _TICKS_PX = 15, 62, 20
#: More room for a custom unit such as streams/s.
_WORD_PX = 42
_CALCULATIONS: dict[str, tuple[str, Callable[[Sequence[float]], float]]] = {
    "lastNotNull": ("Last", lambda values: values[-1]),
    "max": ("Max", max),
}
_COLUMN_PX = 92
_TIME_STEPS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200)
_MOST_TIMES = 7


def draw(sheet: Axes, box: Box, panel: Json, queries: PanelQueries, marks: Sequence[Mark]) -> None:
    """Draw the panel's lines over the time range. Raises QueryError."""
    lines = queries.lines(panel, round(box.width))
    defaults = panel["fieldConfig"]["defaults"]
    if not lines:
        box.message(sheet, defaults["noValue"])
        return
    room = max(2, int(box.height * 0.42 / _LEGEND_ROW_PX) - 1)
    shown = lines if len(lines) <= room else lines[: room - 1]
    legend_px = (len(shown) + 1 + (len(shown) < len(lines))) * _LEGEND_ROW_PX
    left_px = _AXIS_PX + _WORD_PX * defaults["unit"].startswith("count:")
    axes = box.cut(left=left_px, bottom=legend_px + _TICKS_PX + 4, right=16, top=4).axes(sheet)
    colours = [_colour(line, index, panel["fieldConfig"]["overrides"]) for index, line in enumerate(lines)]
    for line, colour in zip(lines, colours, strict=True):
        _line(axes, line, colour, queries.variables.window.interval_s(round(box.width)))
    _scale(axes, defaults)
    time_axis(axes, queries.variables.window, marks)
    legend_box = Box(box.x, box.y + box.height - legend_px, box.width, legend_px)
    _legend(sheet, legend_box, list(zip(shown, colours, strict=False)), len(lines) - len(shown), panel)


def time_axis(axes: Axes, window: Window, marks: Sequence[Mark]) -> None:
    """Set the time axis, with a line at each mark."""
    axes.set_xlim(window.start_s, window.end_s)
    step_s = next((step_s for step_s in _TIME_STEPS_S if window.length_s / step_s <= _MOST_TIMES), 86_400)
    axes.xaxis.set_major_locator(MultipleLocator(step_s))
    form = "%H:%M:%S" if step_s % 60 else "%H:%M"
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at_s, _: datetime.fromtimestamp(at_s, UTC).strftime(form)))
    for mark in marks:
        axes.axvline(mark.at_s, color=style.NAMED[mark.colour], lw=1, ls=(0, (4, 3)), alpha=0.8)


def _line(axes: Axes, line: Line, colour: str, step_s: float) -> None:
    """Draw one series, with a gap where it has no value for longer than a step."""
    times: list[float] = []
    values: list[float] = []
    for at_s, value in zip(line.series.times, line.series.values, strict=True):
        if times and at_s - times[-1] > 1.5 * step_s:
            times.append((times[-1] + at_s) / 2)
            values.append(float("nan"))
        times.append(at_s)
        values.append(value)
    axes.plot(times, values, color=colour, lw=1.4, solid_capstyle="round", zorder=3, clip_on=False)
    if len(line.series.values) == 1:
        axes.plot(times, values, color=colour, marker="o", ms=3)


def _scale(axes: Axes, defaults: Json) -> None:
    """Set the value axis in the panel's unit, with dashed lines at the limits within it."""
    low, high = axes.get_ylim()
    low, high = defaults.get("min", low), defaults.get("max", high)
    if high <= low:
        high = low + 1
    axes.set_ylim(low, high if "max" in defaults else high * 1.02)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: formatted(value, defaults["unit"])))
    axes.grid(visible=True, color=style.GRID, lw=0.6)
    axes.set_axisbelow(True)
    if defaults.get("custom", {}).get("thresholdsStyle", {}).get("mode") == "dashed":
        low, high = axes.get_ylim()
        for step in defaults["thresholds"]["steps"][1:]:
            if low <= step["value"] <= high:
                axes.axhline(step["value"], color=style.NAMED[step["color"]], lw=1, ls=(0, (6, 3)))


def _colour(line: Line, index: int, overrides: Sequence[Json]) -> str:
    for override in overrides:
        pattern = override["matcher"]["options"].strip("/")
        if override["matcher"]["id"] == "byRegexp" and re.search(pattern, line.legend):
            return style.NAMED[override["properties"][0]["value"]["fixedColor"]]
    return style.PALETTE[index % len(style.PALETTE)]


def _legend(sheet: Axes, box: Box, lines: Sequence[tuple[Line, str]], hidden: int, panel: Json) -> None:
    """Write the legend and its calculations, as many rows as fit."""
    unit = panel["fieldConfig"]["defaults"]["unit"]
    columns = [_CALCULATIONS[name] for name in panel["options"]["legend"]["calcs"]]
    edges = [box.x + box.width - 4 - _COLUMN_PX * index for index in range(len(columns))][::-1]
    y = box.y + _LEGEND_ROW_PX / 2
    for (title, _), edge in zip(columns, edges, strict=True):
        sheet.text(edge, y, title, ha="right", va="center", fontsize=style.SMALL_PT, color=style.FAINT)
    room_px = box.width - 26 - _COLUMN_PX * len(columns)
    for line, colour in lines:
        y += _LEGEND_ROW_PX
        sheet.plot([box.x + 2, box.x + 14], [y, y], color=colour, lw=2.5, solid_capstyle="butt")
        sheet.text(
            box.x + 20, y, style.fit(line.legend, room_px, 6.0), va="center", fontsize=style.SMALL_PT, color=style.TEXT
        )
        for (_, calculate), edge in zip(columns, edges, strict=True):
            text = formatted(calculate(line.series.values), unit)
            sheet.text(edge, y, text, ha="right", va="center", fontsize=style.SMALL_PT, color=style.TEXT)
    if hidden:
        y += _LEGEND_ROW_PX
        sheet.text(
            box.x + 20, y, f"and {hidden} more", va="center", fontsize=style.SMALL_PT, color=style.FAINT, style="italic"
        )
