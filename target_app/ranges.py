"""Range requests for a single range (RFC 9110, section 14)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes=[ \t]*(?:([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18}))[ \t]*", re.IGNORECASE)


class UnsatisfiableRangeError(ValueError):
    """A range that begins beyond the end of the file: status 416."""


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes from ``start`` up to, but not including, ``end``."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def content_range(self, size_bytes: int) -> str:
        """Write the header field for a file of ``size_bytes``."""
        return f"bytes {self.start}-{self.end - 1}/{size_bytes}"


def requested_range(headers: Mapping[str, str], etag: str, size_bytes: int) -> Range | None:
    """Find the requested range of a file with this ``etag`` and size; None for the whole file.

    Several ranges, other units and invalid ranges are ignored, as a server may; and any range if ``If-Range`` names
    another version. Raises UnsatisfiableRangeError.
    """
    found = _ONE_RANGE.fullmatch(headers.get("range", ""))
    if found is None or headers.get("if-range", etag) != etag:
        return None
    first, last, suffix = (None if part is None else int(part) for part in found.groups())
    if suffix is not None:
        first, last = max(0, size_bytes - suffix), None
    assert first is not None
    if last is not None and last < first:
        return None
    if first >= size_bytes:
        raise UnsatisfiableRangeError(f"expected a first byte below {size_bytes}, got {first}")
    return Range(first, size_bytes if last is None else min(last + 1, size_bytes))
