"""Read durations as users write them, such as 30s or 1m30s. Standard library only."""

import re

_DURATION = re.compile(r"(?=\d)(?:(\d{1,12})h)?(?:(\d{1,12})m)?(?:(\d{1,12}(?:\.\d*)?(?:e[+-]?\d{1,2})?)s?)?", re.ASCII)


def seconds_of(text: str) -> float:
    """Read a duration such as ``30s``, ``1m30s``, ``2h`` or, in seconds, ``0.5``. Raises ValueError."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"expected a duration such as 30s or 1m30s, got {text!r}")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds
