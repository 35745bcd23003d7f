"""The frames of a WebSocket (RFC 6455) after the handshake: every message is a chunk.

1. A frame that is a whole message, as nearly every frame is, is cut out directly.
2. All others (fragments, control frames, frames that a read splits) go through wsproto's frame decoder.
3. A message is inflated if permessage-deflate is agreed, and checked for UTF-8 if it is text.

``outgoing`` holds the bytes to send: pongs, the caller's messages, and a close. A pong goes first, since a ping asks
for it at once (RFC 6455 section 5.5.2) and nothing may follow a close. The client's own messages are never compressed,
as RFC 7692 section 6 permits.
"""

from wsproto.frame_protocol import FrameDecoder, FrameProtocol, Opcode, ParseFailed

from streamgauge.wire.decoder import MAX_CHUNK_BYTES
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.framing import Framing
from streamgauge.wire.websocket_deflate import FirstBits, Inflater, MessageTooLong, too_long
from streamgauge.wire.websocket_handshake import deflate_agreed

GOING_AWAY = 1001
NO_STATUS_RECEIVED = 1005
CLOSED_ABNORMALLY = 1006
#: Close codes that tell the peer its fault: invalid UTF-8, a message above the limit, and any other protocol error.
PROTOCOL_ERROR, INVALID_PAYLOAD, MESSAGE_TOO_BIG = 1002, 1007, 1009
MAX_CONTROL_BYTES = 125
#: Close codes of a clean close (RFC 6455 section 7.4.1): normal, going away, and none given.
_CLEAN_CLOSES = frozenset({1000, GOING_AWAY, NO_STATUS_RECEIVED})

_TEXT, _BINARY, _COMPRESSED = 0x81, 0x82, 0x40


