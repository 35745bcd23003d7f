"""Reads a trace: the recorded times at which streams arrived. Standard library only.

A line is a JSON object with ``timestamp`` in milliseconds, as in Mooncake's traces, or a plain number of seconds.
"""

import json
import math
from pathlib import Path

_EXPECTED = 'expected lines such as {"timestamp": 1500} (milliseconds) or 1.5 (seconds)'


def read_trace(name: str, scale: float) -> tuple[float, ...]:
    """Return the times of a trace in seconds since its first one, in order; ``scale`` 2 makes it twice as fast.

    Raises ValueError that names the file and the line.
    """
    try:
        lines = Path(name).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ValueError(f"cannot read {name!r}: {error.strerror}") from None
    except ValueError:  # the name contains a NUL, or the file is not UTF-8
        raise ValueError(f"cannot read {name!r}: {_EXPECTED}") from None
    times = sorted(_seconds(name, number, line) for number, line in enumerate(lines, 1) if line.strip())
    if not times:
        raise ValueError(f"cannot read {name!r}: it is empty; {_EXPECTED}")
    return tuple((time_s - times[0]) / scale for time_s in times)


def _seconds(name: str, number: int, line: str) -> float:
    try:
        found = json.loads(line)
        time_s = found["timestamp"] / 1000 if isinstance(found, dict) else found
        if isinstance(time_s, bool) or not math.isfinite(time_s):
            raise ValueError
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
        raise ValueError(f"cannot read {name!r}, line {number}, {line[:60]!r}: {_EXPECTED}") from None
    return float(time_s)
