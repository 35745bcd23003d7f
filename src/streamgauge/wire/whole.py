"""The read that most reads of an event stream are: one whole transfer chunk with one whole event in it.

1. Its size line is one that was parsed before, and says how long the read is.
2. It ends as an event and its transfer chunk end, and no line end but theirs and the size line's is of another kind.
3. It holds a ``data`` field at the beginning of a line.
"""

from streamgauge.wire.framing import KNOWN_SIZES


def whole_event(data: bytes) -> int:
    """How many body bytes ``data`` brings, where it is such a read and both stages are between two chunks; else 0."""
    line_end = data.find(b"\r\n")
    size = KNOWN_SIZES.get(data[:line_end])
    length = len(data)
    if (
        size == length - line_end - 4
        and data.find(b"\n\n") == length - 4
        and data.endswith(b"\r\n")
        and data.count(b"\r") == 2
        and (data.startswith(b"data:", line_end + 2) or b"\ndata:" in data)
    ):
        return size
    return 0
