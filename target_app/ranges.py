"""Range requests (RFC 9110, section 14), of one range: which part of a file is asked for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes=[ \t]*(?:([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18}))[ \t]*", re.IGNORECASE)


class UnsatisfiableRangeError(ValueError):
    """A range of which the file has no byte: status 416."""


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes from ``start`` on, up to but not with ``end``."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def content_range(self, size_bytes: int) -> str:
        """The header field of a part of so many bytes."""
        return f"bytes {self.start}-{self.end - 1}/{size_bytes}"


def asked_range(headers: Mapping[str, str], etag: str, size_bytes: int) -> Range | None:
    """The range that is asked for of what has this ``etag`` and size; None for the whole.

    Ignored, as a server may, are several ranges at once, other units, and what is no range; and any range, if
    ``If-Range`` names another version. Raises UnsatisfiableRangeError.
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
        raise UnsatisfiableRangeError(f"the first byte asked for is {first}, and there are {size_bytes}")
    return Range(first, size_bytes if last is None else min(last + 1, size_bytes))
