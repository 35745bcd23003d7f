"""Stat panels: one number, coloured by its thresholds or named by its mapping."""

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes

from monitoring.panels import Json
from monitoring.preview import ink
from monitoring.preview.answers import Mark, Questions
from monitoring.preview.box import Box
from monitoring.preview.units import spoken

_CHARACTER_PX = 9.5


def draw(sheet: Axes, box: Box, panel: Json, questions: Questions, marks: Sequence[Mark]) -> None:
    """The panel's value, or that there is none. Raises QueryError."""
    del marks  # a number of now has no time axis
    lines = questions.lines(panel, round(box.width))
    defaults = panel["fieldConfig"]["defaults"]
    if not lines:
        box.say(sheet, defaults["noValue"])
        return
    value = lines[0].series.values[-1]
    named = ink.mapped(value, defaults.get("mappings", ()))
    text, colour = named or (spoken(value, defaults["unit"]), ink.by_steps(value, defaults["thresholds"]["steps"]))
    size_pt = min(24.0, 1.2 * box.width / len(text))
    if panel["options"]["textMode"] == "name":
        text, size_pt = _broken(lines[0].legend, box.width), 11.0
    middle = box.x + box.width / 2, box.y + box.height / 2
    sheet.text(*middle, text, ha="center", va="center", fontsize=size_pt, weight="bold", color=colour)


def _broken(text: str, width_px: float) -> str:
    """A sentence in as many lines as the width asks for."""
    return "\n".join(textwrap.wrap(text, max(1, int(width_px / _CHARACTER_PX))))
