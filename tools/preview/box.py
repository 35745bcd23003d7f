"""Rectangles on the page, in pixels from its upper left corner."""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from tools.preview import style

_TITLE_PX = 26
_ROUND = "round,pad=0,rounding_size=3"
_CHARACTER_PX = 7.4


@dataclass(frozen=True, slots=True)
class Box:
    """One rectangle."""

    x: float
    y: float
    width: float
    height: float

    def card(self, sheet: Axes, title: str) -> None:
        """Draw a panel's background and title."""
        corner = (self.x, self.y)
        sheet.add_patch(
            FancyBboxPatch(
                corner, self.width, self.height, boxstyle=_ROUND, facecolor=style.CARD, edgecolor=style.EDGE, lw=0.8
            )
        )
        shown = style.fit(title, self.width - 12, _CHARACTER_PX)
        sheet.text(
            self.x + 9, self.y + 15, shown, fontsize=style.TITLE_PT, weight="bold", va="center", color=style.TEXT
        )

    def inside(self) -> "Box":
        """The part of a card below its title."""
        return Box(self.x + 8, self.y + _TITLE_PX, self.width - 16, self.height - _TITLE_PX - 6)

    def cut(self, *, left: float = 0, top: float = 0, right: float = 0, bottom: float = 0) -> "Box":
        """The box without its edges."""
        return Box(self.x + left, self.y + top, self.width - left - right, self.height - top - bottom)

    def axes(self, sheet: Axes) -> Axes:
        """Add axes that fill the box."""
        figure = sheet.figure
        _, page_width = sheet.get_xlim()
        page_height, _ = sheet.get_ylim()
        bottom = 1 - (self.y + self.height) / page_height
        place = (self.x / page_width, bottom, self.width / page_width, self.height / page_height)
        made: Axes = figure.add_axes(place)
        made.set_facecolor(style.CARD)
        for side in ("top", "right"):
            made.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            made.spines[side].set_color(style.EDGE)
        made.tick_params(labelsize=style.SMALL_PT, colors=style.FAINT, length=3, width=0.6)
        return made

    def message(self, sheet: Axes, text: str) -> None:
        """Write a message in the middle."""
        middle = self.x + self.width / 2, self.y + self.height / 2
        sheet.text(*middle, text, ha="center", va="center", fontsize=11, color=style.FAINT, style="italic")
