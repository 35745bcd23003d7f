"""Formats values in Grafana's units."""

import math
from datetime import UTC, datetime

_SECONDS = ((1e-6, 1e9, "ns"), (1e-3, 1e6, "µs"), (1, 1e3, "ms"), (60, 1, "s"), (3600, 1 / 60, "min"))
_DECIMAL = ((1e9, " G"), (1e6, " M"), (1e3, " K"))
_BINARY = ((2.0**30, " GiB"), (2.0**20, " MiB"), (2.0**10, " KiB"), (1, " B"))


def formatted(value: float, unit: str) -> str:
    """Format a value with its unit, to three digits."""
    if math.isnan(value):
        return "NaN"
    if unit == "s":
        return _seconds(value)
    if unit == "percentunit":
        digits = 4 if 0.99 < abs(value) < 1 else 3  # the last ones are what an objective is about
        return f"{_plain(value * 100, digits)} %"
    if unit == "dateTimeAsIso":
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    if unit in ("bytes", "binBps"):
        return _scaled(value, _BINARY, " B") + ("/s" if unit == "binBps" else "")
    _, _, counted = unit.partition("count:")
    return _scaled(value, _DECIMAL, "") + (f" {counted}" if counted else " req/s" if unit == "reqps" else "")


def _seconds(value: float) -> str:
    if value == 0:
        return "0 s"
    for below, factor, name in _SECONDS:
        if abs(value) < below:
            return f"{value * factor:.3g} {name}"
    return f"{value / 3600:.3g} h"


def _scaled(value: float, scales: tuple[tuple[float, str], ...], otherwise: str) -> str:
    size, name = next(((size, name) for size, name in scales if abs(value) >= size), (1, otherwise))
    return _plain(value / size) + name


def _plain(value: float, digits: int = 3) -> str:
    """Format so many digits, without an exponent if the integer part has as many."""
    return f"{value:.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"
