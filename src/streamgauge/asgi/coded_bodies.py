"""Messages of a compressed body that carry only the coding's own framing, as middleware for compression sends them.

A client decodes them to nothing, so they are not chunks: the header before the first data, the flush of an empty
message, and the trailer after the last.
"""

import re

from streamgauge.asgi.chunk_counting import ChunkCounter

_EMPTY_BLOCK = rb"\x00\x00\x00\xff\xff"  # of deflate, as a flush appends it (RFC 1951, section 3.2.4)
_LAST_BLOCK = rb"(?:\x03\x00|\x01\x00\x00\xff\xff)"
#: By content coding: RFC 1952, 1950, 7932 and 8878. The first byte after zstd's magic number gives its header's length.
_BARE = {
    "gzip": re.compile(rb"(?:\x1f\x8b\x08\x00.{6})?(?:%b)*(?:%b.{8})?" % (_EMPTY_BLOCK, _LAST_BLOCK), re.DOTALL),
    "deflate": re.compile(rb"(?:\x78.)?(?:%b)*(?:%b.{4})?" % (_EMPTY_BLOCK, _LAST_BLOCK), re.DOTALL),
    "br": re.compile(rb".?\x00|\x03", re.DOTALL),
    "zstd": re.compile(
        rb"(?:\x28\xb5\x2f\xfd(?:[\x00\x04].|[\x20\x24].|[\x40\x44].{3}|[\x60\x64].{2}|[\x80\x84].{5}|[\xa0\xa4].{4}))?"
        rb"(?:\x01\x00\x00(?:.{4})?)?",
        re.DOTALL,
    ),
}
_BARE["x-gzip"] = _BARE["gzip"]
#: No bare message is longer.
_MAX_BARE_BYTES = 32


class CodedCounter(ChunkCounter):
    """Compressed bodies: a message that carries data is a chunk. How many of the app's chunks it holds is not known."""

    __slots__ = ("_bare",)

    def __init__(self, content_encoding: str) -> None:
        self._bare = _BARE.get(content_encoding)

    @staticmethod
    def whole(body: bytes, /) -> int:
        """Return the size of a message that is too long to be bare, else 0."""
        size_bytes = len(body)
        return size_bytes if size_bytes > _MAX_BARE_BYTES else 0

    def count(self, body: bytes, /) -> int:
        """Return 1 if the message carries data, else 0."""
        return int(len(body) > _MAX_BARE_BYTES or self._bare is None or not self._bare.fullmatch(body))
