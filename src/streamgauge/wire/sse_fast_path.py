"""Parse the most frequent read of an event stream: one whole transfer chunk that contains one whole event.

1. The size line is hexadecimal, without extensions, and gives exactly the length of the read.
2. The data is one line. Only names and numeric ids, one per line, stand before and after it.
3. Lines of the transfer chunk end with CRLF, lines of the event with LF.
"""

import re

# No line can match in two ways, so matching takes linear time.
_SIZE, _ID, _NAME = rb"([0-9A-Fa-f]{1,7})\r\n", rb"id:[ ]?([0-9]{1,18})\n", rb"event:[ ]?+([^\r\n]*)\n"
_USUAL = b"(?:" + _ID + b")?(?:" + _NAME + b")?"
_OTHER = b"(?:" + _ID + b"|" + _NAME + b")*"
_usual, _any = (
    re.compile(_SIZE + fields + rb"data:.*\n" + fields + rb"\n\r\n").fullmatch for fields in (_USUAL, _OTHER)
)

#: The length of the empty line that closes an event, and of the line end before it: they are not part of its size.
CLOSING_BYTES = 2

#: The number of body bytes, the digits of the event's id, and the event's name; None for a missing id or name.
Whole = tuple[int, bytes | None, bytes | None]


def whole_event(data: bytes) -> Whole | None:
    """Return the content of such a read; None for any other read."""
    event = _usual(data) or _any(data)
    if event is None:
        return None
    size, number, name, number_behind, name_behind = event.groups()
    at = len(size) + 2
    end = at + int(size, 16)
    if end != len(data) - 2 or data.find(b"\r", at) != end:
        return None
    return end - at, number_behind or number, name if name_behind is None else name_behind
