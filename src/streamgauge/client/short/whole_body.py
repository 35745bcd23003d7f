"""Takes apart the whole body of a short event stream at once, if every transfer chunk of it is one plain event.

``wire.sse_fast_path`` does the same for a single read; rules 1 to 3 there say what a plain event is. Every other body
is for the stages of ``client.read.body``.
"""

import re
from itertools import accumulate

from streamgauge.wire.http1_body import KNOWN_SIZES

#: What closes a body without a trailer.
LAST = b"0\r\n\r\n"
# No part can match in two ways, and none is tried again, so matching takes linear time.
_FIELDS = rb"(?:id:[ ]?[0-9]{1,18}\n|event:[^\r\n]*\n)*+"
_EVENT = rb"[0-9A-Fa-f]{1,7}\r\n" + _FIELDS + rb"data:[^\r\n]*\n" + _FIELDS + rb"\n\r\n"
_body = re.compile(b"(?:" + _EVENT + b")++" + LAST).fullmatch
#: The lines of ``LAST``, as they are split.
_LAST_LINES = 3
#: The line ends of a transfer chunk: behind its size, and behind its event.
_LINE_ENDS = 2 * len(b"\r\n")


def plain_events(body: bytes) -> list[bytes] | None:
    """Return the events of a body with its framing, each with the empty line that closes it; None for any other body.

    All is done for many events in one call, since each event would cost as much as the rest.
    """
    if _body(body) is None:
        return None
    sizes, events = _parts(body)
    lengths = list(map(len, events))
    if list(map(KNOWN_SIZES.get, sizes)) != lengths and [int(size, 16) for size in sizes] != lengths:
        return None
    return events


def _parts(body: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the sizes and the events of a body of plain events."""
    lines = body.split(b"\r\n")
    return lines[:-_LAST_LINES:2], lines[1:-_LAST_LINES:2]


def events_by_read(body: bytes, read_ends: list[int]) -> list[int] | None:
    """Return how many events each read of a body of plain events brought; None if a read ended inside one.

    ``read_ends`` are the positions in ``body`` at which the reads ended.
    """
    ends = accumulate([len(size) + len(event) + _LINE_ENDS for size, event in zip(*_parts(body), strict=True)])
    numbers = {0: 0} | {end: number for number, end in enumerate(ends, 1)}
    numbers[len(body)] = len(numbers) - 1
    found, before = [], 0
    for end in read_ends:
        number = numbers.get(end)
        if number is None:
            return None
        found.append(number - before)
        before = number
    return found
