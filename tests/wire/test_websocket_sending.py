"""The order in which a client's frames are sent (RFC 6455 sections 5.4 and 5.5)."""

import pytest
from wsproto.frame_protocol import FrameProtocol, Opcode

from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.websocket_body import WebSocketBody

PING, CLOSE, PART, REST = b"\x89\x01p", b"\x88\x02\x03\xe8", b"\x01\x01a", b"\x80\x01b"


def sent(outgoing: bytes) -> list[tuple[Opcode, bytes]]:
    """The frames that a server reads."""
    server = FrameProtocol(client=False, extensions=[])
    server.receive_bytes(outgoing)
    return [
        (frame.opcode, bytes(frame.payload) if frame.opcode is Opcode.PONG else b"")
        for frame in server.received_frames()
    ]


PONG, CLOSED, SAID = (Opcode.PONG, b"p"), (Opcode.CLOSE, b""), (Opcode.TEXT, b"")


@pytest.mark.parametrize("data", [PING + CLOSE, PING + PING + CLOSE, PART + PING + CLOSE])
def test_a_ping_is_answered_before_the_close_that_follows_it(data):
    body = WebSocketBody()
    body.feed(data)
    assert sent(body.take_outgoing()) == [PONG, CLOSED]


def test_a_ping_is_answered_before_our_own_close():
    body = WebSocketBody()
    body.feed(PING)
    body.send_close()
    assert sent(body.take_outgoing()) == [PONG, CLOSED]


def test_a_ping_after_our_own_close_is_not_answered():
    body = WebSocketBody()
    body.send_close()
    body.feed(PING)
    assert sent(body.take_outgoing()) == [CLOSED]


def test_a_ping_is_answered_before_the_close_that_tells_of_a_fault():
    body = WebSocketBody()
    with pytest.raises(ProtocolError):
        body.feed(PING + b"\x83\x00")
    assert sent(body.closing_bytes(faulty=True)) == [PONG, CLOSED]


def test_a_pong_does_not_wait_for_messages():
    body = WebSocketBody()
    body.send("one")
    body.feed(PART + PING + REST)
    body.send("two")
    assert [opcode for opcode, _ in sent(body.take_outgoing())] == [Opcode.PONG, Opcode.TEXT, Opcode.TEXT]


def test_a_close_inside_a_message_is_answered_and_leaves_the_message_incomplete():
    body = WebSocketBody()
    assert body.feed(PART + CLOSE) == []
    assert (body.finished, body.close_code) == (True, 1000)
    assert "inside a message" in body.shortfall(named_end_came=False)
