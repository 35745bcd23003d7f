"""Multipart bodies (RFC 2046 section 5.1), ``mixed`` and ``x-mixed-replace``: every part's content is a chunk.

1. Everything up to the first delimiter line is preamble, and everything after the closing one is epilogue.
2. A part's header is read for its Content-Length and is no part of the chunk.
3. With a Content-Length, the part is complete when so many bytes have come: servers of x-mixed-replace often send the
   delimiter only with the next part. Without, it is complete at the next delimiter line, to which the line end before
   it belongs.

A delimiter line is the boundary with nothing after it but ``--`` or blanks: ``--boundaryX`` is content. Lines may end
with LF alone. Parts are not decoded, and a multipart inside a part is left as its bytes.
"""

import re

from streamgauge.catalog import media_type
from streamgauge.wire.decoder import MAX_CHUNK_BYTES, Decoder
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.format import Format

MAX_PART_HEAD_BYTES = 16_384
#: Blanks after a boundary, and line ends between a part that has a Content-Length and its delimiter.
MAX_PADDING_BYTES = 1_024
MAX_BOUNDARY_BYTES = 200

_PARAMETER = re.compile(r';\s*([^\s;="]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))', re.DOTALL)
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_LENGTH = re.compile(rb"[0-9]{1,18}")


def tail_pattern(max_padding_bytes: int) -> re.Pattern[bytes]:
    """What makes a boundary a delimiter, or one that no reading allows."""
    return re.compile(rb"(?P<closing>--)|(?P<padding>[ \t]{%d})|[ \t]*\r?\n" % (max_padding_bytes + 1))


_TAIL = tail_pattern(MAX_PADDING_BYTES)
_TAIL_BEGUN = re.compile(rb"-?|[ \t]*\r?")


def boundary_of(content_type: str) -> str:
    """The boundary that a Content-Type names. Raises ProtocolError where it names none."""
    for name, quoted, plain in _PARAMETER.findall(content_type):
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
    """Takes bytes of a multipart body and returns the parts' contents. A part without content is an empty chunk."""

    def __init__(self, content_type: str, max_chunk_bytes: int = MAX_CHUNK_BYTES) -> None:
        #: The closing delimiter came. Endless x-mixed-replace streams have none.
        self.closed = False
        #: Each part replaces the one before, and servers customarily close the connection instead of the stream.
        self.endless = media_type(content_type) == "multipart/x-mixed-replace"
        boundary = boundary_of(content_type).encode("ascii")
        # Some servers put the two dashes into the parameter too: the first delimiter line shows which it is.
        self._needles = [b"\n--" + boundary, b"\n" + boundary][: 2 if boundary.startswith(b"--") else 1]
        self._needle = self._needles[0]
        self._max_chunk_bytes = max_chunk_bytes
        self._held = bytearray(b"\n")  # the body's first line begins here
        self._searched = 0
        self._step = self._past_preamble
        self._length: int | None = None
        self._head_bytes = 0
        self._chunks: list[bytes] = []

    @property
    def pending(self) -> bool:
        """Whether content of a part that is not complete is held."""
        return self._step == self._past_content and len(self._held) > 1

    def feed(self, pieces: list[bytes], partial: bool = False) -> list[bytes]:  # noqa: ARG002 - parts ignore transfer chunks
        """The contents of the parts that ``pieces`` complete."""
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
        if match:
            return self._begin_part(match)
        del self._held[:position]
        return False

    def _find_delimiter(self, needle: bytes, start: int) -> tuple[re.Match[bytes] | None, int]:
        """The tail of the first delimiter from ``start`` on, and where it begins, or where the next search does."""
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
        """Whether what is held from ``tail`` on may yet make what stands before it a delimiter."""
        return _TAIL_BEGUN.fullmatch(self._held, tail) is not None

    def _begin_part(self, tail: re.Match[bytes]) -> bool:
        """Go on behind a delimiter: with the next part's header, or with nothing where it was the closing one."""
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
            if self._head_bytes:  # a header, and no content at all
                self._chunks.append(b"")
            return self._begin_part(match)
        line_end = held.find(b"\n")
        if line_end < 0 and self._may_be_delimiter(dashes):
            return False
        if self._head_bytes + (line_end if line_end >= 0 else len(held)) > MAX_PART_HEAD_BYTES:
            raise ProtocolError(f"part's header longer than {MAX_PART_HEAD_BYTES} bytes")
        if line_end < 0:
            return False
        line = bytes(held[:line_end]).removesuffix(b"\r")
        if not line:
            del held[:line_end]  # its line end stays: the delimiter may follow at once
            self._step, self._searched = self._past_content, 0
            return True
        self._read_field(line)
        self._head_bytes += line_end + 1
        del held[: line_end + 1]
        return True

    def _may_be_delimiter(self, dashes: bytes) -> bool:
        """Whether what is held begins one, which is no part of the header's length."""
        held = self._held
        if len(held) < len(dashes):
            return dashes.startswith(held)
        return held.startswith(dashes) and self._tail_begun(len(dashes))

    def _read_field(self, line: bytes) -> None:
        if line[:1] in (b" ", b"\t") and self._head_bytes:  # a folded line
            return
        field = _FIELD.fullmatch(line)
        if field is None:
            raise ProtocolError(f"expected a part's header field, got {line[:80]!r}")
        if field[1].lower() != b"content-length":
            return
        value = field[2].strip(b" \t")
        if not _LENGTH.fullmatch(value) or self._length not in (None, int(value)):
            raise ProtocolError(f"expected one content-length of a part, got {value[:40]!r}")
        self._length = int(value)
        if self._length > self._max_chunk_bytes:
            raise self._too_long()

    def _past_content(self) -> bool:
        return self._past_delimited_content() if self._length is None else self._past_counted_content(self._length)

    def _past_counted_content(self, length: int) -> bool:
        held = self._held
        if len(held) <= length:
            return False
        self._chunks.append(bytes(held[1 : length + 1]))
        del held[: length + 1]
        self._step = self._past_gap
        return True

    def _past_delimited_content(self) -> bool:
        held = self._held
        match, end = self._find_delimiter(self._needle, self._searched)
        self._searched = end
        if end > 1 and held[end - 1] == 0x0D:  # of the delimiter's line end
            end -= 1
        if end - 1 > self._max_chunk_bytes:
            raise self._too_long()
        if match is None:
            return False
        self._chunks.append(bytes(held[1:end]))
        return self._begin_part(match)

    def _past_gap(self) -> bool:
        """Behind a part whose length was known: line ends, and the delimiter."""
        held = self._held
        dashes = self._needle[1:]
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
    def _too_padded() -> ProtocolError:
        return ProtocolError(f"more than {MAX_PADDING_BYTES} bytes of padding at a boundary")

    def _too_long(self) -> ProtocolError:
        return ProtocolError(f"part longer than {self._max_chunk_bytes} bytes")

    def shortfall(self, *, named_end_came: bool) -> str:
        """See ``Decoder``. Parts that replace each other may end with the connection, behind their named end."""
        if self.closed or (self.endless and named_end_came):
            return ""
        return "the body ended cleanly, and the closing delimiter had not come"


MULTIPART = Format(
    "multipart",
    "MULTIPART",
    lambda body: MultipartDecoder(body.content_type, body.max_chunk_bytes),
    media="multipart",
    accept="multipart/x-mixed-replace, multipart/mixed, multipart/*;q=0.9",
)
