"""Decode content codings (RFC 9110 section 8.4) as the bytes arrive: gzip, deflate, br, zstd, and chains of them.

1. ``coding_for`` reads Content-Encoding and chains a decoder for each coding, the last applied coding first. Names
   that no registry has change nothing: services send ``none``, ``utf-8`` or ``binary`` with plain bodies, and browsers
   read these as they are (WHATWG Fetch section 2.2.5, "handle content codings").
2. ``feed`` returns all that can be decoded so far: a chunk that the server flushed is complete with its last byte.
   One call returns at most ``max_piece_bytes``, and asks a decompressor for no more, so no bomb is held in memory.
3. ``close`` returns whether the coded data were complete. gzip and zstd data may be several members (frames) in a row.

The libraries for br (``brotli``) and zstd (``backports.zstd``, or Python's own from 3.14 on) are imported when a body
needs them; ``available_codings`` returns the codings that can be decoded here.
"""

import importlib
import importlib.util
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from streamgauge.wire.blanks import members
from streamgauge.wire.errors import ProtocolError

MAX_PIECE_BYTES = 16 * 1024 * 1024
MAX_CODINGS = 4
#: The largest window that RFC 9659 lets a zstd content coding need: 8 MiB.
ZSTD_WINDOW_LOG_MAX = 23
#: Some servers append a checksum of up to this many bytes to a raw deflate stream.
MAX_DEFLATE_TRAILER_BYTES = 4

#: Registered codings that change the body and that are not decoded here (IANA's HTTP content coding registry).
_NOT_DECODED = frozenset({"aes128gcm", "compress", "dcb", "dcz", "exi", "pack200-gzip", "x-compress"})
_GZIP_WINDOW_BITS = 16 + zlib.MAX_WBITS
# A finished member copies the data behind it. In slices of this size, decoding many empty members takes linear time.
_SLICE_BYTES = 16_384
_BROTLI_MODULES = ("brotli",)
_ZSTD_MODULES = ("compression.zstd", "backports.zstd")


class ContentDecoder:
    """Decodes one content coding, or several: the contract of the classes below."""

    def feed(self, piece: bytes) -> bytes:
        """Return all that can be decoded with ``piece``, possibly nothing. Raises ProtocolError."""
        raise NotImplementedError

    def close(self) -> bool:
        """Note that the body ended; return whether the coded data are complete. An empty body is complete."""
        raise NotImplementedError


def coding_for(content_encoding: str, max_piece_bytes: int = MAX_PIECE_BYTES) -> ContentDecoder | None:
    """Make the decoder of this Content-Encoding; None if the body has no coding.

    Raises ProtocolError for a coding that cannot be decoded, or if its library is not installed.
    """
    names = [name for member in members(content_encoding) if (name := member.lower()) in _CODINGS.keys() | _NOT_DECODED]
    if len(names) > MAX_CODINGS:
        raise ProtocolError(f"expected at most {MAX_CODINGS} content codings, got {content_encoding[:80]!r}")
    for name in names:
        if name not in _CODINGS:
            raise ProtocolError(f"expected a content coding of {', '.join(_CODINGS)} or identity, got {name!r}")
    decoders = [_CODINGS[name](max_piece_bytes) for name in reversed(names)]
    if not decoders:
        return None
    return decoders[0] if len(decoders) == 1 else _Chain(decoders)


def available_codings() -> tuple[str, ...]:
    """Return the codings that can be decoded here, for Accept-Encoding."""
    optional = {"br": _BROTLI_MODULES, "zstd": _ZSTD_MODULES}
    return ("gzip", "deflate", *(name for name, modules in optional.items() if any(map(_is_installed, modules))))


class _Chain(ContentDecoder):
    def __init__(self, decoders: list[ContentDecoder]) -> None:
        self._decoders = decoders

    def feed(self, piece: bytes) -> bytes:
        for decoder in self._decoders:
            piece = decoder.feed(piece)
        return piece

    def close(self) -> bool:
        return all(decoder.close() for decoder in self._decoders)


class _Members(ContentDecoder):
    """Decodes codings whose data are members (frames) in a row, each with its own decompressor."""

    def __init__(
        self, name: str, begin: Callable[[], Any], errors: type[Exception], padding: bytes, max_piece_bytes: int
    ) -> None:
        self._name = name
        self._begin = begin
        self._errors = errors
        self._padding = padding
        self._max_piece_bytes = max_piece_bytes
        self._member: Any = None
        self._after_member = False

    def feed(self, piece: bytes) -> bytes:
        decoded: list[bytes] = []
        room = self._max_piece_bytes
        for data in _slices(piece):
            while data:
                if self._member is None and not (data := self._begin_member(data)):
                    break
                part = self._decompress(data, room)
                room -= len(part)
                decoded.append(part)
                data = self._take_rest()
        return decoded[0] if len(decoded) == 1 else b"".join(decoded)

    def _begin_member(self, data: bytes) -> bytes:
        """Begin the member that ``data`` starts with; return ``data`` without the padding before it."""
        if self._after_member and self._padding:
            data = data.lstrip(self._padding)
        if data:
            self._member = self._begin()
        return data

    def _decompress(self, data: bytes, room: int) -> bytes:
        try:
            part: bytes = self._member.decompress(data, room + 1)
        except self._errors as error:
            raise _undecodable(self._name, error) from None
        if len(part) > room:
            raise _too_much(self._name, self._max_piece_bytes)
        return part

    def _take_rest(self) -> bytes:
        """Return the bytes that follow the member, if it has ended."""
        if not self._member.eof:
            return b""
        rest: bytes = self._member.unused_data
        self._member, self._after_member = None, True
        return rest

    def close(self) -> bool:
        return self._member is None


