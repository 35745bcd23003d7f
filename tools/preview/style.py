"""Colours and sizes of the pictures, and texts cut to fit."""

from collections.abc import Sequence

from monitoring.panels import Json

PAGE, CARD, EDGE, TEXT, FAINT, GRID = "#f4f5f7", "#ffffff", "#d5d8de", "#24292e", "#6b7280", "#e8eaee"
NAMED = {
    "green": "#2f9e44",
    "orange": "#e8790c",
    "red": "#d6293e",
    "purple": "#8f3bb8",
    "blue": "#3274d9",
    "text": TEXT,
}
PALETTE = (
    "#3274d9", "#e0a30b", "#2f9e44", "#a352cc", "#e8790c", "#19a3a3", "#c4479e", "#7a8c00", "#8a5a3c", "#5b6bd6",
    "#4fae8b", "#b8434f",
)  # fmt: skip

TITLE_PT, TEXT_PT, SMALL_PT = 9.5, 8.0, 7.5


def by_steps(value: float, steps: Sequence[Json]) -> str:
    """Find the colour of the highest threshold step that the value reaches."""
    chosen = steps[0]["color"]
    for step in steps[1:]:
        if value >= step["value"]:
            chosen = step["color"]
    return NAMED[chosen]


def fit(text: str, width_px: float, character_px: float) -> str:
    """Cut a text off where the room ends."""
    room = max(1, int(width_px / character_px))
    return text if len(text) <= room else text[: room - 1].rstrip() + "…"


def mapped(value: float | str, mappings: Sequence[Json]) -> tuple[str, str] | None:
    """Find the text and colour that a value mapping gives a value, if any."""
    for mapping in mappings:
        found = mapping["options"].get(value if isinstance(value, str) else f"{value:g}")
        if found:
            return found["text"], NAMED[found["color"]]
    return None
