"""Reads counts of bytes and rates of bytes in the text of options, such as ``64KiB`` and ``10KB/s``."""

import re

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_COUNT = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([A-Za-z]*)", re.ASCII)


def byte_count(text: str) -> int:
    """Read a count of bytes above 0. Raises ValueError."""
    if (found := _bytes(text.strip())) is None:
        raise ValueError(f"expected a size such as 64KiB, got {text!r}")
    return found


def byte_rate(text: str) -> int:
    """Read a rate above 0, in bytes per second. Raises ValueError."""
    count, slash, unit = text.strip().rpartition("/")
    if not slash or unit.strip() != "s" or (found := _bytes(count.strip())) is None:
        raise ValueError(f"expected a rate such as 10KB/s, got {text!r}")
    return found


def _bytes(text: str) -> int | None:
    found = _COUNT.fullmatch(text)
    unit = _UNITS.get(found[2].upper()) if found else None
    return (round(float(found[1]) * unit) or None) if found and unit else None
