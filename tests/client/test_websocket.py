"""WebSockets by servers that do as scripts say: handshakes, messages, closes."""

import contextlib
import socket
import time
import zlib

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Pong, TextMessage

from streamgauge.client import states
from streamgauge.client.blocking import run_streams
from streamgauge.stats.outcome import Outcome
from streamgauge.wire.websocket_handshake import accept_of

COMPLETED, INCOMPLETE, TRUNCATED = Outcome.COMPLETED, Outcome.INCOMPLETE, Outcome.TRUNCATED
IN_BAND_ERROR, HTTP_ERROR, PROTOCOL_ERROR = Outcome.IN_BAND_ERROR, Outcome.HTTP_ERROR, Outcome.PROTOCOL_ERROR
READ = "read"

TEXT, BINARY, MORE, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
FIN, RSV1 = 0x80, 0x40


def frame(opcode: int, payload: bytes = b"", first_bits: int = FIN) -> bytes:
    assert len(payload) < 126
    return bytes((first_bits | opcode, len(payload))) + payload


def close(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


def deflated(payload: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return (stream.compress(payload) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


class Upgrade:
    """A step that opens the WebSocket that was asked for, and more steps for what goes on in it."""

    def __init__(self, *fields: bytes, accept: bytes = b"") -> None:
        self._fields, self._accept = fields, accept
        self.heard: list[object] = []
        self._peer = Connection(ConnectionType.SERVER)

    def __call__(self, connection, head):
        (key,) = (line[18:].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
        accept = self._accept or accept_of(key.decode()).encode()
        lines = (b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket", b"Connection: Upgrade")
        lines += (b"Sec-WebSocket-Accept: " + accept, *self._fields, b"", b"")
        connection.sendall(b"\r\n".join(lines))

    def until(self, kind):
        """A step that reads what the client sends, until a message of ``kind`` or the end of the connection."""

        def step(connection, head):
            while not any(isinstance(each, kind) for each in self.heard):
                if not self.read(connection):
                    return

        return step

    def read(self, connection):
        """Read once what the client sends, and return whether it was anything."""
        if data := connection.recv(65_536):
            self._peer.receive_data(data)
            self.heard += list(self._peer.events())
        return bool(data)


@pytest.fixture
def opens():
    return Upgrade()


def websocket(stream, *script, **options):
    return stream([*script], protocol="websocket", **options)


def test_each_message_is_a_chunk_and_a_normal_close_is_the_end(stream, opens):
    record = websocket(
        stream, opens, frame(TEXT, b"one"), READ, frame(BINARY, b"\xff\x00"), close(1000), opens.until(())
    )
    assert (record.outcome, record.chunks, record.bytes) == (COMPLETED, 2, 5), record.reason
    assert (record.protocol, record.status) == ("websocket", 101)


def test_messages_that_come_with_the_handshake_count(stream, opens):
    class Eager(Upgrade):
        def __call__(self, connection, head):
            sending, connection_sent = connection.sendall, []
            super().__call__(type("All", (), {"sendall": lambda _, data: connection_sent.append(data)})(), head)
            sending(b"".join((*connection_sent, frame(TEXT, b"one"), close(1000))))

    record = websocket(stream, Eager())
    assert (record.outcome, record.chunks) == (COMPLETED, 1), record.reason


def test_a_fragmented_message_with_a_ping_inside_is_one_chunk_and_a_heartbeat(stream, opens):
    fragments = [frame(TEXT, b"o", 0), READ, frame(PING, b"hi"), READ, frame(MORE, b"n", 0), READ, frame(MORE, b"e")]
    seen = []
    record = websocket(stream, opens, *fragments, opens.until(Pong), close(1000), on_chunk=seen.append)
    assert (record.outcome, record.chunks, record.heartbeats) == (COMPLETED, 1, 1), record.reason
    assert seen == [b"one"]
    assert [bytes(each.payload) for each in opens.heard if isinstance(each, Pong)] == [b"hi"]


def test_a_message_is_timed_by_its_last_fragment(stream, opens):
    fragments = [READ, frame(TEXT, b"o", 0), READ, 0.1, frame(MORE, b"n")]
    record = websocket(stream, opens, frame(TEXT, b"one"), *fragments, READ, close(1000))
    assert record.max_chunk_interval_s >= 0.1
    assert record.chunks == 2


SHARED_READS = {
    "a ping behind it": ([frame(TEXT, b"a") + frame(PING)], 1, 1),
    "a ping before it": ([frame(PING) + frame(TEXT, b"a")], 1, 0),
    "part of the next one behind it": ([frame(TEXT, b"a") + frame(TEXT, b"bb")[:3], READ, b"b"], 2, 1),
    "the close behind it": ([frame(TEXT, b"a") + close(1000)], 1, 0),
    "a ping and the close behind it": ([frame(TEXT, b"a") + frame(PING) + close(1000)], 1, 1),
    "two in one read": ([frame(TEXT, b"a") + frame(TEXT, b"b")], 2, 2),
    "a fragment before it": ([frame(TEXT, b"a", 0) + frame(MORE, b"b")], 1, 0),
}


@pytest.mark.parametrize(("script", "chunks", "coalesced"), SHARED_READS.values(), ids=SHARED_READS)
def test_a_message_is_timed_exactly_where_the_read_ends_with_it(script, chunks, coalesced, stream, opens):
    end = [] if script[0].endswith(close(1000)) else [READ, close(1000)]
    record = websocket(stream, opens, READ, *script, *end)
    assert (record.outcome, record.chunks, record.coalesced) == (COMPLETED, chunks, coalesced), record.reason


def test_compressed_messages_are_seen_inflated(stream):
    opens, seen = Upgrade(b"Sec-WebSocket-Extensions: permessage-deflate"), []
    messages = [frame(TEXT, deflated(b"one" * 30), FIN | RSV1), READ, frame(TEXT, b"plain")]
    record = websocket(stream, opens, *messages, close(1000), on_chunk=seen.append)
    assert (record.outcome, seen) == (COMPLETED, [b"one" * 30, b"plain"]), record.reason


CLOSES = {
    "normal": (close(1000), COMPLETED, ""),
    "going away": (close(1001, b"restart"), COMPLETED, ""),
    "no code": (frame(CLOSE), COMPLETED, ""),
    "protocol error": (close(1002), IN_BAND_ERROR, "closed with 1002"),
    "internal error": (close(1011, b"overheated"), IN_BAND_ERROR, "closed with 1011 overheated"),
    "try again later": (close(1013), IN_BAND_ERROR, "1013"),
    "an application's own": (close(4001, b"no such room"), IN_BAND_ERROR, "closed with 4001 no such room"),
    "a code that may not be sent": (close(1005), PROTOCOL_ERROR, "1005"),
    "one byte": (frame(CLOSE, b"\x03"), PROTOCOL_ERROR, "one byte"),
    "a reason that is not UTF-8": (close(1000, b"\xff"), PROTOCOL_ERROR, "UTF-8"),
}


@pytest.mark.parametrize(("ending", "outcome", "reason"), CLOSES.values(), ids=CLOSES)
def test_a_close_frame_is_the_outcome_of_its_code(ending, outcome, reason, stream, opens):
    record = websocket(stream, opens, frame(TEXT, b"one"), READ, ending)
    assert (record.outcome, record.chunks) == (outcome, 1), record.reason
    assert reason in record.reason


def test_a_peers_close_is_answered_with_its_code(stream, opens, until):
    websocket(stream, opens, close(4001), opens.until(CloseConnection))
    until(lambda: opens.heard)
    assert [each.code for each in opens.heard] == [4001]


BROKEN = {
    "FIN without a close": ([frame(TEXT, b"one"), READ, "fin"], TRUNCATED, 1, "inside the body"),
    "FIN inside a message": ([frame(TEXT, b"one") + frame(TEXT, b"two")[:3], READ, "fin"], TRUNCATED, 1, "inside"),
    "RST": ([frame(TEXT, b"one"), READ, "rst"], TRUNCATED, 1, "reset"),
    "masked": ([frame(TEXT, b"one"), READ, b"\x81\x81abcdx"], PROTOCOL_ERROR, 1, "invalid WebSocket frame"),
    "a reserved bit": ([frame(TEXT, b"one") + frame(TEXT, b"x", FIN | RSV1)], PROTOCOL_ERROR, 1, "invalid WebSocket"),
    "a reserved opcode": ([frame(TEXT, b"one") + frame(3, b"x")], PROTOCOL_ERROR, 1, "invalid WebSocket frame"),
    "text that is not UTF-8": ([frame(TEXT, b"one") + frame(TEXT, b"\xff")], PROTOCOL_ERROR, 1, "not UTF-8"),
    "text that is not UTF-8, by itself": ([frame(TEXT, b"one"), READ, frame(TEXT, b"\xff")], PROTOCOL_ERROR, 1, "UTF"),
    "a continuation of nothing": ([frame(TEXT, b"one") + frame(MORE, b"x")], PROTOCOL_ERROR, 1, "without a message"),
    "a close inside a message": ([frame(TEXT, b"one") + frame(TEXT, b"t", 0) + close(1000)], INCOMPLETE, 1, "a mess"),
    "silence": ([frame(TEXT, b"one")], Outcome.STALLED, 1, "no chunk within 0.2 s"),
    "only pings": ([frame(TEXT, b"one"), *[frame(PING), 0.05] * 8], Outcome.STALLED, 1, "no chunk within 0.2 s"),
}  # fmt: skip


@pytest.mark.parametrize(("script", "outcome", "chunks", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_websocket_that_breaks_is_no_success(script, outcome, chunks, reason, stream, opens):
    limits = {"idle_timeout_s": 0.2} if outcome is Outcome.STALLED else {}
    record = websocket(stream, opens, *script, **limits)
    assert (record.outcome, record.chunks) == (outcome, chunks), record.reason
    assert reason in record.reason


LEFT = {
    "a masked frame": (b"\x81\x81abcdx", PROTOCOL_ERROR, 1002),
    "text that is not UTF-8": (frame(TEXT, b"\xff"), PROTOCOL_ERROR, 1007),
    "a close reason that is not UTF-8": (close(1000, b"\xff"), PROTOCOL_ERROR, 1007),
    "a message above the limit": (frame(TEXT, b"x" * 101), PROTOCOL_ERROR, 1009),
    "a message above the limit, in parts": (frame(TEXT, b"x" * 100, 0) + frame(MORE, b"x"), PROTOCOL_ERROR, 1009),
    "what the scenario has enough of": (frame(TEXT, b"enough"), Outcome.ABORTED, 1001),
    "silence": (b"", Outcome.STALLED, 1001),
}


@pytest.mark.parametrize(("ending", "outcome", "code"), LEFT.values(), ids=LEFT)
def test_a_peer_is_told_why_it_is_left(ending, outcome, code, stream, opens, until):
    limits = {"total_timeout_s": 0.3} if outcome is Outcome.STALLED else {"max_chunk_bytes": 100}
    enough = lambda message: message.decode() != "enough"  # noqa: E731
    record = websocket(stream, opens, ending, opens.until(CloseConnection), on_chunk=enough, **limits)
    assert record.outcome == outcome, record.reason
    until(lambda: opens.heard)
    assert [each.code for each in opens.heard] == [code]


@pytest.mark.parametrize("offered", [None, "", "permessage-deflate; server_no_context_takeover"])
def test_compression_is_offered_unless_the_scenario_says_otherwise(offered, stream, server):
    fields = {} if offered is None else {"Sec-WebSocket-Extensions": offered}
    record = websocket(stream, Upgrade(), close(1000), headers=fields)
    assert record.outcome == COMPLETED, record.reason
    sent = [line for line in server.requests[0].decode().split("\r\n") if "Extensions" in line]
    default = "permessage-deflate; client_max_window_bits" if offered is None else offered
    assert sent == [f"Sec-WebSocket-Extensions: {default}"] * bool(default)


def test_compression_that_was_not_offered_is_no_websocket(stream):
    upgrade = Upgrade(b"Sec-WebSocket-Extensions: permessage-deflate")
    record = websocket(stream, upgrade, headers={"Sec-WebSocket-Extensions": ""})
    assert (record.outcome, "no WebSocket extension" in record.reason) == (PROTOCOL_ERROR, True), record.reason


REFUSALS = {
    "forbidden": (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", HTTP_ERROR, "status 403 Forbidden"),
    "a page": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        HTTP_ERROR,
        "expected a WebSocket, got status 200 OK",
    ),
    "upgrade required": (b"HTTP/1.1 426 Upgrade Required\r\n\r\n", HTTP_ERROR, "status 426"),
    "another accept": (Upgrade(accept=b"c3VyZWx5IG5vdCBpdA=="), PROTOCOL_ERROR, "sec-websocket-accept"),
    "an extension of its own": (Upgrade(b"Sec-WebSocket-Extensions: x-rot13"), PROTOCOL_ERROR, "x-rot13"),
    "a subprotocol nobody asked for": (Upgrade(b"Sec-WebSocket-Protocol: chat"), PROTOCOL_ERROR, "subprotocol"),
    "no upgrade": (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", PROTOCOL_ERROR, "upgrade: websocket"),
}


@pytest.mark.parametrize(("answer", "outcome", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_an_upgrade_that_is_refused_is_no_websocket(answer, outcome, reason, stream):
    record = websocket(stream, answer)
    assert (record.outcome, record.chunks) == (outcome, 0), record.reason
    assert reason in record.reason


def test_after_enough_chunks_the_client_closes(stream, opens, until):
    script = (opens, *[frame(TEXT, b"x"), READ] * 3, opens.until(CloseConnection), close(1000))
    record = websocket(stream, *script, end="chunks:3")
    assert (record.outcome, record.chunks) == (COMPLETED, 3), record.reason
    assert [each.code for each in opens.heard] == [1000]


def test_a_peer_that_answers_the_clients_close_with_a_fin_has_completed(stream, opens):
    record = websocket(stream, opens, frame(TEXT, b"x"), opens.until(CloseConnection), "fin", end="data:x")
    assert (record.outcome, record.chunks) == (COMPLETED, 1), record.reason


def close_has_come(connection, head):
    """A step that waits for the client's close frame, and leaves it in the kernel."""
    assert connection.recv(1, socket.MSG_PEEK)


LEAVES = {
    "with the close unread": (close_has_come, "fin"),
    "with a reset": (close_has_come, "rst"),
    "inside a message": (frame(TEXT, b"more")[:3], close_has_come, "fin"),
}


@pytest.mark.parametrize("leaving", LEAVES.values(), ids=LEAVES)
def test_a_peer_that_resets_the_connection_after_the_clients_close_has_completed(leaving, stream, opens):
    record = websocket(stream, opens, frame(TEXT, b"x"), READ, *leaving, end="data:x")
    assert (record.outcome, record.chunks) == (COMPLETED, 1), record.reason


def go_on(connection, head):
    """A step of a peer that reads no close and sends until nobody takes it any more."""
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(frame(TEXT, b"more"))
            time.sleep(0.005)


def test_a_content_coding_is_none_of_a_websockets_messages(stream):
    opens = Upgrade(b"Content-Encoding: gzip")
    record = websocket(stream, opens, frame(TEXT, b"one"), READ, close(1000))
    assert (record.outcome, record.chunks) == (COMPLETED, 1), record.reason


DEAF = {"that goes on sending": go_on, "that falls silent": 300.0}


@pytest.mark.parametrize("deaf", DEAF.values(), ids=DEAF)
def test_a_peer_that_ignores_the_clients_close_has_completed_and_is_left(
    deaf, stream, opens, server, monkeypatch, until
):
    monkeypatch.setattr(states, "CLOSING_S", 0.3)
    limits = {"idle_timeout_s": 0.2, "first_chunk_timeout_s": None}
    began_s = time.monotonic()
    record = websocket(stream, opens, frame(TEXT, b"x"), deaf, end="data:x", **limits)
    assert (record.outcome, record.reason, record.chunks) == (COMPLETED, "", 1)
    assert time.monotonic() - began_s >= 0.3
    if callable(deaf):
        until(lambda: server.hung_up)


def test_a_named_end_that_did_not_come_before_the_close_is_incomplete(stream, opens):
    record = websocket(stream, opens, frame(TEXT, b"x"), close(1000), end="chunks:2")
    assert (record.outcome, record.chunks) == (INCOMPLETE, 1)


@pytest.mark.parametrize(
    ("body", "kind", "data"), [(b"hej \xc3\xa5", TextMessage, "hej å"), (b"\xff", BytesMessage, b"\xff")]
)
def test_the_requests_body_is_the_first_message(body, kind, data, stream, opens):
    script = (opens, opens.until(kind), frame(TEXT, b"x"), close(1000))
    record = websocket(stream, *script, body=body)
    assert record.outcome is COMPLETED, record.reason
    assert [each.data for each in opens.heard] == [data]


def test_a_request_with_a_first_message_still_asks_with_get(stream, opens, server):
    record = websocket(stream, opens, opens.until(TextMessage), close(1000), body=b"x", method="POST")
    assert record.outcome is COMPLETED, record.reason
    assert server.requests[0].startswith(b"GET / ")
    assert b"content-length" not in server.requests[0].lower()


def test_a_websocket_url_is_spoken_to_like_its_http_one(plan, server, opens):
    made = plan([opens, frame(TEXT, b"x"), close(1000)], url=server.url().replace("http", "ws"), protocol="websocket")
    (record,) = run_streams([made])
    assert record.outcome is COMPLETED, record.reason


@pytest.mark.parametrize("scheme", ["", "http", "ws"])
def test_a_websocket_that_has_moved_is_followed_with_its_first_message(scheme, stream, opens, server):
    location = "/next" if not scheme else server.url("/next").replace("http", scheme, 1)
    server.scripts["/next"] = [opens, opens.until(TextMessage), frame(TEXT, b"x"), close(1000)]
    moved = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
    record = websocket(stream, moved, body=b"hello")
    assert (record.outcome, record.chunks) == (COMPLETED, 1), record.reason
    assert [each.data for each in opens.heard] == ["hello"]


def test_each_attempt_has_a_key_of_its_own(stream, server):
    for _ in range(2):
        websocket(stream, Upgrade(), close(1000))
    keys = [line for head in server.requests for line in head.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key")]
    assert len(set(keys)) == 2


def test_a_long_message_in_many_reads_is_one_chunk(stream, opens):
    payload = b"x" * 300_000
    long = bytes((FIN | BINARY, 127)) + len(payload).to_bytes(8, "big") + payload
    pieces = [step for at in range(0, len(long), 100_000) for step in (long[at : at + 100_000], READ)]
    record = websocket(stream, opens, *pieces, close(1000))
    assert (record.outcome, record.chunks, record.bytes) == (COMPLETED, 1, 300_000), record.reason


def test_a_message_longer_than_the_limit_is_a_protocol_error(stream, opens):
    record = websocket(stream, opens, frame(TEXT, b"x" * 50), frame(TEXT, b"x" * 101), max_chunk_bytes=100)
    assert (record.outcome, record.chunks) == (PROTOCOL_ERROR, 1)
    assert "100 bytes" in record.reason
