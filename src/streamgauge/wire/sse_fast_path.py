"""The read that most reads of an event stream are: one whole transfer chunk with one whole event in it.

1. Its size line, hexadecimal and without extensions, says how long the read is, to the byte.
2. The data is one line. Before and behind it stand at most names and numeric ids, a line each.
3. Each line end is of its own kind: CRLF for the transfer chunk, LF for the event.
"""

import re

# No line can match in two ways: the time is linear in the read.
_SIZE, _ID, _NAME = rb"([0-9A-Fa-f]{1,7})\r\n", rb"id:[ ]?([0-9]{1,18})\n", rb"event:[ ]?+([^\r\n]*)\n"
_USUAL = b"(?:" + _ID + b")?(?:" + _NAME + b")?"
_OTHER = b"(?:" + _ID + b"|" + _NAME + b")*"
_usual, _any = (
    re.compile(_SIZE + fields + rb"data:.*\n" + fields + rb"\n\r\n").fullmatch for fields in (_USUAL, _OTHER)
)

#: The body bytes that it brings, the digits of the event's id, and the event's name; None for what there is not.
Whole = tuple[int, bytes | None, bytes | None]


def whole_event(data: bytes) -> Whole | None:
    """What such a read holds; None for any other read."""
    event = _usual(data) or _any(data)
    if event is None:
        return None
    size, number, name, number_behind, name_behind = event.groups()
    at = len(size) + 2
    end = at + int(size, 16)
    if end != len(data) - 2 or data.find(b"\r", at) != end:
        return None
    return end - at, number_behind or number, name if name_behind is None else name_behind
