"""The bodies of HTTP/1.1 responses (RFC 9112), extracted from their framing as they arrive.

1. ``framing_of`` chooses how the body is delimited, in the order of RFC 9112 section 6.3.
2. The framing's ``feed`` returns the body in pieces. No piece spans two transfer chunks; ``partial`` says that the
   transfer chunk of the last piece continues in a later read.
3. ``finished`` says that the body is complete. When the peer closes, ``close`` returns whether it is.
"""

import re

from streamgauge.wire.blanks import members
from streamgauge.wire.digits import whole_number
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.framing import Framing
from streamgauge.wire.http1_head import Head, is_field_line

MAX_LINE_BYTES = 8_192
MAX_TRAILER_BYTES = 65_536
#: Size lines of transfer chunks that were parsed before; streams repeat a few.
KNOWN_SIZES: dict[bytes, int] = {}
_MAX_KNOWN_SIZES, _MAX_KNOWN_BYTES = 1_024, 64
# Zeros may lead; sizes of more than 64 bits are refused.
_LAST = b"0\r\n\r\n"
_CHUNK_SIZE = re.compile(rb"0*([0-9A-Fa-f]{1,16})[\t ]*(?:;[^\r\n\x00]*)?")


class NoBody(Framing):
    """A response to HEAD, or one of status 1xx, 204 or 304."""

    has_body = False

    def __init__(self) -> None:
        super().__init__()
        self.finished = True

    def feed(self, data: bytes) -> list[bytes]:
        """Keep all bytes as ``rest``: the body is empty."""
        self.rest += data
        self.beyond = True
        return []


