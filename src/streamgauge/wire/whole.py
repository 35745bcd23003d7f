"""The read that most reads of an event stream are: one whole transfer chunk with one whole event in it.

1. Its size line says how long the read is, to the byte.
2. The data is one line. Before and behind it stand at most names and numeric ids, a line each.
3. Each line end is of its own kind: CRLF for the transfer chunk, LF for the event.
"""

import re

# No line can match in two ways: the time is linear in the read.
_OTHER = rb"(?:id:[ ]?([0-9]{1,18})\n|event:([^\r\n]*)\n)*"
_before = re.compile(rb"([0-9A-Fa-f]{1,7})\r\n" + _OTHER + b"data:").match
_behind = re.compile(rb"\n" + _OTHER + rb"\n\r\n").fullmatch

#: The body bytes that it brings, the digits of the event's id, and the event's name; None for what there is not.
Whole = tuple[int, bytes | None, bytes | None]


def whole_event(data: bytes) -> Whole | None:
    """What such a read holds; None for any other read."""
    before = _before(data)
    if before is None:
        return None
    text_at, length = before.end(), len(data)
    text_end = data.find(b"\n", text_at)
    size_line, number, name = before.groups()
    size = int(size_line, 16)
    if data.find(b"\r", text_at) != length - 2 or size != length - len(size_line) - 4:
        return None
    if text_end == length - 4:
        return (size, number, _name(name)) if data.endswith(b"\n\n\r\n") else None
    behind = _behind(data, text_end)
    if behind is None:
        return None
    last_number, last_name = behind.groups()
    return size, last_number or number, _name(name if last_name is None else last_name)


def _name(value: bytes | None) -> bytes | None:
    """A field's value, without the one space that may stand before it."""
    return value[1:] if value is not None and value.startswith(b" ") else value
