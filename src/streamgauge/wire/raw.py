"""Raw bodies: one chunk is one HTTP/1.1 transfer chunk, as the server framed it.

If the body has a content coding, a chunk is the decoded content of a transfer chunk. A body without transfer chunks
(Content-Length, or until close) does not show the application's own units. Its chunks are blocks of ``block_bytes`` and
the rest at the end, so that they do not depend on how reads split the body.
"""

from streamgauge.wire.decoder import MAX_CHUNK_BYTES, BodyDescription, Decoder
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.format import Format

BLOCK_BYTES = 65_536


class RawDecoder(Decoder):
    """Joins pieces into transfer chunks, or cuts them into blocks."""

    def __init__(
        self, max_chunk_bytes: int = MAX_CHUNK_BYTES, *, transfer_chunks: bool = True, block_bytes: int = BLOCK_BYTES
    ) -> None:
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._max_chunk_bytes = max_chunk_bytes
        self._block_bytes = 0 if transfer_chunks else block_bytes

    @property
    def pending(self) -> bool:
        """Whether part of a chunk is held."""
        return bool(self._held)

    def feed(self, pieces: list[bytes], partial: bool = False) -> list[bytes]:
        """Return the chunks that ``pieces`` complete."""
        if self._block_bytes:
            return self._blocks(pieces)
        if not pieces:
            return []
        if self._held:
            if partial and len(pieces) == 1:
                self._hold(pieces[0], [])
                return []
            pieces = [self._release(pieces[0]), *pieces[1:]]
        chunks = pieces[:-1] if partial else pieces
        for position, chunk in enumerate(chunks):
            if len(chunk) > self._max_chunk_bytes:
                raise self._too_long(chunks[:position])
        if partial:
            self._hold(pieces[-1], chunks)
        return chunks

    def _hold(self, piece: bytes, before: list[bytes]) -> None:
        self._held.append(piece)
        self._held_bytes += len(piece)
        if self._held_bytes > self._max_chunk_bytes:
            raise self._too_long(before)

    def _too_long(self, before: list[bytes]) -> ProtocolError:
        return ProtocolError(f"transfer chunk longer than {self._max_chunk_bytes} bytes", before)

    def _release(self, last: bytes = b"") -> bytes:
        chunk = b"".join((*self._held, last))
        self._held.clear()
        self._held_bytes = 0
        return chunk

    def _blocks(self, pieces: list[bytes]) -> list[bytes]:
        size = self._block_bytes
        blocks: list[bytes] = []
        for piece in pieces:
            if self._held_bytes + len(piece) < size:
                self._held.append(piece)
                self._held_bytes += len(piece)
                continue
            data = self._release(piece)
            whole = len(data) - len(data) % size
            blocks += [data[start : start + size] for start in range(0, whole, size)]
            if rest := data[whole:]:
                self._held.append(rest)
                self._held_bytes = len(rest)
        return blocks

    def close(self) -> list[bytes]:
        """Return the rest of a body without transfer chunks."""
        return [self._release()] if self._held else []


def _decoder(body: BodyDescription) -> Decoder:
    return RawDecoder(body.max_chunk_bytes, transfer_chunks=body.transfer_chunks)


RAW = Format("raw", "RAW", _decoder, by_transfer_chunk=True)
