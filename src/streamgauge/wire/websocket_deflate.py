"""Compressed messages of a WebSocket: the receiving half of permessage-deflate (RFC 7692)."""

import zlib
from typing import Any

from wsproto.extensions import Extension
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits

from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.websocket_handshake import Deflate

MAX_FINAL_BLOCKS = 64
_DEFLATE_TAIL = b"\x00\x00\xff\xff"


class MessageTooLong(ProtocolError):
    """Raised for a message above the limit."""


class FirstBits(Extension):
    """Checks each frame's header. Allows RSV1 on the first frame of a message if permessage-deflate is agreed, and
    stores it in ``compressed_message``. Refuses a frame above the longest message before its payload comes.
    """

    name = "permessage-deflate"

    def __init__(self, *, compressed: bool, max_message_bytes: int) -> None:
        self._max_message_bytes = max_message_bytes
        self._allowed = RsvBits(compressed, False, False)
        self.compressed_message = False

    def enabled(self) -> bool:
        """Return True: the object exists only if the extension is in use."""
        return True

    def offer(self) -> bool | str:
        """Return True: the handshake has offered it already."""
        return True

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        """Return the reserved bits that the frame may have. Raises ProtocolError."""
        del proto
        if payload_length > self._max_message_bytes and not opcode.iscontrol():
            raise too_long(self._max_message_bytes)
        if opcode not in (Opcode.TEXT, Opcode.BINARY):
            return RsvBits(False, False, False)
        self.compressed_message = rsv.rsv1
        return self._allowed


class Inflater:
    """Inflates the peer's messages (RFC 7692 section 7.2.2), up to the longest message."""

    def __init__(self, deflate: Deflate, max_message_bytes: int) -> None:
        self._deflate = deflate
        self._max_message_bytes = max_message_bytes
        self._stream: Any = None

    def inflate(self, payload: bytes) -> bytes:
        """Return the inflated payload of a whole message."""
        parts: list[bytes] = []
        room = self._max_message_bytes
        data = payload + _DEFLATE_TAIL
        try:
            while data:
                if len(parts) > MAX_FINAL_BLOCKS:
                    raise ProtocolError(f"WebSocket message with more than {MAX_FINAL_BLOCKS} deflate streams")
                if self._stream is None:
                    self._stream = zlib.decompressobj(-max(9, self._deflate.window_bits))
                part = self._stream.decompress(data, room + 1)
                parts.append(part)
                room -= len(part)
                if room < 0:
                    raise MessageTooLong(f"the WebSocket message inflates to more than {self._max_message_bytes} bytes")
                data = self._take_rest()
        except zlib.error as error:
            raise ProtocolError(f"the WebSocket message cannot be inflated: {error}") from None
        if not self._deflate.keeps_context:
            self._stream = None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _take_rest(self) -> bytes:
        """Return the bytes after a final block, with which RFC 7692 section 7.2.3.5 lets a peer end a message."""
        if not self._stream.eof:
            return b""
        rest: bytes = self._stream.unused_data
        self._stream = None
        return b"" if rest in (_DEFLATE_TAIL, b"\x00" + _DEFLATE_TAIL) else rest


def too_long(max_message_bytes: int) -> MessageTooLong:
    """Make the error for a message above the limit."""
    return MessageTooLong(f"WebSocket message longer than {max_message_bytes} bytes")
