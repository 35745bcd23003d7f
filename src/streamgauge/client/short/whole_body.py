"""Takes apart the whole body of a short event stream at once, if every transfer chunk of it is one plain event.

``wire.sse_fast_path`` does the same for a single read; rules 1 to 3 there say what a plain event is. Every other body
is for the stages of ``client.read.body``.
"""

import re

from streamgauge.wire.http1_body import KNOWN_SIZES

#: What closes a body without a trailer.
LAST = b"0\r\n\r\n"
# No part can match in two ways, and none is tried again, so matching takes linear time.
_FIELDS = rb"(?:id:[ ]?[0-9]{1,18}\n|event:[^\r\n]*\n)*+"
_EVENT = rb"[0-9A-Fa-f]{1,7}\r\n" + _FIELDS + rb"data:[^\r\n]*\n" + _FIELDS + rb"\n\r\n"
_body = re.compile(b"(?:" + _EVENT + b")++" + LAST).fullmatch
#: The lines of ``LAST``, as they are split.
_LAST_LINES = 3
#: How each transfer chunk of a plain event ends, and nothing else: with the empty line that closes the event.
_EVENT_END = b"\n\n\r\n"


def plain_events(body: bytes) -> list[bytes] | None:
    """Return the events of a body with its framing, each with the empty line that closes it; None for any other body.

    All is done for many events in one call, since each event would cost as much as the rest.
    """
    if _body(body) is None:
        return None
    lines = body.split(b"\r\n")
    sizes, events = lines[:-_LAST_LINES:2], lines[1:-_LAST_LINES:2]
    lengths = list(map(len, events))
    if list(map(KNOWN_SIZES.get, sizes)) != lengths and [int(size, 16) for size in sizes] != lengths:
        return None
    return events


def events_by_read(reads: list[bytes]) -> list[int] | None:
    """Return how many events each read of a body of plain events brought; None if a read ended inside one."""
    if any(read and not read.endswith(_EVENT_END) for read in reads[:-1]):
        return None
    return [read.count(_EVENT_END) for read in reads]
