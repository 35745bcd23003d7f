"""Multipart bodies (RFC 2046 section 5.1), ``mixed`` and ``x-mixed-replace``: the content of each part is a chunk.

1. Everything up to the first delimiter line is preamble, and everything after the closing one is epilogue. A closing
   delimiter after a preamble, without any part between them, is an error: the boundary is another one.
2. A part's header may give a Content-Length. The header is not part of the chunk.
3. With a Content-Length, the part is complete once that many bytes have come: servers of x-mixed-replace often send
   the delimiter only with the next part. Without it, the part is complete at the next delimiter line, which includes
   the line end before it. A length that reaches into that line end is an error.

In a delimiter line, only ``--`` or blanks may follow the boundary: ``--boundaryX`` is content. Lines may end with LF
alone. The content of parts is not decoded, not even a multipart body inside a part.
"""

import re

from streamgauge.media_types import effective_type, media_type
from streamgauge.wire.decoder import MAX_CHUNK_BYTES, Decoder
from streamgauge.wire.digits import whole_number
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.format import Format

MAX_PART_HEAD_BYTES = 16_384
#: Blanks after a boundary, and line ends between a part that has a Content-Length and its delimiter.
MAX_PADDING_BYTES = 1_024
MAX_BOUNDARY_BYTES = 200

_PARAMETER = re.compile(r';[ \t]*([^ \t;="]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^ \t;"]*))', re.DOTALL)
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_CR = 0x0D


def tail_pattern(max_padding_bytes: int) -> re.Pattern[bytes]:
    """Make the pattern of the bytes that turn a boundary into a delimiter, or that exceed the allowed padding."""
    return re.compile(rb"(?P<closing>--)|(?P<padding>[ \t]{%d})|[ \t]*\r?\n" % (max_padding_bytes + 1))


_TAIL = tail_pattern(MAX_PADDING_BYTES)
_TAIL_BEGUN = re.compile(rb"-?|[ \t]*\r?")


def boundary_of(content_type: str) -> str:
    """Return the boundary that a Content-Type names. Raises ProtocolError if it names none."""
    for name, quoted, plain in _PARAMETER.findall(effective_type(content_type)):
        boundary = (re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL) or plain).rstrip(" ")
        if name.lower() != "boundary" or not boundary:
            continue
        if len(boundary) > MAX_BOUNDARY_BYTES or not (boundary.isascii() and boundary.isprintable()):
            raise ProtocolError(
                f"expected a boundary of at most {MAX_BOUNDARY_BYTES} characters, got {boundary[:80]!r}"
            )
        return boundary
    raise ProtocolError(f"expected a content type with a boundary, got {content_type[:120]!r}")


