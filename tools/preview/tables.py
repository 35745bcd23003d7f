"""Draws table panels: headings, and as many rows as fit."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes

from monitoring.panels import Json
from tools.preview import style
from tools.preview.box import Box
from tools.preview.queries import Mark, PanelQueries
from tools.preview.units import formatted

#: A row's cells by heading, each a text and its colour.
_Row = Mapping[str, tuple[str, str]]
_ROW_PX, _PADDING_PX, _CHARACTER_PX = 24, 8, 6.4


def draw(sheet: Axes, box: Box, panel: Json, queries: PanelQueries, marks: Sequence[Mark]) -> None:
    """Draw the panel's rows. Raises QueryError."""
    del marks  # no time axis
    table = queries.table(panel, round(box.width))
    if not table.rows:
        box.message(sheet, panel["fieldConfig"]["defaults"]["noValue"])
        return
    properties = _properties(panel)
    cells = [{key: _shown(row.get(key), properties[key]) for key in table.columns} for row in table.rows]
    edges = _edges(box, table.columns, cells)
    room = int(box.height / _ROW_PX) - 1
    shown = cells if len(cells) <= room else cells[: room - 1]
    for heading, (left, right) in zip(table.columns, edges, strict=True):
        of_labels = properties[heading]["unit"] == "string"
        _cell(sheet, (left, right), box.y + _ROW_PX / 2, heading, style.FAINT, to_left=of_labels)
    for index, row in enumerate(shown, 1):
        y = box.y + index * _ROW_PX
        sheet.plot([box.x, box.x + box.width], [y, y], color=style.GRID, lw=0.8)
        for heading, place in zip(table.columns, edges, strict=True):
            text, colour = row[heading]
            _cell(sheet, place, y + _ROW_PX / 2, text, colour, to_left=properties[heading]["unit"] == "string")
    if len(shown) < len(table.rows):
        y = box.y + (len(shown) + 1.5) * _ROW_PX
        more = f"and {len(table.rows) - len(shown)} more"
        sheet.text(box.x + _PADDING_PX, y, more, va="center", color=style.FAINT, style="italic")


def _properties(panel: Json) -> dict[str, dict[str, Any]]:
    """Index each column's field properties by its heading."""
    return {
        override["matcher"]["options"]: {each["id"]: each["value"] for each in override["properties"]}
        for override in panel["fieldConfig"]["overrides"]
    }


def _edges(
    box: Box, columns: Sequence[str], cells: Sequence[Mapping[str, tuple[str, str]]]
) -> list[tuple[float, float]]:
    """Find each column's edges: the width is shared in proportion to the longest texts."""
    wanted = [max(len(heading), *(len(row[heading][0]) for row in cells)) + 3 for heading in columns]
    edges = [0.0]
    for each in wanted:
        edges.append(edges[-1] + each / sum(wanted) * box.width)
    return [(box.x + left, box.x + right) for left, right in pairwise(edges)]


def _shown(cell: str | float | None, properties: Mapping[str, Any]) -> tuple[str, str]:
    """Find a cell's text and colour."""
    named = style.mapped(cell, properties.get("mappings", ())) if cell is not None else None
    if named:
        return named
    if cell is None or isinstance(cell, str):
        return cell or "", style.TEXT
    steps = properties["thresholds"]["steps"] if "thresholds" in properties else None
    return formatted(cell, properties["unit"]), style.by_steps(cell, steps) if steps else style.TEXT


def _cell(sheet: Axes, edges: tuple[float, float], y: float, text: str, colour: str, *, to_left: bool) -> None:
    left, right = edges
    shown = style.fit(text, right - left - _PADDING_PX, _CHARACTER_PX)
    x = left + _PADDING_PX if to_left else right - _PADDING_PX
    sheet.text(x, y, shown, ha="left" if to_left else "right", va="center", color=colour)
