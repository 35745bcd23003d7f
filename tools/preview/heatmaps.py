"""Draws heatmap panels: a histogram's buckets over time, darker for more observations."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm

from monitoring.panels import Json
from tools.preview import style
from tools.preview.box import Box
from tools.preview.charts import time_axis
from tools.preview.queries import Line, Mark, PanelQueries
from tools.preview.units import formatted

_AXIS_PX, _TICKS_PX, _LABEL_PX = 62, 20, 15


def draw(sheet: Axes, box: Box, panel: Json, queries: PanelQueries, marks: Sequence[Mark]) -> None:
    """Draw the panel's cells. Raises QueryError."""
    lines = queries.lines(panel, round(box.width))
    window = queries.variables.window
    step_s = window.interval_s(round(box.width))
    bounds, times, cells = _cells(lines, step_s)
    options = panel["options"]
    visible = np.ma.masked_less_equal(cells, options["filterValues"]["le"])
    if not lines or not visible.count():
        box.message(sheet, panel["fieldConfig"]["defaults"]["noValue"])
        return
    axes = box.cut(left=_AXIS_PX, bottom=_TICKS_PX + 4, right=16, top=8).axes(sheet)
    axes.pcolormesh(
        [*times, times[-1] + step_s],
        np.arange(len(bounds) + 1),
        visible,
        cmap=options["color"]["scheme"],
        norm=PowerNorm(options["color"]["exponent"], vmin=0, vmax=float(visible.max())),
        rasterized=True,
    )
    _rows(axes, bounds, options["yAxis"]["unit"], box.height)
    time_axis(axes, window, marks)


def _cells(lines: Sequence[Line], step_s: float) -> tuple[list[float], list[float], np.ndarray]:
    """Compute bounds, times, and the rate in each bucket alone: Prometheus's buckets include those below."""
    ordered = sorted(lines, key=lambda line: float(line.series.labels["le"]))
    stamps = sorted({at_s for line in ordered for at_s in line.series.times})
    times = list(np.arange(stamps[0], stamps[-1] + step_s / 2, step_s)) if stamps else []
    place = {round(at_s): index for index, at_s in enumerate(times)}
    cumulative = np.zeros((len(ordered), len(times)))
    for row, line in enumerate(ordered):
        for at_s, value in zip(line.series.times, line.series.values, strict=True):
            cumulative[row, place[round(at_s)]] = value
    bounds = [float(line.series.labels["le"]) for line in ordered]
    return bounds, times, np.clip(np.diff(cumulative, axis=0, prepend=0), 0, None)


def _rows(axes: Axes, bounds: Sequence[float], unit: str, height_px: float) -> None:
    """Label each bucket's upper edge with its bound, as many as are legible."""
    every = max(1, round(_LABEL_PX * len(bounds) / height_px + 0.4))
    places = range(every, len(bounds) + 1, every)
    labels = ["+Inf" if bounds[place - 1] == float("inf") else formatted(bounds[place - 1], unit) for place in places]
    axes.set_yticks(list(places), labels)
    axes.set_ylim(0, len(bounds))
    axes.grid(visible=True, axis="y", color=style.GRID, lw=0.5)
    axes.set_axisbelow(True)
