"""Writes numbers for people: durations, counts, sizes, rates and shares, the same way in every report."""

import math
from collections.abc import Sequence

NONE = "–"
_SMALLEST_SHARE = 0.0001
_DURATION_UNITS = ((1e-6, "µs"), (1e-3, "ms"), (1.0, "s"))
_SIZE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def significant(value: float, digits: int = 3) -> str:
    """Return ``value`` to ``digits`` significant digits, never in exponent form; integer digits are all kept.

    >>> significant(0.012345), significant(52.0), significant(123456.7)
    ('0.0123', '52.0', '123457')
    """
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    return f"{value:.{max(0, digits - 1 - math.floor(math.log10(abs(rounded))))}f}"


def duration(value_s: float | None, digits: int = 3) -> str:
    """Return a duration in a suitable unit: ``340 µs``, ``52.1 ms``, ``1.20 s``, ``2 min 05 s``."""
    if value_s is None:
        return NONE
    if math.isinf(value_s):
        return "∞"
    if value_s == 0:
        return "0 s"
    for unit_s, unit in _DURATION_UNITS:
        limit = 60 if unit == "s" else 1000
        text = significant(value_s / unit_s, digits)
        if float(text) < limit:
            return f"{text} {unit}"
    minutes, seconds = divmod(round(value_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s"


def _telling_digits(least_s: float, most_s: float) -> int:
    """Return how many significant digits tell two durations apart: 3 for most."""
    return next((digits for digits in range(3, 7) if duration(least_s, digits) != duration(most_s, digits)), 3)


def estimate(value_s: float | None, between: Sequence[float] | None) -> str:
    """Return a duration; if it is known as a range, with a mark and the digits of that range: ``≈ 52.1 ms``."""
    if value_s is None or not between:
        return duration(value_s)
    return f"≈ {duration(value_s, _telling_digits(*between))}"


def interval(least_s: float, most_s: float) -> str:
    """Return a range of durations, with one unit if both have the same, and digits that differ: ``40.0–52.1 ms``."""
    digits = _telling_digits(least_s, most_s)
    least, most = duration(least_s, digits), duration(most_s, digits)
    if least == most:
        return least
    number, _, unit = least.rpartition(" ")
    return f"{number}–{most}" if " " not in number and unit == most.partition(" ")[2] else f"{least} – {most}"


def bucket(bounds: Sequence[float | None] | None) -> str:
    """Return a value of which only the histogram bucket is known: ``≤ 75 ms``, or ``> 10 s`` in the last bucket."""
    if bounds is None:
        return NONE
    above_s, at_most_s = bounds
    return f"> {_bound(above_s or 0.0)}" if at_most_s is None else f"≤ {_bound(at_most_s)}"


def _bound(value_s: float) -> str:
    """Return a bucket's bound without padding digits: ``250 µs``, ``75 ms``, ``2.5 s``."""
    unit_s, unit = next((each for each in reversed(_DURATION_UNITS) if value_s >= each[0]), _DURATION_UNITS[0])
    return f"{value_s / unit_s:.10g} {unit}"


def number(value: int) -> str:
    """Return a count with separated thousands: ``12,345``."""
    return f"{value:,}"


def rate(per_s: float | None) -> str:
    """Return a rate per second as a bare number: ``1,234`` or ``0.52``."""
    if per_s is None:
        return NONE
    return f"{per_s:,.0f}" if per_s >= 100 else significant(per_s)


def size(value_bytes: float) -> str:
    """Return bytes in decimal units: ``640 B``, ``1.20 MB``."""
    for unit in _SIZE_UNITS[:-1]:
        text = f"{value_bytes:.0f}" if unit == "B" else significant(value_bytes)
        if float(text) < 1000:
            return f"{text} {unit}"
        value_bytes /= 1000
    return f"{significant(value_bytes)} {_SIZE_UNITS[-1]}"


def share(value: float | None) -> str:
    """Return a share of one as a percentage; 0 % and 100 % mean exactly none and all."""
    if value is None:
        return NONE
    if value == 0 or value == 1:
        return f"{value:.0%}".replace("%", " %")
    if value < _SMALLEST_SHARE:
        return "<0.01 %"
    if value > 1 - _SMALLEST_SHARE and value < 1:
        return ">99.99 %"
    decimals = 0 if value > 1 else 2 if value < 0.1 or value > 0.999 else 1
    return f"{value * 100:.{decimals}f} %"


def some(count: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun: ``1 stream``, ``12 streams``."""
    return f"{number(count)} {noun if count == 1 else plural or noun + 's'}"
