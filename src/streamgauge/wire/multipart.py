"""Multipart bodies (RFC 2046 section 5.1), ``mixed`` and ``x-mixed-replace``: every part's content is a chunk.

1. Everything up to the first delimiter line is preamble, and everything after the closing one is epilogue.
2. A part's header is read for its Content-Length and is no part of the chunk.
3. With a Content-Length, the part is complete when so many bytes have come: servers of x-mixed-replace often send the
   delimiter only with the next part. Without, it is complete at the next delimiter line, whose line end before it
   belongs to the delimiter.

A delimiter line is the boundary with nothing after it but ``--`` or blanks: ``--boundaryX`` is content. Lines may end
with LF alone. Parts are not decoded, and a multipart inside a part is left as its bytes.
"""

import re

from streamgauge.wire.errors import ProtocolError

MAX_PART_BYTES = 16 * 1024 * 1024
MAX_PART_HEAD_BYTES = 16_384
#: Blanks after a boundary, and line ends between a part that has a Content-Length and its delimiter.
MAX_PADDING_BYTES = 1_024
MAX_BOUNDARY_BYTES = 200

_PARAMETER = re.compile(r';\s*([^\s;="]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))', re.DOTALL)
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*:(.*)", re.DOTALL)
_LENGTH = re.compile(rb"[0-9]{1,18}")


def boundary_of(content_type: str) -> str:
    """The boundary that a Content-Type names. Raises ProtocolError where it names none."""
    for name, quoted, plain in _PARAMETER.findall(content_type):
        boundary = re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL) or plain
        if name.lower() != "boundary" or not boundary:
            continue
        if len(boundary) > MAX_BOUNDARY_BYTES or not (boundary.isascii() and boundary.isprintable()):
            raise ProtocolError(
                f"expected a boundary of at most {MAX_BOUNDARY_BYTES} characters, got {boundary[:80]!r}"
            )
        return boundary.rstrip(" ")
    raise ProtocolError(f"expected a content type with a boundary, got {content_type[:120]!r}")


class MultipartDecoder:
    """Bytes of a multipart body in, the parts' contents out."""

    def __init__(self, content_type: str, max_chunk_bytes: int = MAX_PART_BYTES) -> None:
        self.heartbeats = 0
        #: The closing delimiter came.
        self.closed = False
        boundary = re.escape(boundary_of(content_type).encode("ascii"))
        # Some servers put the two dashes into the parameter too; the first delimiter line shows which it is.
        dashes = rb"(?:--)?" if boundary.startswith(rb"\-\-") else rb"--"
        self._delimiter = re.compile(rb"(?:^|\n)(" + dashes + boundary + rb")(?:(--)|[ \t]*\r?(\n))")
        self._longest = len(boundary) + 4
        self._max_chunk_bytes = max_chunk_bytes
        self._held = bytearray(b"\n")
        self._searched = 0
        self._step = self._past_preamble
        self._chunks: list[bytes] = []
        self._missing = -1
        self._head_bytes = 0
        self._lines: list[bytes] = []
