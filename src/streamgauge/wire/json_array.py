"""One JSON array whose objects come one by one, as a stream: each object is a chunk.

1. White space and commas between the objects are skipped, and brackets around them.
2. An object ends at the brace that closes it: braces inside strings do not count, nor do quotes after a backslash.
3. Bytes of UTF-8 above ASCII are none of these characters, so no character is cut.

A body that is a single object is read too: services send an error so.
"""

import re

from streamgauge.wire.decoder import MAX_CHUNK_BYTES, Decoder
from streamgauge.wire.errors import ProtocolError

_BETWEEN = b" \t\r\n,"
_OUTSIDE = re.compile(rb'[{}"]')
_INSIDE_STRING = re.compile(rb'["\\]')


class JsonArrayDecoder(Decoder):
    """Cuts the objects out of an array. Raises ProtocolError where anything else stands between them."""

    def __init__(self, max_chunk_bytes: int = MAX_CHUNK_BYTES) -> None:
        self._max_chunk_bytes = max_chunk_bytes
        #: Part of an object, and how far it was scanned.
        self._held = bytearray()
        self._scanned = self._depth = 0
        self._in_string = False
        self._opened = self._closed = False

    @property
    def pending(self) -> bool:
        """Whether part of an object is held."""
        return bool(self._held)

    @property
    def unfinished(self) -> bool:
        """See ``Decoder``."""
        return bool(self._held)

    def feed(self, pieces: list[bytes], partial: bool = False) -> list[bytes]:  # noqa: ARG002 - objects ignore transfer chunks
        """Return the objects that ``pieces`` complete."""
        self._held += b"".join(pieces)
        chunks: list[bytes] = []
        while self._held:
            if not self._depth:
                self._skip_between(chunks)
            end = self._end_of_object()
            if (end or len(self._held)) > self._max_chunk_bytes:
                raise ProtocolError(f"object longer than {self._max_chunk_bytes} bytes", chunks)
            if not end:
                break
            chunks.append(bytes(self._held[:end]))
            del self._held[:end]
            self._scanned = 0
        return chunks

    def _skip_between(self, chunks: list[bytes]) -> None:
        """Drop what stands before the next object. Raises ProtocolError."""
        at = 0
        for at, byte in enumerate(self._held):
            if byte == ord("[") and not (self._opened or self._closed):
                self._opened = True
            elif byte == ord("]") and self._opened and not self._closed:
                self._closed = True
            elif byte == ord("{") and not self._closed:
                break
            elif byte not in _BETWEEN:
                raise ProtocolError(
                    f"expected an array of JSON objects, got {bytes(self._held[at : at + 40])!r}", chunks
                )
        else:
            at = len(self._held)
        del self._held[:at]

    def _end_of_object(self) -> int:
        """Return where the object at the beginning ends; 0 if it does not end yet."""
        held, at = self._held, self._scanned
        while found := (_INSIDE_STRING if self._in_string else _OUTSIDE).search(held, at):
            character, at = found[0], found.end()
            if character == b"\\":
                if at == len(held):  # the escaped character comes later
                    self._scanned = at - 1
                    return 0
                at += 1
            elif character == b'"':
                self._in_string = not self._in_string
            else:
                self._depth += 1 if character == b"{" else -1
                if not self._depth:
                    return at
        self._scanned = len(held)
        return 0
