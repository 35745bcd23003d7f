"""WebSocket frames: RFC 6455 and permessage-deflate (RFC 7692)."""

import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage
from wsproto.extensions import PerMessageDeflate

from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.websocket_body import WebSocketBody

TEXT, BINARY, MORE, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
FIN, RSV1, MASK = 0x80, 0x40, 0x80


def frame(opcode: int, payload: bytes = b"", first_bits: int = FIN, mask: int = 0) -> bytes:
    length = len(payload)
    if length < 126:
        size = bytes([mask | length])
    elif length < 65_536:
        size = bytes([mask | 126]) + length.to_bytes(2, "big")
    else:
        size = bytes([mask | 127]) + length.to_bytes(8, "big")
    return bytes([first_bits | opcode]) + size + payload


def deflated(payload: bytes, stream=None) -> bytes:
    stream = stream or zlib.compressobj(wbits=-15)
    return (stream.compress(payload) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


def halves(payload: bytes) -> list[bytes]:
    return [payload[: len(payload) // 2], payload[len(payload) // 2 :]]


def read(pieces: list[bytes], body: WebSocketBody) -> list[bytes]:
    return [message for piece in pieces for message in body.feed(piece)]


def peer(body: WebSocketBody) -> Connection:
    """wsproto's server, which has read what ``body`` sent."""
    server = Connection(ConnectionType.SERVER)
    server.receive_data(body.take_outgoing())
    return server


END = frame(CLOSE, b"\x03\xe8bye")
HELLO = deflated(b"Hello")
# RFC 6455 section 5.7 and RFC 7692 section 7.2.3 have the literal bytes.
STREAMS = {
    "text": ("", bytes([0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]), [b"Hello"]),
    "fragments": ("", bytes([0x01, 0x03, 0x48, 0x65, 0x6C, 0x80, 0x02, 0x6C, 0x6F]), [b"Hello"]),
    "256 bytes": ("", bytes([0x82, 0x7E, 0x01, 0x00]) + bytes(256), [bytes(256)]),
    "126 bytes": ("", frame(BINARY, b"x" * 126), [b"x" * 126]),
    "several": ("", frame(TEXT, b"a") + frame(BINARY, b"\xff") + frame(TEXT), [b"a", b"\xff", b""]),
    "control frames between": (
        "",
        frame(TEXT, b"a", 0) + frame(PING, b"p") + frame(MORE, b"", 0) + frame(PONG) + frame(MORE, b"b"),
        [b"ab"],
    ),
    "a character over two fragments": ("", frame(TEXT, b"\xe2\x82", 0) + frame(MORE, b"\xac"), ["€".encode()]),
    "deflated": ("permessage-deflate", bytes.fromhex("c107f248cdc9c90700"), [b"Hello"]),
    "deflated fragments": ("permessage-deflate", bytes.fromhex("4103f248cd8004c9c90700"), [b"Hello"]),
    "deflated with the window kept": (
        "permessage-deflate",
        bytes.fromhex("c107f248cdc9c90700c105f200110000"),
        [b"Hello"] * 2,
    ),
    "deflated, uncompressed": ("permessage-deflate", bytes.fromhex("c10b000500faff48656c6c6f00"), [b"Hello"]),
    "deflated, a final block": ("permessage-deflate", bytes.fromhex("c108f348cdc9c9070000") * 2, [b"Hello"] * 2),
    "deflated, two blocks": ("permessage-deflate", bytes.fromhex("c10df248050000 00ffffcac9c90700"), [b"Hello"]),
    "some deflated": ("permessage-deflate", frame(TEXT, b"a") + frame(TEXT, HELLO, FIN | RSV1), [b"a", b"Hello"]),
    "a ping between deflated fragments": (
        "permessage-deflate",
        frame(TEXT, HELLO[:3], RSV1) + frame(PING) + frame(MORE, HELLO[3:]) + frame(TEXT, b"plain"),
        [b"Hello", b"plain"],
    ),
    "no context kept": (
        "permessage-deflate; server_no_context_takeover",
        frame(BINARY, HELLO, FIN | RSV1) * 3,
        [b"Hello"] * 3,
    ),
}


@pytest.mark.parametrize(("extensions", "data", "messages"), STREAMS.values(), ids=STREAMS)
def test_messages_are_the_same_however_they_are_split(extensions, data, messages, cuts):
    for pieces in cuts(data + END + b"beyond"):
        body = WebSocketBody(extensions)
        assert read(pieces, body) == messages
        assert (body.finished, body.close(), body.pending) == (True, True, False)
        assert (body.close_code, body.close_reason, body.rest) == (1000, "bye", b"beyond")


def test_a_long_message_comes_in_many_reads():
    data, body = frame(BINARY, bytes(200_000)), WebSocketBody()
    pieces = [data[start : start + 65_536] for start in range(0, len(data), 65_536)]
    assert read(pieces, body) == [bytes(200_000)]
    assert not body.pending


def test_part_of_a_message_is_pending_until_it_is_whole():
    body = WebSocketBody()
    assert (body.feed(frame(TEXT, b"a") + b"\x81"), body.pending) == ([b"a"], True)
    assert (body.feed(b"\x02b"), body.pending) == ([], True)
    assert (body.feed(b"c"), body.pending) == ([b"bc"], False)
    assert (body.feed(frame(TEXT, b"d", 0)), body.pending) == ([], True)
    assert (body.feed(frame(MORE)), body.pending) == ([b"d"], False)


def test_a_ping_is_answered_and_counted():
    body = WebSocketBody()
    body.feed(frame(PING, b"one") + frame(PONG, b"unasked") + frame(PING, b"two"))
    assert body.heartbeats == 3
    assert [event.payload for event in peer(body).events()] == [b"two"], "the latest pong is enough"
    assert body.outgoing == b""


def test_a_close_is_answered_with_its_code():
    body = WebSocketBody()
    assert body.feed(frame(TEXT, b"a") + frame(CLOSE, b"\x0f\xa0why")) == [b"a"]
    assert (body.finished, body.close_code, body.close_reason) == (True, 4000, "why")
    assert [(event.code, event.reason) for event in peer(body).events()] == [(4000, "")]


def test_a_close_without_a_code_is_1005_and_answered_by_an_empty_one():
    body = WebSocketBody()
    body.feed(frame(CLOSE))
    assert (body.close_code, body.close_reason, body.outgoing[:2]) == (1005, "", bytes([0x88, MASK]))


def test_a_transport_that_ends_without_a_close_frame_is_no_clean_end():
    body = WebSocketBody()
    body.feed(frame(TEXT, b"a"))
    assert not body.close()
    assert (body.finished, body.close_code) == (False, 1006)


def test_the_client_may_close_first_and_reads_on_until_the_server_does():
    body = WebSocketBody()
    body.send_close(1001, "enough")
    body.send_close()
    server = peer(body)
    assert list(server.events()) == [CloseConnection(code=1001, reason="enough")]
    assert body.feed(frame(TEXT, b"a") + frame(PING)) == [b"a"]
    assert not body.finished
    body.feed(server.send(CloseConnection(code=1001)))
    assert (body.finished, body.close_code, body.outgoing) == (True, 1001, b"")
    assert server.state is ConnectionState.CLOSED


def test_what_the_client_sends_another_implementation_reads():
    body = WebSocketBody("permessage-deflate")
    body.send("grüß")
    body.send(b"\x00\xff" * 40_000)
    body.ping(b"are you there")
    events = list(peer(body).events())
    assert [event.data for event in events if isinstance(event, TextMessage)] == ["grüß"]
    assert b"".join(event.data for event in events if isinstance(event, BytesMessage)) == b"\x00\xff" * 40_000
    assert [event.payload for event in events if isinstance(event, Ping)] == [b"are you there"]


def test_what_cannot_be_sent_is_the_callers_mistake():
    body = WebSocketBody()
    with pytest.raises(ValueError, match="at most 125"):
        body.ping(bytes(126))
    with pytest.raises(ValueError, match="1005"):
        body.send_close(1005)
    body.send_close()
    for send in (lambda: body.send("a"), lambda: body.send(b"a"), body.ping):
        with pytest.raises(ValueError, match="closing"):
            send()


BOMB = deflated(bytes(1_000_000))
REFUSED = {
    "a masked frame": ("", frame(TEXT, b"\0\0\0\0a", mask=MASK), "masked"),
    "RSV1": ("", frame(TEXT, b"a", FIN | RSV1), "Reserved"),
    "RSV2": ("permessage-deflate", frame(TEXT, b"a", FIN | 0x20), "Reserved"),
    "RSV3": ("", frame(BINARY, b"a", FIN | 0x10), "Reserved"),
    "RSV1 on a later fragment": ("permessage-deflate", frame(TEXT, b"a", 0) + frame(MORE, b"", FIN | RSV1), "Reserved"),
    "RSV1 on a ping": ("permessage-deflate", frame(PING, b"", FIN | RSV1), "Reserved"),
    "an unknown opcode": ("", frame(3), "opcode"),
    "an unknown control opcode": ("", frame(11), "opcode"),
    "a fragmented ping": ("", frame(PING, b"", 0), "fragment"),
    "a long ping": ("", frame(PING, bytes(126)), "Control frame"),
    "a length in too many bytes": ("", bytes([0x81, 126, 0, 5]) + b"hello", "Payload length"),
    "a length in far too many bytes": ("", bytes([0x81, 127, 0, 0, 0, 0, 0, 0, 0, 5]) + b"hello", "Payload length"),
    "a negative length": ("", bytes([0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]), "MSB"),
    "a continuation of nothing": ("", frame(MORE, b"a"), "continuation frame without a message"),
    "a message within a message": ("", frame(TEXT, b"a", 0) + frame(TEXT, b"b"), "began before the previous one"),
    "bad UTF-8": ("", frame(TEXT, b"a\xff"), "not UTF-8"),
    "bad UTF-8 in fragments": ("", frame(TEXT, b"\xe2", 0) + frame(MORE, b"x"), "not UTF-8"),
    "a surrogate": ("", frame(TEXT, b"\xed\xa0\x80"), "not UTF-8"),
    "bad UTF-8, deflated": ("permessage-deflate", frame(TEXT, deflated(b"\xff"), FIN | RSV1), "not UTF-8"),
    "not deflated": ("permessage-deflate", frame(TEXT, b"\xff" * 9, FIN | RSV1), "inflated"),
    "a long message": ("", frame(BINARY, bytes(1_001)), "longer than 1000"),
    "long fragments": ("", (frame(BINARY, bytes(600), 0) + frame(MORE, bytes(600))), "longer than 1000"),
    "an endless frame": ("", bytes([0x82, 127, 0x7F, 0, 0, 0, 0, 0, 0, 0]) + b"x", "longer than 1000"),
    "a bomb": ("permessage-deflate", frame(BINARY, BOMB[:1000], FIN | RSV1), "inflates to more than 1000|longer"),
    "many final blocks": ("permessage-deflate", frame(BINARY, b"\x03\x00" * 100, FIN | RSV1), "deflate streams"),
    "a close of one byte": ("", frame(CLOSE, b"\x03"), "one byte"),
    "a close code that may not be sent": ("", frame(CLOSE, b"\x03\xed"), "1005"),
    "a close code below 1000": ("", frame(CLOSE, b"\x03\xe7"), "999"),
    "a reserved close code": ("", frame(CLOSE, b"\x07\xd0"), "2000"),
    "a close reason that is not UTF-8": ("", frame(CLOSE, b"\x03\xe8\xff"), "not UTF-8"),
}


@pytest.mark.parametrize(("extensions", "data", "message"), REFUSED.values(), ids=REFUSED)
def test_what_the_standard_forbids_is_refused(extensions, data, message):
    for size in (len(data), 1, 3):
        with pytest.raises(ProtocolError, match=message):
            read([data[start : start + size] for start in range(0, len(data), size)], WebSocketBody(extensions, 1_000))


def test_a_bomb_is_never_held():
    body = WebSocketBody("permessage-deflate", 200_000)
    bomb = frame(BINARY, deflated(bytes(100_000_000)), FIN | RSV1)
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError, match="inflates to more than 200000"):
            body.feed(bomb)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_a_flood_of_empty_fragments_holds_nothing():
    body = WebSocketBody()
    body.feed(frame(TEXT, b"a", 0))
    for _ in range(100):
        assert body.feed(frame(MORE, b"", 0) * 100 + frame(PING) * 100) == []
    assert len(body._message) == 1
    assert len(body.outgoing) < 10
    assert body.feed(frame(MORE, b"b")) == [b"ab"]


def test_registered_close_codes_may_be_sent():
    for code in (1000, 1003, 1011, 1014, 3000, 4999):
        body = WebSocketBody()
        body.feed(frame(CLOSE, code.to_bytes(2, "big")))
        assert body.close_code == code


MESSAGES = st.lists(st.tuples(st.text(max_size=300) | st.binary(max_size=300), st.booleans()), max_size=6)


@given(MESSAGES, st.booleans(), st.integers(1, 50))
def test_what_another_implementation_sends_is_read(messages, deflate, size):
    extension = PerMessageDeflate()
    if deflate:
        extension.finalize("permessage-deflate")
    server = Connection(ConnectionType.SERVER, [extension])
    data = b""
    for message, fragmented in messages:
        kind = TextMessage if isinstance(message, str) else BytesMessage
        cut = 1 if fragmented else 0
        if fragmented:
            data += server.send(kind(data=message[:cut], message_finished=False))
        data += server.send(kind(data=message[cut:]))
    data += server.send(Pong(payload=b"p")) + server.send(CloseConnection(code=1000))
    body = WebSocketBody("permessage-deflate" if deflate else "")
    got = read([data[start : start + size] for start in range(0, len(data), size)], body)
    assert got == [message.encode() if isinstance(message, str) else message for message, _ in messages]
    assert (body.close_code, body.heartbeats) == (1000, 1)


@given(st.binary(max_size=60), st.sampled_from(["", "permessage-deflate"]), st.integers(1, 5))
def test_arbitrary_bytes_are_read_or_refused_whatever_the_split(data, extensions, size):
    def outcome(pieces):
        body = WebSocketBody(extensions, 100)
        try:
            return read(pieces, body), body.close_code, body.rest, body.pending
        except ProtocolError:
            return None

    assert outcome([data]) == outcome([data[start : start + size] for start in range(0, len(data), size)])
