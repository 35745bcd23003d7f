"""Finds the steady window of a run: from when on its figures kept their level, or why there is no such time.

1. MSER says for each series where its start ends (``truncation.py``); the window begins after the latest of these.
2. Each series is tested from there to the end of the load: for a trend, a shift, and a wave (``level_tests.py``).
3. If one of them changed, the window begins a twentieth of the run later, again and again, but not later than after
   40 % of the run: a window that leaves out more would be chosen by its result.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, expm1

from streamgauge.verdict.steady.level_tests import Change, change
from streamgauge.verdict.steady.run_series import LEAST_POINTS, Series, Slice, series_of
from streamgauge.verdict.steady.truncation import truncation

#: The start may take so much of the run.
MOST_START = 1 / 3
_STEP = 0.05


@dataclass(frozen=True, slots=True)
class Steady:
    """The steady window of a run, in seconds from its start; or why there is none."""

    window_s: tuple[int, int] | None
    reason: str
    """Why there is no steady window, as part of a sentence; empty if there is one."""
    series: tuple[str, ...]
    """The keys of the series that were judged."""
    slice_s: int
    """How many seconds a slice covered: the window is exact to this."""


def steady_window(slices: Sequence[Slice], width_s: int, load_until_s: float) -> Steady:
    """Search the slices of a run, whose load ended at ``load_until_s``: then its users began to stop."""
    loaded = [(begin_s, part) for begin_s, part in slices if begin_s >= 0 and begin_s + width_s <= load_until_s]
    if len(loaded) < LEAST_POINTS:
        seconds = len(loaded) * width_s
        return Steady(None, f"the load lasted for {seconds} s; it takes {LEAST_POINTS} s to tell", (), width_s)
    series = series_of(loaded, width_s)
    keys = tuple(each.key for each in series)
    if not series:
        return Steady(None, "too few chunks came to tell", (), width_s)
    begin_s, end_s = loaded[0][0], loaded[-1][0] + width_s
    found = search(series, begin_s, end_s)
    if isinstance(found, str):
        return Steady(None, found, keys, width_s)
    starts = [start_s for start_s, _ in loaded if start_s >= found]
    return Steady((starts[0], end_s), "", keys, width_s)


def search(series: Sequence[Series], begin_s: int, end_s: int) -> float | str:
    """Return when the window begins, or why there is none, as part of a sentence."""
    length_s = end_s - begin_s
    latest_s = begin_s + MOST_START * length_s
    first_s = max(_start_s(each, latest_s) for each in series)
    changed: tuple[Series, Change] | None = None
    from_s = float(first_s)
    while from_s <= latest_s:
        found = _changed(series, from_s)
        if found is None:
            return from_s
        changed = changed or found
        from_s += _STEP * length_s
    assert changed is not None  # the start is never later than the latest
    return _words(*changed, first_s, end_s)


def _start_s(series: Series, latest_s: float) -> int:
    """Return when the start of a series ends."""
    most = sum(start_s <= latest_s for start_s in series.starts_s) - 1
    return series.starts_s[truncation(series.values, max(0, most))]


def _changed(series: Sequence[Series], from_s: float) -> tuple[Series, Change] | None:
    for each in series:
        if (found := change(each.since(from_s), each.least)) is not None:
            return each, found
    return None


def _words(series: Series, found: Change, from_s: int, end_s: int) -> str:
    direction = "rose" if found.amount > 0 else "fell"
    by = f"{abs(expm1(found.amount)):.0%}".replace("%", " %")
    if found.kind == "trend":
        return f"{series.title} {direction} by {by} from {from_s} s to {end_s} s"
    if found.kind == "shift":
        return f"{series.title} {direction} by {by} at {series.start_s(from_s, found.at)} s"
    if found.amount > 1:
        by = f"a factor of {exp(found.amount):.1f}"
    return f"{series.title} went up and down by {by} from {from_s} s to {end_s} s"
