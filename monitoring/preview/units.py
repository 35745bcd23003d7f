"""Values in Grafana's units, as people read them."""

import math
from datetime import UTC, datetime

_SECONDS = ((1e-6, 1e9, "ns"), (1e-3, 1e6, "µs"), (1, 1e3, "ms"), (60, 1, "s"), (3600, 1 / 60, "min"))
_SUFFIXES = {"reqps": " req/s", "short": "", "none": ""}
_DECIMAL = ((1e9, "G"), (1e6, "M"), (1e3, "K"))
_BINARY = ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1, "B"))


def spoken(value: float, unit: str) -> str:
    """A value with its unit."""
    if math.isnan(value):
        return "NaN"
    if unit == "s":
        return seconds(value)
    if unit == "percentunit":
        digits = 4 if 0.99 < abs(value) < 1 else 3  # the last ones are what an objective is about
        return f"{_plain(value * 100, digits)} %"
    if unit in ("bytes", "binBps"):
        return _bytes(value) + ("/s" if unit == "binBps" else "")
    if unit == "dateTimeAsIso":
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    made, _, counted = unit.partition(":")  # Grafana's units of one's own making
    return _count(value) + (f" {counted}" if made == "count" else _SUFFIXES[unit])


def seconds(value: float) -> str:
    """A time in its natural unit, three digits."""
    if value == 0:
        return "0 s"
    for below, factor, name in _SECONDS:
        if abs(value) < below:
            return f"{value * factor:.3g} {name}"
    return f"{value / 3600:.3g} h"


def _bytes(value: float) -> str:
    size, name = next(((size, name) for size, name in _BINARY if abs(value) >= size), (1, "B"))
    return f"{_plain(value / size)} {name}"


def _count(value: float) -> str:
    size, name = next(((size, f" {name}") for size, name in _DECIMAL if abs(value) >= size), (1, ""))
    return _plain(value / size) + name


def _plain(value: float, digits: int = 3) -> str:
    """As many digits, but no exponent for what has that many before the point."""
    return f"{value:.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"
