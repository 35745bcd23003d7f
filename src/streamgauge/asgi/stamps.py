"""Send stamps: the server's clock inside its event streams, for clients that ask: they tell a chunk's delay by it.

1. A request asks with ``Streamgauge-Stamps: 1``. Without that field not one byte changes.
2. The response's own ``Streamgauge-Stamps`` names the clock: clocks of one name are one clock.
3. Each event gets the comment ``: sent=NS`` as its last line: the wall clock, Unix time in ns, right before the send of
   the message that completes it. The first one has ``: clock=NAME received=NS`` before it: when the request came.

A comment is no part of an event to any reader (https://html.spec.whatwg.org/multipage/server-sent-events.html).
"""

import re
import secrets
from functools import cache
from hashlib import sha256
from pathlib import Path
from time import time_ns

from streamgauge.asgi.head import Head
from streamgauge.asgi.interface import Message, Scope
from streamgauge.catalog import protocol_of

FIELD = b"streamgauge-stamps"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_LINE = re.compile(rb"([^\r\n]*)(\r\n|\r|\n)")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: As much of an unfinished line as tells its field.
_PREFIX_BYTES = 9


@cache
def clock_name() -> str:
    """The name of this machine's wall clock: all processes since one boot share it, and no other machine has it."""
    try:
        boot = _BOOT_ID.read_text().strip()
    except OSError:
        boot = secrets.token_hex()
    return sha256(f"streamgauge clock {boot}".encode()).hexdigest()[:16]


class Stamper:
    """Stamps the events of one response. Made when the request comes."""

    __slots__ = ("_after_cr", "_data", "_line", "_mid_line", "_origin")

    def __init__(self) -> None:
        #: What the first stamp has before it.
        self._origin = b": clock=%b received=%d\n" % (clock_name().encode(), time_ns())
        #: The beginning of an unfinished line, and whether there is one.
        self._line = b""
        self._mid_line = False
        self._after_cr = False
        #: The block under way has a ``data`` field.
        self._data = False

    @classmethod
    def asked_for(cls, scope: Scope) -> "Stamper | None":
        """One where the request asks for stamps."""
        asked = any(name == FIELD and value == b"1" for name, value in scope.get("headers", ()))
        return cls() if asked else None

    @staticmethod
    def fits(head: Head) -> bool:
        """Whether a response can be stamped: an event stream whose bytes nothing has counted or coded."""
        plain = head.content_encoding in ("", "identity") and head.whole_bytes is None
        return plain and protocol_of(head.content_type) == "sse"

    @staticmethod
    def announced(start: Message) -> Message:
        """The start of a response that will be stamped."""
        return {**start, "headers": [*start.get("headers", ()), (FIELD, clock_name().encode())]}

    def stamped(self, body: bytes) -> bytes:
        """The next bytes of the stream, with a stamp in each event that they complete."""
        stamp = b": sent=%d\n" % time_ns()
        if (  # most messages are one whole event with plain line ends
            not (self._mid_line or self._data or self._after_cr or self._origin)
            and (body.startswith(b"data:") or b"\ndata:" in body)
            and body.find(b"\n\n") == len(body) - 2
            and b"\r" not in body
        ):
            return body[:-1] + stamp + b"\n"
        return self._line_by_line(body, stamp)

    def _line_by_line(self, body: bytes, stamp: bytes) -> bytes:
        out, position = [], 0
        if self._after_cr and body.startswith(b"\n"):  # the rest of a line end that two messages share
            out.append(b"\n")
            position = 1
        self._after_cr = body.endswith(b"\r") if body else self._after_cr
        for found in _LINE.finditer(body, position):
            position = found.end()
            line = (self._line + found[1]).removeprefix(_BYTE_ORDER_MARK)
            if line:
                self._data = self._data or line == b"data" or line.startswith(b"data:")
            elif self._data:
                out += (self._origin, stamp)
                self._origin = b""
                self._data = False
            self._line = b""
            out.append(found[0])
        rest = body[position:]
        self._line = (self._line + rest)[:_PREFIX_BYTES]
        self._mid_line = bool(self._line)
        out.append(rest)
        return b"".join(out)
