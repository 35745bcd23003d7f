"""Sums up one figure over several rounds, and prints tables that are wider than a terminal."""

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from rich.console import Console

_WIDTH = 170


def summary(values: Iterable[float | None]) -> dict[str, float] | None:
    """Return median, minimum and maximum; None without values."""
    known = [value for value in values if value is not None and not math.isnan(value)]
    return {"median": median(known), "min": min(known), "max": max(known), "count": len(known)} if known else None


def value_at(found: dict[str, Any] | None, *path: str) -> float | None:
    """Return the number at ``path``; None if there is none."""
    at: Any = found
    for key in path:
        at = at.get(key) if isinstance(at, dict) else None
    return at if isinstance(at, int | float) else None


def over_rounds(rounds: Sequence[dict[str, Any] | None], *path: str) -> dict[str, float] | None:
    """Return the summary of one figure over the rounds."""
    return summary(value_at(each, *path) for each in rounds)


def wide_console() -> Console:
    """Return the console for tables. A narrower terminal wraps their lines; rich would cut their numbers."""
    return Console(width=max(Console().width, _WIDTH))
