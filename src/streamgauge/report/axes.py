"""Makes the axes of the report's charts for plotly.js: every tick has its unit, and counts have whole ticks."""

import math
from collections.abc import Sequence
from typing import Any

Figure = dict[str, Any]

#: From this ratio of the largest value to the smallest, the axis is logarithmic.
_WIDE = 20
#: Up to this many decades, a log axis has room for labels at 1, 2 and 5 in each decade.
_FEW_DECADES = 2.5
#: Up to this count, each whole number has a tick; above it, plotly's own ticks are whole numbers.
_SMALL_COUNT = 6
#: From this duration on, ticks are in plain seconds: plotly would write 2000 s as 2 ks.
_MANY_S = 1000
_KILO = 1000


def count_axis(values: Sequence[float | None], unit: str = "") -> Figure:
    """Return an axis of counts, or of a rate with a ``unit`` such as ``/s``."""
    axis: Figure = {"rangemode": "tozero", "tickformat": ",~f", "ticksuffix": unit, "hoverformat": ",~f"}
    seen = [value for value in values if value]
    whole = all(value == int(value) for value in seen)
    return axis | ({"dtick": 1} if whole and max(seen, default=0) <= _SMALL_COUNT else {})


def byte_rate_axis(values: Sequence[float | None]) -> Figure:
    """Return an axis of bytes per second, in B/s, kB/s, MB/s or GB/s."""
    if max((value for value in values if value), default=0) < _KILO:
        return count_axis(values, " B/s")
    return {"rangemode": "tozero", "tickformat": "~s", "ticksuffix": "B/s", "hoverformat": ".3~s"}


def duration_axis(values_s: Sequence[float | None]) -> Figure:
    """Return an axis of durations, in s, ms or µs; it is logarithmic if the values are far apart."""
    axis: Figure = {"tickformat": "~s", "ticksuffix": "s", "hoverformat": ".3~s"}
    seen = [value for value in values_s if value]
    if max(seen, default=0) >= _MANY_S:
        axis |= {"tickformat": ",~f", "hoverformat": ",.4~g"}
    if not seen or max(seen) / min(seen) <= _WIDE:
        return axis | {"rangemode": "tozero"}
    return axis | log_duration_axis(min(seen), max(seen), margin=0.1)


def log_duration_axis(least_s: float, most_s: float, margin: float = 0.0) -> Figure:
    """Return a logarithmic axis from one duration to another, with a margin of so many decades."""
    low, high = math.log10(least_s), math.log10(most_s)
    steps = (1, 2, 5) if high - low < _FEW_DECADES else (1,)
    ticks_s = [step * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for step in steps]
    return {
        "type": "log",
        "range": [low - margin, high + margin],
        "tickvals": ticks_s,
        "ticktext": [_tick(tick_s) for tick_s in ticks_s],
    }


def _tick(value_s: float) -> str:
    for unit_s, unit in ((1, "s"), (1e-3, "ms")):
        if value_s >= unit_s * 0.999:
            return f"{value_s / unit_s:.0f}{unit}"
    return f"{value_s * 1e6:.3g}µs"


def time_axis(unit: str) -> Figure:
    """Return the axis of the time into the run, in ``s`` or ``min``."""
    return {
        "title": {"text": "time into the run"},
        "ticksuffix": f" {unit}",
        "hoverformat": ".6~g",
        "rangemode": "nonnegative",
    }


def percentile_axis(count: int) -> Figure:
    """Return HdrHistogram's axis: even steps from 90 % to 99 % to 99.9 %, as far as ``count`` values allow."""
    nines = max(1, math.ceil(math.log10(count)))
    ticks = {1: "0 %", 2: "50 %", 10: "90 %"}
    ticks |= {10**power: f"{100 - 100 / 10**power:.{power - 2}f} %" for power in range(2, nines + 1)}
    return {
        "type": "log",
        "range": [0, math.log10(max(count, 10)) * 1.02],
        "tickvals": list(ticks),
        "ticktext": list(ticks.values()),
        "title": {"text": "percentile"},
    }
