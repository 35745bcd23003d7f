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
    """A message above the limit."""


class FirstBits(Extension):
    """Looks at each frame's header: lets RSV1 stand on the first frame of a message where permessage-deflate is agreed,
    and remembers it; refuses a frame that is longer than any message may be before its payload comes.
    """

    name = "permessage-deflate"

    def __init__(self, *, compressed: bool, max_message_bytes: int) -> None:
        self._max_message_bytes = max_message_bytes
        self._allowed = RsvBits(compressed, False, False)
        self.compressed_message = False

    def enabled(self) -> bool:
        """It was agreed on, or there would be none."""
        return True

    def offer(self) -> bool | str:
        """It was offered in the handshake."""
        return True

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        """Which bits may stand on the frame that begins. Raises ProtocolError."""
        del proto
        if payload_length > self._max_message_bytes and not opcode.iscontrol():
            raise too_long(self._max_message_bytes)
        if opcode not in (Opcode.TEXT, Opcode.BINARY):
            return RsvBits(False, False, False)
        self.compressed_message = rsv.rsv1
        return self._allowed


class Inflater:
    """The peer's half of permessage-deflate (RFC 7692 section 7.2.2), bounded by the longest message."""

    def __init__(self, deflate: Deflate, max_message_bytes: int) -> None:
        self._deflate = deflate
        self._max_message_bytes = max_message_bytes
        self._stream: Any = None

    def inflate(self, payload: bytes) -> bytes:
        """A whole message's payload, inflated."""
        parts: list[bytes] = []
        room = self._max_message_bytes
        data = payload + _DEFLATE_TAIL
        try:
            while data:
                if len(parts) > MAX_FINAL_BLOCKS:
                    raise ProtocolError(f"WebSocket message of more than {MAX_FINAL_BLOCKS} deflate streams")
                if self._stream is None:
                    self._stream = zlib.decompressobj(-max(9, self._deflate.window_bits))
                part = self._stream.decompress(data, room + 1)
                parts.append(part)
                room -= len(part)
                if room < 0:
                    raise MessageTooLong(
                        f"WebSocket message that inflates to more than {self._max_message_bytes} bytes"
                    )
                data = self._left_over()
        except zlib.error as error:
            raise ProtocolError(f"WebSocket message that cannot be inflated: {error}") from None
        if not self._deflate.keeps_context:
            self._stream = None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _left_over(self) -> bytes:
        """What follows a final block, which RFC 7692 section 7.2.3.5 lets a peer end a message with."""
        if not self._stream.eof:
            return b""
        rest: bytes = self._stream.unused_data
        self._stream = None
        return b"" if rest in (_DEFLATE_TAIL, b"\x00" + _DEFLATE_TAIL) else rest


def too_long(max_message_bytes: int) -> MessageTooLong:
    """What is wrong with a message above the limit."""
    return MessageTooLong(f"WebSocket message longer than {max_message_bytes} bytes")