class MultipartDecoder(Decoder):
    """Cuts a multipart body into the contents of its parts. A part without content is an empty chunk."""

    def __init__(self, content_type: str, max_chunk_bytes: int = MAX_CHUNK_BYTES) -> None:
        #: Whether the closing delimiter came. Endless x-mixed-replace streams have none.
        self.closed = False
        #: Whether each part replaces the previous one. Servers usually end such a stream without a closing delimiter.
        self.endless = media_type(content_type) == "multipart/x-mixed-replace"
        boundary = boundary_of(content_type).encode("ascii")
        # Some servers include the two dashes in the parameter; the first delimiter line shows whether this one does.
        self._needles = [b"\n--" + boundary, b"\n" + boundary][: 2 if boundary.startswith(b"--") else 1]
        self._needle = self._needles[0]
        self._max_chunk_bytes = max_chunk_bytes
        self._held = bytearray(b"\n")  # the body's first line begins here
        self._searched = 0
        self._step = self._past_preamble
        self._length: int | None = None
        self._head_bytes = 0
        #: Whether anything but line ends came before the first delimiter.
        self._has_preamble = False
        #: Whether the header of this part ended with CRLF, and the last two bytes of its counted content.
        self._crlf, self._content_end = False, b""
        self._chunks: list[bytes] = []

    @property
    def pending(self) -> bool:
        """Whether the content of an incomplete part is held."""
        return self._step == self._past_content and len(self._held) > 1

    def feed(self, pieces: list[bytes], partial: bool = False) -> list[bytes]:  # noqa: ARG002 - parts ignore transfer chunks
        """Return the contents of the parts that ``pieces`` complete."""
        if self.closed:
            return []
        for piece in pieces:
            self._held += piece
        chunks = self._chunks
        try:
            while self._step():
                pass
        except ProtocolError as error:
            error.before = chunks
            raise
        finally:
            self._chunks = []
        return chunks

    def _past_preamble(self) -> bool:
        found = [(*self._find_delimiter(needle, 0), needle) for needle in self._needles]
        match, position, self._needle = min(found, key=lambda one: (one[0] is None, one[1]))
        self._has_preamble = self._has_preamble or bool(self._held[:position].strip(b"\r\n"))
        if match and match.lastgroup == "closing" and self._has_preamble:
            raise ProtocolError(f"expected a part, got the closing delimiter {bytes(self._needle[1:] + b'--')!r} first")
        if match:
            return self._begin_part(match)
        del self._held[:position]
        return False

    def _find_delimiter(self, needle: bytes, start: int) -> tuple[re.Match[bytes] | None, int]:
        """Return the tail and position of the first delimiter from ``start`` on, or None and where to search next."""
        held = self._held
        position = held.find(needle, start)
        while position >= 0:
            tail = position + len(needle)
            if match := _TAIL.match(held, tail):
                return match, position
            if self._tail_begun(tail):
                return None, position
            position = held.find(needle, position + 1)
        return None, max(start, len(held) - len(needle) + 1)

    def _tail_begun(self, tail: int) -> bool:
        """Whether the bytes from ``tail`` on may still turn the boundary before them into a delimiter."""
        return _TAIL_BEGUN.fullmatch(self._held, tail) is not None

    def _begin_part(self, tail: re.Match[bytes]) -> bool:
        """Continue after a delimiter: read the next part's header, or stop if it was the closing delimiter."""
        if tail.lastgroup == "padding":
            raise self._too_padded()
        self.closed = tail.lastgroup == "closing"
        if self.closed:
            self._held.clear()
            return False
        del self._held[: tail.end()]
        self._step, self._length, self._head_bytes = self._past_head_line, None, 0
        return True

    def _past_head_line(self) -> bool:
        held = self._held
        dashes = self._needle[1:]
        if held.startswith(dashes) and (match := _TAIL.match(held, len(dashes))):
            if self._head_bytes:  # a header without any content
                self._chunks.append(b"")
            return self._begin_part(match)
        line_end = held.find(b"\n")
        if line_end < 0 and self._may_be_delimiter(dashes):
            return False
        if self._head_bytes + (line_end if line_end >= 0 else len(held)) > MAX_PART_HEAD_BYTES:
            raise ProtocolError(f"part's header longer than {MAX_PART_HEAD_BYTES} bytes")
        if line_end < 0:
            if b"\r" in held[:-1]:  # only LF ends a line: no more bytes can mend this one
                raise self._no_field(bytes(held))
            return False
        line = bytes(held[:line_end]).removesuffix(b"\r")
        if not line:
            self._crlf = line_end > 0
            del held[:line_end]  # keep its line end: the delimiter may follow at once
            self._step, self._searched = self._past_content, 0
            return True
        self._read_field(line)
        self._head_bytes += line_end + 1
        del held[: line_end + 1]
        return True

    def _may_be_delimiter(self, dashes: bytes) -> bool:
        """Whether the held bytes may begin a delimiter, which does not count towards the header's length."""
        held = self._held
        if len(held) < len(dashes):
            return dashes.startswith(held)
        return held.startswith(dashes) and self._tail_begun(len(dashes))

    def _read_field(self, line: bytes) -> None:
        field = _FIELD.fullmatch(line)
        folds = line[:1] in (b" ", b"\t") and self._head_bytes > 0
        if b"\r" in line or b"\x00" in line or not (folds or field):
            raise self._no_field(line)
        if field is None or folds:  # a continued line
            return
        if field[1].lower() != b"content-length":
            return
        value = field[2].strip(b" \t")
        length = whole_number(value.decode("latin-1"))
        if length is None or self._length not in (None, length):
            raise ProtocolError(f"expected one content-length of a part, got {value[:40]!r}")
        self._length = length
        if length > self._max_chunk_bytes:
            raise self._too_long()

    def _past_content(self) -> bool:
        return self._past_delimited_content() if self._length is None else self._past_counted_content(self._length)

    def _past_counted_content(self, length: int) -> bool:
        held = self._held
        if len(held) <= length:
            return False
        self._chunks.append(bytes(held[1 : length + 1]))
        self._content_end = self._chunks[-1][-2:]
        del held[: length + 1]
        self._step = self._past_gap
        return True

    def _past_delimited_content(self) -> bool:
        held = self._held
        match, end = self._find_delimiter(self._needle, self._searched)
        self._searched = end
        if end > 1 and held[end - 1] == _CR:  # CR of the delimiter's line end
            end -= 1
        if end - 1 > self._max_chunk_bytes:
            raise self._too_long()
        if match is None:
            return False
        self._chunks.append(bytes(held[1:end]))
        return self._begin_part(match)

    def _past_gap(self) -> bool:
        """Read the line ends and the delimiter after a part with a Content-Length."""
        held = self._held
        dashes = self._needle[1:]
        if self._crlf and (self._content_end[-1:] + held[:1] == b"\r\n" or self._content_end + held[:1] == b"\r\n-"):
            raise self._not_delimited()
        gap = len(held) - len(held.lstrip(b"\r\n"))
        if gap > MAX_PADDING_BYTES:
            raise self._too_padded()
        if not dashes.startswith(held[gap : gap + len(dashes)]):
            raise self._not_delimited()
        tail = gap + len(dashes)
        if len(held) < tail:
            return False
        if match := _TAIL.match(held, tail):
            return self._begin_part(match)
        if not self._tail_begun(tail):
            raise self._not_delimited()
        return False

    def _not_delimited(self) -> ProtocolError:
        return ProtocolError(
            f"expected a boundary after a part of {self._length} bytes, got {bytes(self._held[:80])!r}"
        )

    @staticmethod
    def _no_field(line: bytes) -> ProtocolError:
        return ProtocolError(f"expected a part's header field, got {line[:80]!r}")

    @staticmethod
    def _too_padded() -> ProtocolError:
        return ProtocolError(f"padding longer than {MAX_PADDING_BYTES} bytes at a boundary")

    def _too_long(self) -> ProtocolError:
        return ProtocolError(f"part longer than {self._max_chunk_bytes} bytes")

    def shortfall(self, *, named_end_came: bool) -> str:
        """See ``Decoder``. x-mixed-replace may end with the connection, after the named end."""
        if self.closed or (self.endless and named_end_came):
            return ""
        return "the body ended cleanly, but without its closing delimiter"


MULTIPART = Format(
    "multipart",
    "MULTIPART",
    lambda body: MultipartDecoder(body.content_type, body.max_chunk_bytes),
    media="multipart",
    accept="multipart/x-mixed-replace, multipart/mixed, multipart/*;q=0.9",
)