class _Deflate(ContentDecoder):
    """Decodes the zlib format (RFC 1950), as the standard requires, or the raw deflate data that some servers send.

    The first two bytes tell them apart. A raw stream (RFC 1951) that looks like a zlib header would begin with a stored
    block whose padding bits are not zero, which no encoder writes.
    """

    def __init__(self, max_piece_bytes: int) -> None:
        self._max_piece_bytes = max_piece_bytes
        self._held = b""
        self._stream: Any = None
        self._trailer_bytes = 0
        self._is_raw = False

    def feed(self, piece: bytes) -> bytes:
        if self._stream is None:
            piece = self._held = self._held + piece
            if len(piece) < 2:
                return b""
            self._is_raw = not (piece[0] & 0x0F == 8 and piece[0] >> 4 <= 7 and (piece[0] << 8 | piece[1]) % 31 == 0)
            self._stream = zlib.decompressobj(-zlib.MAX_WBITS if self._is_raw else zlib.MAX_WBITS)
            self._held = b""
        if self._stream.eof:
            return self._past_end(piece)
        try:
            decoded: bytes = self._stream.decompress(piece, self._max_piece_bytes + 1)
        except zlib.error as error:
            raise _undecodable("deflate", error) from None
        if len(decoded) > self._max_piece_bytes:
            raise _too_much("deflate", self._max_piece_bytes)
        if self._stream.eof:
            self._past_end(self._stream.unused_data)
        return decoded

    def _past_end(self, data: bytes) -> bytes:
        self._trailer_bytes += len(data)
        if self._trailer_bytes > (MAX_DEFLATE_TRAILER_BYTES if self._is_raw else 0):
            raise ProtocolError(f"expected the end of the deflate data, got {data[:40]!r}")
        return b""

    def close(self) -> bool:
        if self._stream is None:
            return not self._held
        return bool(self._stream.eof)


class _Brotli(ContentDecoder):
    """Decodes Brotli (RFC 7932). The library stops at the end of the block in which the limit is passed."""

    def __init__(self, max_piece_bytes: int) -> None:
        brotli = _library("br", _BROTLI_MODULES, "brotli>=1.2")
        self._stream = brotli.Decompressor()
        self._errors: type[Exception] = brotli.error
        self._max_piece_bytes = max_piece_bytes
        self._begun = False

    def feed(self, piece: bytes) -> bytes:
        if not piece:
            return b""
        self._begun = True
        try:
            decoded: bytes = self._stream.process(piece, output_buffer_limit=self._max_piece_bytes + 1)
        except self._errors as error:
            raise _undecodable("br", error) from None
        if len(decoded) > self._max_piece_bytes:
            raise _too_much("br", self._max_piece_bytes)
        return decoded

    def close(self) -> bool:
        return not self._begun or bool(self._stream.is_finished())


def _gzip(max_piece_bytes: int) -> ContentDecoder:
    # Zeros after a member are padding, as for gzip(1).
    return _Members("gzip", lambda: zlib.decompressobj(_GZIP_WINDOW_BITS), zlib.error, b"\0", max_piece_bytes)


def _zstd(max_piece_bytes: int) -> ContentDecoder:
    zstd = _library("zstd", _ZSTD_MODULES, "backports.zstd>=1.8")
    options = {zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG_MAX}
    return _Members("zstd", lambda: zstd.ZstdDecompressor(options=options), zstd.ZstdError, b"", max_piece_bytes)


_CODINGS: Mapping[str, Callable[[int], ContentDecoder]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _zstd,
}


def _slices(piece: bytes) -> Iterator[bytes]:
    for start in range(0, len(piece), _SLICE_BYTES):
        yield piece[start : start + _SLICE_BYTES]


def _library(coding: str, modules: tuple[str, ...], requirement: str) -> Any:
    for module in modules:
        try:
            return importlib.import_module(module)
        except ImportError:
            continue
    raise ProtocolError(f"content coding {coding!r} needs a library that is not installed: pip install '{requirement}'")


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False


def _undecodable(coding: str, error: Exception) -> ProtocolError:
    return ProtocolError(f"the {coding} data cannot be decoded: {error}")


def _too_much(coding: str, max_piece_bytes: int) -> ProtocolError:
    return ProtocolError(f"the {coding} data of one read decode to more than {max_piece_bytes} bytes")
