"""Content codings for streams (RFC 9110, section 8.4.1): each chunk decodes as soon as it arrives.

The windows are small, because each stream has an encoder: with their libraries' defaults zstd takes 2 MiB and br
0.6 MiB per stream, ten times as much as here.
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
        """Encode ``data`` and flush: a reader can decode all of ``data`` from what was returned so far."""

    def end(self, data: bytes, /) -> bytes:
        """Encode the body's last bytes and the coding's own end."""


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
    """RFC 7932, at the highest quality that keeps no window: each higher one needs 0.3 MiB."""

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


#: The best for streams first: smallest chunks for the least time and memory.
CODINGS: Mapping[str, Callable[[], Encoder]] = {"zstd": Zstd, "gzip": Gzip, "br": Brotli}


def choose_coding(accept_encoding: str) -> str | None:
    """Choose the coding for an ``Accept-Encoding`` field; None for no coding (RFC 9110, section 12.5.3)."""
    asked = quality_values(accept_encoding)
    rest = asked.get("*", 0.0)
    found = {coding: asked.get(coding, rest) for coding in CODINGS}
    best = max(found, key=lambda coding: found[coding])
    return best if found[best] > 0 and found[best] >= asked.get("identity", 0.0) else None
