"""The warm-up of a run: what its figures leave out, as the user asks for it."""

from dataclasses import dataclass
from math import ceil

from streamgauge.durations import seconds_of

#: Leaves out what comes before the steady window.
AUTO = "auto"
#: Longer than any run.
LONGEST_S = 1e9


@dataclass(frozen=True, slots=True)
class WarmUp:
    """A warm-up that was asked for."""

    asked: str
    seconds: int | None
    """How long it lasts from the start of the run, in whole seconds; None if the run itself has to show it."""


def read_warm_up(text: str) -> WarmUp:
    """Read a duration such as 30s, or ``auto``. Raises ValueError."""
    text = text.strip()
    if text == AUTO:
        return WarmUp(AUTO, None)
    try:
        seconds = seconds_of(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST_S:
        raise ValueError(f"expected a duration such as 30s, above 0 and up to {LONGEST_S:g} s, or auto, got {text!r}")
    return WarmUp(text, ceil(seconds))
