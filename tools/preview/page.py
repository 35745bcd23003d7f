"""Draws one dashboard: its heading, its grid of panels, and a mark that the picture is not Grafana."""

from datetime import UTC, datetime
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from monitoring.panels import WIDTH, Json
from tools.preview import charts, heatmaps, stats, style, tables
from tools.preview.box import Box
from tools.preview.queries import PanelQueries

MARK = "Preview, drawn by streamgauge; not Grafana"
PAGE_PX, HEAD_PX, CELL_PX, GAP_PX, MARGIN_PX = 1500, 64, 38, 8, 12
DPI = 100
COLOURS = 160

_DRAWERS = {"stat": stats.draw, "timeseries": charts.draw, "heatmap": heatmaps.draw, "table": tables.draw}


def draw(dashboard: Json, queries: PanelQueries, path: Path) -> None:
    """Write the dashboard's picture. Raises QueryError, OSError."""
    panels = dashboard["panels"]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    height_px = HEAD_PX + rows * CELL_PX + MARGIN_PX
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": style.TEXT_PT, "axes.linewidth": 0.6}):
        figure = Figure(figsize=(PAGE_PX / DPI, height_px / DPI), dpi=DPI, facecolor=style.PAGE)
        sheet = figure.add_axes((0, 0, 1, 1))
        sheet.set(xlim=(0, PAGE_PX), ylim=(height_px, 0))
        sheet.axis("off")
        _head(sheet, dashboard, queries)
        marks = queries.marks(dashboard)
        for panel in panels:
            box = _place(panel["gridPos"])
            if panel["type"] == "row":
                _row(sheet, box, panel["title"])
                continue
            box.card(sheet, panel["title"])
            _DRAWERS[panel["type"]](sheet, box.inside(), panel, queries, marks)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=DPI)
    _shrink(path)


def _place(grid: Json) -> Box:
    """Convert a place on the grid to pixels on the page."""
    column_px = (PAGE_PX - 2 * MARGIN_PX + GAP_PX) / WIDTH
    return Box(
        MARGIN_PX + grid["x"] * column_px,
        HEAD_PX + grid["y"] * CELL_PX,
        grid["w"] * column_px - GAP_PX,
        grid["h"] * CELL_PX - GAP_PX,
    )


def _head(sheet: Axes, dashboard: Json, queries: PanelQueries) -> None:
    """Draw title, mark, variables and time range."""
    variables = queries.variables
    sheet.text(
        MARGIN_PX, 20, f"streamgauge / {dashboard['title']}", fontsize=14, weight="bold", va="center", color=style.TEXT
    )
    sheet.text(
        PAGE_PX - MARGIN_PX, 20, MARK, fontsize=10, ha="right", va="center", color="white", weight="bold",
        bbox={"boxstyle": "round,pad=0.4", "facecolor": "#5b21b6", "edgecolor": "none"},
    )  # fmt: skip
    chosen = "  ·  ".join(f"{label}: {value}" for label, value in variables.shown.items())
    sheet.text(MARGIN_PX, 46, style.fit(chosen, PAGE_PX - 300, 6.4), va="center", color=style.FAINT)
    start, end = (datetime.fromtimestamp(at_s, UTC) for at_s in (variables.window.start_s, variables.window.end_s))
    shown = f"{start:%Y-%m-%d %H:%M:%S} to {end:%H:%M:%S} UTC"
    sheet.text(PAGE_PX - MARGIN_PX, 46, shown, ha="right", va="center", color=style.FAINT)


def _row(sheet: Axes, box: Box, title: str) -> None:
    sheet.text(box.x, box.y + box.height / 2, title, fontsize=11, weight="bold", va="center", color=style.TEXT)


def _shrink(path: Path) -> None:
    """Reduce the colours: text and lines need few, and the file is a third as large."""
    with Image.open(path) as image:
        reduced = image.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    reduced.save(path, optimize=True)