class LengthBody(Framing):
    """A body of Content-Length octets."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self._missing = length
        self.finished = length == 0

    def feed(self, data: bytes) -> list[bytes]:
        """Return at most the octets that are still missing."""
        if len(data) < self._missing:
            self._missing -= len(data)
            return [data] if data else []
        data, rest = data[: self._missing], data[self._missing :]
        self._missing, self.finished = 0, True
        self.rest += rest
        self.beyond = bool(self.rest)
        return [data] if data else []


class CloseBody(Framing):
    """A body that ends when the peer closes the connection."""

    self_delimited = False

    def feed(self, data: bytes) -> list[bytes]:
        """Return all of ``data``."""
        return [data] if data else []

    def close(self) -> bool:
        """End the body: closing is its only end."""
        self.finished = True
        return True


class ChunkedBody(Framing):
    """A body with Transfer-Encoding: chunked (RFC 9112 section 7.1).

    Transfer chunks must be exact in CRLF and digits. Their extensions are ignored. Lines of the trailer may end with LF
    alone, as those of the head.
    """

    has_transfer_chunks = True

    def __init__(self) -> None:
        super().__init__()
        self._held = b""
        self._missing = 0
        self._after_data = False
        self._in_trailer = False
        self._trailer_bytes = 0
        self.between_chunks = True

    def feed(self, data: bytes) -> list[bytes]:
        """Return the transfer chunks in ``data``, each as far as it has arrived."""
        if self.between_chunks:  # most reads are one whole transfer chunk, of a known size
            line_end = data.find(b"\r\n")
            if len(data) - line_end - 4 == KNOWN_SIZES.get(data[:line_end]) and data.endswith(b"\r\n"):
                return [data[line_end + 2 : -2]]
        if self._held:
            data, self._held = self._held + data, b""
        pieces: list[bytes] = []
        between = not (self._missing or self._after_data or self._in_trailer)
        position = self._cut_known(data, pieces) if between else 0
        try:
            if not self.finished:
                self._cut(data, position, pieces)
        except ProtocolError as error:
            error.before = pieces
            raise
        between = not (self.partial or self._after_data)
        self.ending = between and self._in_trailer
        self.beyond = bool(self.rest) or (between and not self.ending and bool(self._held or self._missing))
        self.between_chunks = between and not (self.beyond or self.ending)
        return pieces

    def _cut_known(self, data: bytes, pieces: list[bytes]) -> int:
        """Cut out whole transfer chunks as long as their sizes are known, and an end without a trailer.

        Return the position behind them. :meth:`_cut` would do the same, and takes three times as long for each.
        """
        position = 0
        while (line_end := data.find(b"\r\n", position, position + _MAX_KNOWN_BYTES + 2)) > 0:
            size = KNOWN_SIZES.get(data[position:line_end])
            if size is None:
                break
            begin, end = line_end + 2, line_end + 2 + size
            if data[end : end + 2] != b"\r\n":
                break
            pieces.append(data[begin:end])
            position = end + 2
        if data.startswith(_LAST, position):
            self._in_trailer = self.finished = True
            position += len(_LAST)
            self.rest += data[position:]
        return position

    def _cut(self, data: bytes, position: int, pieces: list[bytes]) -> None:
        end = len(data)
        while position < end and not self.finished:
            if self._missing:
                piece = data[position : position + self._missing]
                pieces.append(piece)
                position += len(piece)
                self._missing -= len(piece)
                self.partial = self._missing > 0
                self._after_data = not self.partial
                continue
            if self._after_data:
                step = self._past_data_end(data, position)
            elif self._in_trailer:
                step = self._past_trailer_line(data, position)
            else:
                step = self._past_size_line(data, position)
            if not step:
                self._held = data[position:]
                return
            position += step
        if self.finished:
            self.rest += data[position:]

    def _past_data_end(self, data: bytes, position: int) -> int:
        if data.startswith(b"\r\n", position):
            self._after_data = False
            return 2
        if data[position:] == b"\r":
            return 0
        raise ProtocolError(f"expected CRLF after a transfer chunk, got {data[position : position + 8]!r}")

    def _past_size_line(self, data: bytes, position: int) -> int:
        line_end = data.find(b"\r\n", position, position + MAX_LINE_BYTES)
        if line_end < 0:
            self._check_line_so_far(data[position:])
            return 0
        line = data[position:line_end]
        size = _CHUNK_SIZE.fullmatch(line)
        if size is None:
            raise ProtocolError(f"expected a transfer chunk's size, got {line[:40]!r}")
        self._missing = int(size[1], 16)
        if self._missing and len(KNOWN_SIZES) < _MAX_KNOWN_SIZES and len(line) <= _MAX_KNOWN_BYTES:
            KNOWN_SIZES[line] = self._missing
        self._in_trailer = not self._missing
        return line_end + 2 - position

    def _check_line_so_far(self, line: bytes) -> None:
        if len(line) >= MAX_LINE_BYTES:
            raise ProtocolError(f"transfer chunk's size line longer than {MAX_LINE_BYTES} bytes")
        if not _CHUNK_SIZE.fullmatch(line.removesuffix(b"\r")):
            raise ProtocolError(f"expected a transfer chunk's size, got {line[:40]!r}")

    def _check_trailer_so_far(self, line: bytes) -> None:
        if self._trailer_bytes + len(line) > MAX_TRAILER_BYTES:
            raise ProtocolError(f"trailer longer than {MAX_TRAILER_BYTES} bytes")
        if b"\r" in line[:-1] or b"\x00" in line:
            raise ProtocolError(f"expected a trailer field, got {line[:80]!r}")

    def _past_trailer_line(self, data: bytes, position: int) -> int:
        line_end = data.find(b"\n", position)
        if line_end < 0:
            self._check_trailer_so_far(data[position:])
            return 0
        line = data[position:line_end].removesuffix(b"\r")
        folds = self._trailer_bytes > 0 and line[:1] in (b" ", b"\t")  # RFC 9112 section 5.2
        step = line_end + 1 - position
        self._trailer_bytes += step
        if self._trailer_bytes > MAX_TRAILER_BYTES:
            raise ProtocolError(f"trailer longer than {MAX_TRAILER_BYTES} bytes")
        if not line:
            self.finished = True
        elif not is_field_line(line, folds=folds):
            raise ProtocolError(f"expected a trailer field, got {line[:80]!r}")
        return step


def framing_of(head: Head, method: str) -> Framing:
    """Return the framing of the body that follows ``head`` (RFC 9112 section 6.3). Raises ProtocolError."""
    if method == "HEAD" or head.status in (204, 304) or head.status < 200:
        return NoBody()
    if head.fields.get("transfer-encoding") == "chunked":
        return ChunkedBody()
    if codings := head.tokens("transfer-encoding"):
        # Identity, which is RFC 2616's, changes nothing. No TE field asked for others: RFC 9110 section 10.1.4.
        if [coding for coding in codings if coding != "identity"] not in ([], ["chunked"]):
            raise ProtocolError(f"expected transfer-encoding chunked, got {head.fields['transfer-encoding'][:80]!r}")
        return ChunkedBody() if codings[-1] == "chunked" else CloseBody()  # whatever content-length says
    if "content-length" not in head.fields:
        return CloseBody()
    length, *others = {whole_number(each) for each in members(head.fields["content-length"])} or {None}
    if others or length is None:
        raise ProtocolError(f"expected one content-length, got {head.fields['content-length'][:80]!r}")
    return LengthBody(length)
