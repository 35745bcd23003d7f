"""The read that most reads of an event stream are: one whole transfer chunk with one whole event in it.

1. Its size line, hexadecimal without leading zeros, says how long the read is, to the byte.
2. The data is one line. Before and behind it stand at most names and numeric ids, a line each.
3. Each line end is of its own kind: CRLF for the transfer chunk, LF for the event.
"""

import re
from functools import lru_cache

# No line can match in two ways: the time is linear in the read.
_ID, _NAME = rb"id:[ ]?([0-9]{1,18})\n", rb"event:[ ]?+([^\r\n]*)\n"
_OTHER = b"(?:" + _ID + b"|" + _NAME + b")*"
_usual = re.compile(b"(?:" + _ID + b")?(?:" + _NAME + b")?" + rb"data:.*\n\n\r\n").fullmatch
_any = re.compile(_OTHER + rb"data:.*\n" + _OTHER + rb"\n\r\n").fullmatch

#: The body bytes that it brings, the digits of the event's id, and the event's name; None for what there is not.
Whole = tuple[int, bytes | None, bytes | None]


def whole_event(data: bytes) -> Whole | None:
    """What such a read holds; None for any other read."""
    length = len(data)
    size_lines = _size_lines(length)
    if not data.startswith(size_lines):
        return None
    at = len(size_lines[0])
    event = _usual(data, at)
    if event is not None:
        number, name = event.groups()
    elif (event := _any(data, at)) is not None:
        before, name_before, behind, name_behind = event.groups()
        number, name = behind or before, name_before if name_behind is None else name_behind
    if event is None or data.find(b"\r", at) != length - 2:
        return None
    return length - at - 2, number, name


@lru_cache(1024)
def _size_lines(length: int) -> tuple[bytes, ...]:
    """The size line, in both spellings, of a transfer chunk that is ``length`` bytes long with it."""
    for digits in range(1, 8):
        size = b"%x" % max(0, length - digits - 4)
        if len(size) == digits:
            return size + b"\r\n", size.upper() + b"\r\n"
    return ()  # a length that no transfer chunk has
