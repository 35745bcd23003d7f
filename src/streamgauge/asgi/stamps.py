"""Send stamps: the server's clock in its event streams, from which a client that asks for them computes chunk delay.

1. A request asks with ``Streamgauge-Stamps: 1``. Without that field not one byte changes.
2. The response's ``Streamgauge-Stamps`` field names the clock. Two responses with the same name come from one clock.
3. Each event gets the comment ``: sent=NS`` as its last line: the wall clock, Unix time in ns, right before the send of
   the message that completes it. In the first event ``: clock=NAME received=NS`` precedes it: when the request came.

Readers of event streams ignore comments (https://html.spec.whatwg.org/multipage/server-sent-events.html).
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
#: How much of an unfinished line is needed to recognise its field.
_PREFIX_BYTES = 9


@cache
def clock_name() -> str:
    """Return the name of this machine's wall clock. All processes since one boot share it; other machines do not."""
    try:
        boot = _BOOT_ID.read_text().strip()
    except OSError:
        boot = secrets.token_hex()
    return sha256(f"streamgauge clock {boot}".encode()).hexdigest()[:16]


class Stamper:
    """The state of stamping one response's events. Made when the request comes."""

    __slots__ = ("_after_cr", "_clock_comment", "_data", "_line", "_mid_line")

    def __init__(self) -> None:
        #: The comment before the first stamp; empty once it was sent.
        self._clock_comment = b": clock=%b received=%d\n" % (clock_name().encode(), time_ns())
        #: The start of an unfinished line, and whether there is one.
        self._line = b""
        self._mid_line = False
        self._after_cr = False
        #: Whether the unfinished block has a ``data`` field.
        self._data = False

    @classmethod
    def for_request(cls, scope: Scope) -> "Stamper | None":
        """Return a stamper if the request asks for stamps, else None."""
        asked = any(name == FIELD and value == b"1" for name, value in scope.get("headers", ()))
        return cls() if asked else None

    @staticmethod
    def can_stamp(head: Head) -> bool:
        """Return whether a response can be stamped: an event stream without a Content-Length or a content coding."""
        plain = head.content_encoding in ("", "identity") and head.content_length is None
        return plain and protocol_of(head.content_type) == "sse"

    @staticmethod
    def announce(start: Message) -> Message:
        """Return the start message with the field that announces stamps."""
        return {**start, "headers": [*start.get("headers", ()), (FIELD, clock_name().encode())]}

    def stamp(self, body: bytes) -> bytes:
        """Return the next bytes of the stream, with a stamp added to each event that they complete."""
        comment = b": sent=%d\n" % time_ns()
        if (  # most messages are one whole event with LF line ends
            not (self._mid_line or self._data or self._after_cr or self._clock_comment)
            and (body.startswith(b"data:") or b"\ndata:" in body)
            and body.find(b"\n\n") == len(body) - 2
            and b"\r" not in body
        ):
            return body[:-1] + comment + b"\n"
        return self._stamp_lines(body, comment)

    def _stamp_lines(self, body: bytes, comment: bytes) -> bytes:
        out, position = [], 0
        if self._after_cr and body.startswith(b"\n"):  # the second half of a CRLF that two messages share
            out.append(b"\n")
            position = 1
        self._after_cr = body.endswith(b"\r") if body else self._after_cr
        for found in _LINE.finditer(body, position):
            position = found.end()
            line = (self._line + found[1]).removeprefix(_BYTE_ORDER_MARK)
            if line:
                self._data = self._data or line == b"data" or line.startswith(b"data:")
            elif self._data:
                out += (self._clock_comment, comment)
                self._clock_comment = b""
                self._data = False
            self._line = b""
            out.append(found[0])
        rest = body[position:]
        self._line = (self._line + rest)[:_PREFIX_BYTES]
        self._mid_line = bool(self._line)
        out.append(rest)
        return b"".join(out)
