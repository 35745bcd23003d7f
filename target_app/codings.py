"""Content codings for streams (RFC 9110, section 8.4.1): each chunk decodes as soon as it is there.

What a stream's encoder remembers of the chunks before is kept small, because there is one for each stream: at their
libraries' usual settings zstd takes 2 MiB and br 0.6 MiB for each, ten times what these do.
"""

import sys
import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

import brotli

from target_app.negotiation import quality_values

if sys.version_info >= (3, 14):
    from compression.zstd import CompressionParameter, ZstdCompressor
else:
    from backports.zstd import CompressionParameter, ZstdCompressor


class Encoder(Protocol):
    """Encodes one body."""

    def feed(self, data: bytes, /) -> bytes:
        """The code of ``data``, whole: a reader has all of ``data`` when it has read this."""

    def end(self, data: bytes, /) -> bytes:
        """The code of ``data``, the body's last bytes, and what ends the code."""


class Gzip:
    """RFC 1952, with a window of 8 KiB."""

    def __init__(self) -> None:
        self._encoder = zlib.compressobj(level=4, wbits=16 + 13, memLevel=6)

    def feed(self, data: bytes) -> bytes:
        """Encode, and flush to a byte boundary."""
        return self._encoder.compress(data) + self._encoder.flush(zlib.Z_SYNC_FLUSH)

    def end(self, data: bytes) -> bytes:
        """Encode, and add the trailer."""
        return self._encoder.compress(data) + self._encoder.flush()


class Brotli:
    """RFC 7932. Any quality that remembers the chunks before needs 0.3 MiB, so this is the one that does not."""

    def __init__(self) -> None:
        self._encoder = brotli.Compressor(quality=1, lgwin=14)

    def feed(self, data: bytes) -> bytes:
        """Encode, and flush."""
        return bytes(self._encoder.process(data) + self._encoder.flush())

    def end(self, data: bytes) -> bytes:
        """Encode, and end the last block."""
        return bytes(self._encoder.process(data) + self._encoder.finish())


class Zstd:
    """RFC 8878, with a window of 16 KiB."""

    _OPTIONS: Mapping[int, int] = {
        CompressionParameter.compression_level: 3,
        CompressionParameter.window_log: 14,
        CompressionParameter.hash_log: 12,
        CompressionParameter.chain_log: 12,
    }

    def __init__(self) -> None:
        self._encoder = ZstdCompressor(options=dict(self._OPTIONS))

    def feed(self, data: bytes) -> bytes:
        """Encode, and end the block."""
        return self._encoder.compress(data, ZstdCompressor.FLUSH_BLOCK)

    def end(self, data: bytes) -> bytes:
        """Encode, and end the frame."""
        return self._encoder.compress(data, ZstdCompressor.FLUSH_FRAME)


#: The codings there are, the best for streams first: smallest chunks for the least time and memory.
CODINGS: Mapping[str, Callable[[], Encoder]] = {"zstd": Zstd, "gzip": Gzip, "br": Brotli}


def accepted(accept_encoding: str) -> str | None:
    """The coding to use for a request with that field; None for none (RFC 9110, section 12.5.3)."""
    asked = quality_values(accept_encoding)
    rest = asked.get("*", 0.0)
    found = {coding: asked.get(coding, rest) for coding in CODINGS}
    best = max(found, key=lambda coding: found[coding])
    return best if found[best] > 0 and found[best] >= asked.get("identity", 0.0) else None