class WebSocketBody(Framing):
    """A WebSocket as a framing: ``feed`` returns whole messages, text as UTF-8. An empty message is an empty piece."""

    self_delimited = False

    def __init__(self, extensions: str = "", max_message_bytes: int = MAX_CHUNK_BYTES) -> None:
        """Begin after the handshake; ``extensions``: the response's Sec-WebSocket-Extensions. Raises ProtocolError."""
        super().__init__()
        #: The peer's close code, once its close frame came; 1005 if that gave none, 1006 if no close frame came.
        self.close_code: int | None = None
        self.close_reason = ""
        self._fault_code = PROTOCOL_ERROR
        self._max_message_bytes = max_message_bytes
        deflate = deflate_agreed(extensions)
        self._inflater = None if deflate is None else Inflater(deflate, max_message_bytes)
        self._first_bits = FirstBits(compressed=deflate is not None, max_message_bytes=max_message_bytes)
        self._frames = FrameDecoder(client=True, extensions=[self._first_bits])
        self._encoder = FrameProtocol(client=True, extensions=[])
        # The message of which only some frames have come.
        self._opcode: Opcode | None = None
        self._message = bytearray()
        self._compressed = False
        self._close_sent = False
        self._queue = bytearray()
        self._pong = b""

    @property
    def inside_message(self) -> bool:
        """Whether only some frames of a message have come."""
        return self._opcode is not None

    @property
    def pending(self) -> bool:
        """Whether part of a message, or of any frame, is held."""
        return self._opcode is not None or self._frames.header is not None or len(self._frames.buffer) > 0

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that ``data`` completes."""
        if self.finished:
            self.rest += data
            return []
        messages: list[bytes] = []
        try:
            position = 0 if self.pending else self._take_whole_messages(data, messages)
            self.beyond = self.ending = False
            if position < len(data):
                self._frames.receive_bytes(data[position:] if position else data)
                self._take_frames(messages)
                self.beyond = self.beyond or self.pending
        except ProtocolError as error:
            error.before = messages
            if isinstance(error, MessageTooLong):
                self._fault_code = MESSAGE_TOO_BIG
            raise
        return messages

    # Frames that are whole messages

    def _take_whole_messages(self, data: bytes, messages: list[bytes]) -> int:
        """Cut out whole messages up to the first other frame; return the position of that frame."""
        position, end = 0, len(data)
        inflater = self._inflater
        while end - position >= 2:
            first, length = data[position], data[position + 1]
            compressed = inflater is not None and first & _COMPRESSED
            if (first & ~_COMPRESSED if compressed else first) not in (_TEXT, _BINARY):
                break
            start = position + 2
            if length == 126 and end - position >= 4:
                length, start = data[start] << 8 | data[start + 1], position + 4
                if length < 126:
                    break
            elif length > 125:
                break
            if start + length > end:
                break
            position = start + length
            messages.append(self._finish(data[start:position], is_text=first & 1 == 1, compressed=bool(compressed)))
        return position

    def _finish(self, payload: bytes, *, is_text: bool, compressed: bool) -> bytes:
        if len(payload) > self._max_message_bytes:
            raise self._too_long()
        if compressed:
            assert self._inflater is not None
            payload = self._inflater.inflate(payload)
        if is_text and not payload.isascii():
            try:
                payload.decode()
            except UnicodeDecodeError as error:
                self._fault_code = INVALID_PAYLOAD
                raise ProtocolError(f"WebSocket text is not UTF-8: {error.reason} at byte {error.start}") from None
        return payload

    # All other frames

    def _take_frames(self, messages: list[bytes]) -> None:
        try:
            while not self.finished and (frame := self._frames.process_buffer()) is not None:
                assert isinstance(frame.payload, bytes)
                self.ending = frame.opcode is Opcode.CLOSE
                self.beyond = self.beyond or not self.ending
                if frame.opcode.iscontrol():
                    self._control(frame.opcode, frame.payload)
                elif self._take_part(
                    frame.opcode, frame.payload, whole=frame.frame_finished and frame.message_finished
                ):
                    messages.append(self._finish_message())
                    self.beyond = False
        except ParseFailed as error:
            raise ProtocolError(f"invalid WebSocket frame: {error}") from None

    def _take_part(self, opcode: Opcode, payload: bytes, *, whole: bool) -> bool:
        """Add a part of a message, which may be part of a frame; return ``whole``, whether it is the last part."""
        if opcode is not Opcode.CONTINUATION:
            if self._opcode is not None:
                raise ProtocolError("a WebSocket message began before the previous one ended")
            self._opcode = opcode
            self._compressed = self._first_bits.compressed_message
        elif self._opcode is None:
            raise ProtocolError("WebSocket continuation frame without a message")
        if len(self._message) + len(payload) > self._max_message_bytes:
            raise self._too_long()
        self._message += payload
        return whole

    def _finish_message(self) -> bytes:
        is_text = self._opcode is Opcode.TEXT
        payload = bytes(self._message)
        self._message.clear()
        self._opcode = None
        return self._finish(payload, is_text=is_text, compressed=self._compressed)

    def _too_long(self) -> MessageTooLong:
        return too_long(self._max_message_bytes)

    def _control(self, opcode: Opcode, payload: bytes) -> None:
        if opcode is Opcode.CLOSE:
            self._closed_by_peer(payload)
            return
        self.heartbeats += 1
        if opcode is Opcode.PING and not self._close_sent:
            # Answering the latest ping is enough: RFC 6455 section 5.5.3.
            self._pong = bytes(self._encoder.pong(payload))

    def _closed_by_peer(self, payload: bytes) -> None:
        if len(payload) == 1:
            raise ProtocolError("expected 0 or at least 2 bytes in a WebSocket close frame, got one byte")
        code = int.from_bytes(payload[:2], "big") if payload else NO_STATUS_RECEIVED
        if payload and not _may_be_sent(code):
            raise ProtocolError(f"invalid WebSocket close code: {code}")
        try:
            self.close_reason = payload[2:].decode()
        except UnicodeDecodeError:
            self._fault_code = INVALID_PAYLOAD
            raise ProtocolError("WebSocket close reason is not UTF-8") from None
        self.close_code = code
        if not self._close_sent:
            self._queue += self._encoder.close(code if payload else None)
            self._close_sent = True
        self.finished = True
        self.rest = bytes(self._frames.buffer.buffer)
        self._frames.buffer.buffer.clear()

    def close(self) -> bool:
        """Note that the peer closed the transport; return whether the close handshake was complete."""
        if self.close_code is None:
            self.close_code = CLOSED_ABNORMALLY
        return self.finished

    @property
    def error(self) -> str:
        """See ``Framing``: the peer's close code and reason, unless it closed cleanly."""
        if not self.finished or self.close_code in _CLEAN_CLOSES:
            return ""
        return f"closed with {self.close_code} {self.close_reason}".rstrip(" ")

    def shortfall(self, *, named_end_came: bool) -> str:
        """See ``Framing``."""
        return "the WebSocket was closed inside a message" if self.inside_message and not named_end_came else ""

    # Sending

    @property
    def two_way(self) -> "WebSocketBody":
        """See ``Framing``."""
        return self

    @property
    def outgoing(self) -> bytes:
        """The bytes that wait to be sent."""
        return self._pong + bytes(self._queue)

    def take_outgoing(self) -> bytes:
        """Return the bytes that wait to be sent, and forget them."""
        outgoing, self._pong = self.outgoing, b""
        self._queue.clear()
        return outgoing

    def send(self, message: str | bytes) -> None:
        """Send a text or binary message. Raises ValueError once a close frame was sent."""
        self._check_open()
        self._queue += self._encoder.send_data(message)

    def ping(self, payload: bytes = b"") -> None:
        """Send a ping of at most 125 bytes. Raises ValueError for more, and once a close frame was sent."""
        self._check_open()
        if len(payload) > MAX_CONTROL_BYTES:
            raise ValueError(f"expected a ping of at most {MAX_CONTROL_BYTES} bytes, got {len(payload)}")
        self._queue += self._encoder.ping(payload)

    @property
    def closing(self) -> bool:
        """Whether a close frame was sent or waits to be sent."""
        return self._close_sent

    def send_close(self, code: int = 1000, reason: str = "") -> None:
        """Begin the close handshake; messages still come until the peer's close frame. Does nothing the second time."""
        if not _may_be_sent(code):
            raise ValueError(f"expected a valid close code, got {code}")
        if not self._close_sent:
            self._queue += self._encoder.close(code, reason)
            self._close_sent = True

    def closing_bytes(self, *, faulty: bool) -> bytes:
        """Return the last bytes to send before disconnecting; they include a close frame, unless one was sent before.

        ``faulty``: ``feed`` raised; the close code tells the peer its fault (RFC 6455 section 7.1.7).
        """
        self.send_close(self._fault_code if faulty else GOING_AWAY)
        return self.take_outgoing()

    def _check_open(self) -> None:
        if self._close_sent:
            raise ValueError("the WebSocket is closing, so no more messages can be sent")


def _may_be_sent(code: int) -> bool:
    """Whether a close frame may carry ``code``: RFC 6455 section 7.4, and the codes registered since."""
    if code in (1004, NO_STATUS_RECEIVED, CLOSED_ABNORMALLY):
        return False
    return 1000 <= code <= 1014 or 3000 <= code <= 4999
