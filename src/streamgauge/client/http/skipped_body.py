"""Reads the body of a response that is not the stream, a refusal or a redirect, as far as it comes soon.

1. A connection whose response was read to its end may serve the next request. Otherwise a service that refuses streams
   would get a handshake with each request.
2. The beginning of a refusal's body is kept: most services say there why they refuse.

A longer body is not worth the wait. A body that does not let the connection serve another request is read only as far
as it is kept.
"""

import codecs

from streamgauge.client.http.pool import allows_another
from streamgauge.client.http.request import Request
from streamgauge.stats.visible_text import one_line
from streamgauge.wire.coding import ContentDecoder, coding_for
from streamgauge.wire.digits import whole_number
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.framing import Framing
from streamgauge.wire.http1_body import CloseBody, framing_of
from streamgauge.wire.http1_head import Head

#: How many bytes of a body are read, and how long they may take.
SKIPPED_BYTES, SKIPPED_S = 65_536, 1.0
#: How many bytes of a refusal's body are kept, decoded.
SAID_BYTES = 500


class SkippedBody:
    """The body of ``head``, which answers ``request``; ``listens``: its beginning is kept."""

    def __init__(self, request: Request, head: Head, *, listens: bool) -> None:
        self._framing = _framing(request, head)
        self._coding: ContentDecoder | None = None
        try:
            self._coding = coding_for(head.fields.get("content-encoding", ""))
        except ProtocolError:
            listens = False
        self._keeps_alive = allows_another(request, head, self._framing) and _length(head) <= SKIPPED_BYTES
        self._room = SKIPPED_BYTES
        self._missing = SAID_BYTES + 1 if listens else 0
        self._said = b""

    @property
    def framing(self) -> Framing:
        """How the body is delimited."""
        return self._framing

    def feed(self, data: bytes) -> bool:
        """Take what has arrived; ``b""`` if nothing has. Return whether to read on."""
        self._room -= len(data)
        try:
            for piece in self._framing.feed(data):
                self._listen(piece)
        except ProtocolError:
            return False
        return not self._framing.finished and self._room > 0 and (self._keeps_alive or self._missing > 0)

    def _listen(self, piece: bytes) -> None:
        if self._missing > 0:
            try:
                self._said += piece if self._coding is None else self._coding.feed(piece)
            except ProtocolError:
                self._missing = 0
            else:
                self._missing = SAID_BYTES + 1 - len(self._said)

    @property
    def said(self) -> str:
        """The beginning of the body as one visible line; empty if there is none."""
        text = codecs.getincrementaldecoder("utf-8")("replace").decode(self._said[:SAID_BYTES])
        return one_line(text) + ("…" if len(self._said) > SAID_BYTES else "")


def _framing(request: Request, head: Head) -> Framing:
    try:
        return framing_of(head, request.method)
    except ProtocolError:
        return CloseBody()


def _length(head: Head) -> int:
    """Return the length that the head states; 0 if it states none."""
    return whole_number(head.fields.get("content-length", "")) or 0
