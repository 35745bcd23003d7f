"""Draws stat panels: one number, coloured by its thresholds or named by its mapping."""

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes

from monitoring.panels import Json
from tools.preview import style
from tools.preview.box import Box
from tools.preview.queries import Mark, PanelQueries
from tools.preview.units import formatted

_CHARACTER_PX = 9.5


def draw(sheet: Axes, box: Box, panel: Json, queries: PanelQueries, marks: Sequence[Mark]) -> None:
    """Draw the panel's value, or its text for no value. Raises QueryError."""
    del marks  # no time axis
    lines = queries.lines(panel, round(box.width))
    defaults = panel["fieldConfig"]["defaults"]
    if not lines:
        box.message(sheet, defaults["noValue"])
        return
    value = lines[0].series.values[-1]
    named = style.mapped(value, defaults.get("mappings", ()))
    text, colour = named or (formatted(value, defaults["unit"]), style.by_steps(value, defaults["thresholds"]["steps"]))
    size_pt = min(24.0, 1.2 * box.width / len(text))
    if panel["options"]["textMode"] == "name":
        text, size_pt = _wrapped(lines[0].legend, box.width), 11.0
    middle = box.x + box.width / 2, box.y + box.height / 2
    sheet.text(*middle, text, ha="center", va="center", fontsize=size_pt, weight="bold", color=colour)


def _wrapped(text: str, width_px: float) -> str:
    """Wrap a sentence to the width."""
    return "\n".join(textwrap.wrap(text, max(1, int(width_px / _CHARACTER_PX))))
