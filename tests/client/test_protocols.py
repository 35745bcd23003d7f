"""What streams of each protocol come to in their records, by servers that do as scripts say."""

import gzip
import json
import threading
import zlib

import brotli
import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Pong, TextMessage

from streamgauge.client.blocking import run_streams
from streamgauge.measure.ledger import Ledger
from streamgauge.measure.outcome import Outcome
from streamgauge.wire.handshake import accept_of

try:
    from compression import zstd
except ImportError:
    from backports import zstd

COMPLETED, INCOMPLETE, TRUNCATED = Outcome.COMPLETED, Outcome.INCOMPLETE, Outcome.TRUNCATED
IN_BAND_ERROR, HTTP_ERROR, PROTOCOL_ERROR = Outcome.IN_BAND_ERROR, Outcome.HTTP_ERROR, Outcome.PROTOCOL_ERROR
PAUSE = 0.02
END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def chunked(content_type: str, *fields: bytes) -> bytes:
    lines = (b"HTTP/1.1 200 OK", b"Content-Type: " + content_type.encode(), b"Transfer-Encoding: chunked", *fields)
    return b"\r\n".join((*lines, b"", b""))


# WebSocket

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
                if not (data := connection.recv(65_536)):
                    return
                self._peer.receive_data(data)
                self.heard += list(self._peer.events())

        return step


@pytest.fixture
def opens():
    return Upgrade()


def websocket(stream, *script, **options):
    return stream([*script], protocol="websocket", **options)


def test_each_message_is_a_chunk_and_a_normal_close_is_the_end(stream, opens):
    record = websocket(
        stream, opens, frame(TEXT, b"one"), PAUSE, frame(BINARY, b"\xff\x00"), close(1000), opens.until(())
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
    fragments = [frame(TEXT, b"o", 0), PAUSE, frame(PING, b"hi"), PAUSE, frame(MORE, b"n", 0), PAUSE, frame(MORE, b"e")]
    seen = []
    record = websocket(stream, opens, *fragments, opens.until(Pong), close(1000), on_chunk=seen.append)
    assert (record.outcome, record.chunks, record.heartbeats) == (COMPLETED, 1, 1), record.reason
    assert seen == [b"one"]
    assert [bytes(each.payload) for each in opens.heard if isinstance(each, Pong)] == [b"hi"]


def test_a_message_is_timed_by_its_last_fragment(stream, opens):
    fragments = [frame(TEXT, b"o", 0), 0.1, frame(MORE, b"n")]
    record = websocket(stream, opens, frame(TEXT, b"one"), *fragments, PAUSE, close(1000))
    assert record.max_chunk_interval_s >= 0.1
    assert record.chunks == 2


SHARED_READS = {
    "a ping behind it": ([frame(TEXT, b"a") + frame(PING)], 1, 1),
    "a ping before it": ([frame(PING) + frame(TEXT, b"a")], 1, 0),
    "part of the next one behind it": ([frame(TEXT, b"a") + frame(TEXT, b"bb")[:3], 0.05, b"b"], 2, 1),
    "the close behind it": ([frame(TEXT, b"a") + close(1000)], 1, 1),
    "two in one read": ([frame(TEXT, b"a") + frame(TEXT, b"b")], 2, 2),
    "a fragment before it": ([frame(TEXT, b"a", 0) + frame(MORE, b"b")], 1, 0),
}


@pytest.mark.parametrize(("script", "chunks", "coalesced"), SHARED_READS.values(), ids=SHARED_READS)
def test_a_message_is_timed_exactly_where_the_read_ends_with_it(script, chunks, coalesced, stream, opens):
    end = [] if script[0].endswith(close(1000)) else [PAUSE, close(1000)]
    record = websocket(stream, opens, PAUSE, *script, *end)
    assert (record.outcome, record.chunks, record.coalesced) == (COMPLETED, chunks, coalesced), record.reason


def test_compressed_messages_are_seen_inflated(stream):
    opens, seen = Upgrade(b"Sec-WebSocket-Extensions: permessage-deflate"), []
    messages = [frame(TEXT, deflated(b"one" * 30), FIN | RSV1), PAUSE, frame(TEXT, b"plain")]
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
    record = websocket(stream, opens, frame(TEXT, b"one"), PAUSE, ending)
    assert (record.outcome, record.chunks) == (outcome, 1), record.reason
    assert reason in record.reason


def test_a_peers_close_is_answered_with_its_code(stream, opens, until):
    websocket(stream, opens, close(4001), opens.until(CloseConnection))
    until(lambda: opens.heard)
    assert [each.code for each in opens.heard] == [4001]


BROKEN = {
    "FIN without a close": ([frame(TEXT, b"one"), PAUSE, "fin"], TRUNCATED, 1, "inside the body"),
    "FIN inside a message": ([frame(TEXT, b"one") + frame(TEXT, b"two")[:3], PAUSE, "fin"], TRUNCATED, 1, "inside"),
    "RST": ([frame(TEXT, b"one"), PAUSE, "rst"], TRUNCATED, 1, "reset"),
    "masked": ([frame(TEXT, b"one"), PAUSE, b"\x81\x81abcdx"], PROTOCOL_ERROR, 1, "not allowed"),
    "a reserved bit": ([frame(TEXT, b"one") + frame(TEXT, b"x", FIN | RSV1)], PROTOCOL_ERROR, 1, "not allowed"),
    "a reserved opcode": ([frame(TEXT, b"one") + frame(3, b"x")], PROTOCOL_ERROR, 1, "not allowed"),
    "text that is not UTF-8": ([frame(TEXT, b"one") + frame(TEXT, b"\xff")], PROTOCOL_ERROR, 1, "not UTF-8"),
    "text that is not UTF-8, by itself": ([frame(TEXT, b"one"), PAUSE, frame(TEXT, b"\xff")], PROTOCOL_ERROR, 1, "UTF"),
    "a continuation of nothing": ([frame(TEXT, b"one") + frame(MORE, b"x")], PROTOCOL_ERROR, 1, "of no message"),
    "silence": ([frame(TEXT, b"one")], Outcome.STALLED, 1, "no chunk within 0.2 s"),
    "only pings": ([frame(TEXT, b"one"), *[frame(PING), 0.05] * 8], Outcome.STALLED, 1, "no chunk within 0.2 s"),
}  # fmt: skip


@pytest.mark.parametrize(("script", "outcome", "chunks", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_websocket_that_breaks_is_no_success(script, outcome, chunks, reason, stream, opens):
    record = websocket(stream, opens, *script, idle_timeout_s=0.2)
    assert (record.outcome, record.chunks) == (outcome, chunks), record.reason
    assert reason in record.reason


REFUSALS = {
    "forbidden": (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", HTTP_ERROR, "status 403 Forbidden"),
    "a page": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", HTTP_ERROR, "status 200 OK instead of a WebSocket"),
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
    script = (opens, *[frame(TEXT, b"x"), PAUSE] * 3, opens.until(CloseConnection), close(1000))
    record = websocket(stream, *script, end="chunks:3")
    assert (record.outcome, record.chunks) == (COMPLETED, 3), record.reason
    assert [each.code for each in opens.heard] == [1000]


def test_a_peer_that_answers_the_clients_close_with_a_fin_has_completed(stream, opens):
    record = websocket(stream, opens, frame(TEXT, b"x"), opens.until(CloseConnection), "fin", end="data:x")
    assert (record.outcome, record.chunks) == (COMPLETED, 1), record.reason


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


# Token streams

TOKENS = chunked("text/event-stream; charset=utf-8")


def event(value: object) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value)
    return chunk(b"data: " + text.encode() + b"\n\n")


def delta(index: int = 0, finish: str | None = None, **content: object) -> bytes:
    return event({"choices": [{"index": index, "delta": content, "finish_reason": finish}]})


ROLE, STOP, DONE = delta(role="assistant", content=""), delta(finish="stop"), event("[DONE]")
USAGE = event({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 12}})
WORDS = [step for word in ("the", " river", " rises") for step in (PAUSE, delta(content=word))]
ERROR = event({"error": {"message": "out of memory", "type": "server_error"}})


def chat(stream, *script, **options):
    return stream([TOKENS, *script], protocol="openai", method="POST", **options)


def test_only_events_with_content_are_chunks_and_usage_counts_the_tokens(stream):
    record = chat(stream, ROLE, PAUSE, *WORDS, STOP, USAGE, DONE, END)
    assert (record.outcome, record.chunks, record.tokens) == (COMPLETED, 3, 12), record.reason
    assert record.protocol == "openai"


def test_the_first_token_is_timed_and_not_the_role(stream):
    record = chat(stream, ROLE, 0.1, delta(content="a"), STOP, DONE, END)
    assert record.time_to_first_chunk_s >= 0.1


def test_time_per_output_token_is_from_the_first_to_the_last_over_the_tokens_between(stream):
    record = chat(stream, delta(content="a"), 0.1, delta(content="b"), 0.1, STOP, USAGE, DONE, END)
    assert 0.1 / 11 <= record.time_per_output_token_s <= (record.duration_s - record.time_to_first_chunk_s) / 11


def test_without_usage_each_piece_of_content_is_a_token(stream):
    record = chat(stream, ROLE, *WORDS, STOP, DONE, END)
    assert record.tokens == 3
    assert record.time_per_output_token_s >= PAUSE


def test_one_token_has_no_time_per_token(stream):
    record = chat(stream, delta(content="a"), STOP, DONE, END)
    assert (record.tokens, record.time_per_output_token_s) == (1, None)


def test_tokens_of_several_choices_add_up(stream):
    both = event({"choices": [{"index": n, "delta": {"content": "x"}} for n in (0, 1)]})
    record = chat(stream, delta(0, content="a"), delta(1, content="b"), both, DONE, END)
    assert (record.outcome, record.chunks, record.tokens) == (COMPLETED, 3, 4)


TOKEN_ENDS = {
    "no [DONE]": ([*WORDS, STOP, END], {}, INCOMPLETE, 3),
    "no [DONE] before FIN": ([delta(content="a"), "fin"], {}, TRUNCATED, 1),
    "[DONE] and no transfer end": ([delta(content="a"), DONE, PAUSE, "fin"], {}, TRUNCATED, 1),
    "[DONE] named": ([delta(content="a"), DONE, END], {"end": "data:[DONE]"}, COMPLETED, 1),
    "[DONE] named, and missing": ([delta(content="a"), END], {"end": "data:[DONE]"}, INCOMPLETE, 1),
    "another end instead": ([delta(content="a"), delta(content="b"), END], {"end": "chunks:2"}, COMPLETED, 2),
    "too few chunks": ([delta(content="a"), DONE, END], {"end": "chunks:2"}, INCOMPLETE, 1),
    "an error": ([delta(content="a"), PAUSE, ERROR, DONE, END], {}, IN_BAND_ERROR, 1),
    "an error in the same read": ([delta(content="a") + ERROR + DONE + END], {}, IN_BAND_ERROR, 1),
    "an error and nothing else": ([ERROR, END], {}, IN_BAND_ERROR, 0),
    "an error event": ([delta(content="a"), chunk(b"event: error\ndata: busy\n\n"), END], {}, IN_BAND_ERROR, 1),
    "no JSON": ([delta(content="a"), PAUSE, event("oops"), END], {}, PROTOCOL_ERROR, 1),
    "no JSON in the same read": ([delta(content="a") + event("oops") + END], {}, PROTOCOL_ERROR, 1),
}  # fmt: skip


@pytest.mark.parametrize(("script", "options", "outcome", "chunks"), TOKEN_ENDS.values(), ids=TOKEN_ENDS)
def test_how_a_token_stream_ends_is_its_outcome(script, options, outcome, chunks, stream):
    record = chat(stream, *script, **options)
    assert (record.outcome, record.chunks) == (outcome, chunks), record.reason


def test_what_the_service_said_is_the_reason(stream):
    assert "out of memory" in chat(stream, ERROR, END).reason


def test_a_whole_answer_instead_of_a_stream_is_an_http_error(stream):
    answer = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"choices": []}'
    record = stream([answer], protocol="openai")
    assert record.outcome is HTTP_ERROR


# Multipart

FRAMES = "multipart/x-mixed-replace; boundary=frame"


def part(content: bytes, *, length: bool) -> bytes:
    counted = b"Content-Length: %d\r\n" % len(content) if length else b""
    return b"--frame\r\nContent-Type: text/plain\r\n" + counted + b"\r\n" + content + b"\r\n"


def parts(stream, *script, **options):
    steps = [chunk(step) if isinstance(step, bytes) else step for step in script]
    return stream([chunked(FRAMES), *steps, END], **{"protocol": "multipart", **options})


@pytest.mark.parametrize("length", [True, False])
def test_each_part_is_a_chunk(length, stream):
    seen = []
    script = [step for n in b"abc" for step in (PAUSE, part(bytes([n]) * 3, length=length))]
    record = parts(stream, *script, b"--frame--\r\n", on_chunk=seen.append)
    assert (record.outcome, record.chunks, seen) == (COMPLETED, 3, [b"aaa", b"bbb", b"ccc"]), record.reason


def test_a_part_of_known_length_is_timed_when_it_is_there_and_not_by_the_next_boundary(stream):
    record = parts(stream, part(b"a", length=True), 0.1, part(b"b", length=True), 0.1, b"--frame--\r\n")
    assert record.time_to_first_chunk_s < 0.1 <= record.max_chunk_interval_s
    assert record.coalesced == 0


@pytest.mark.parametrize("length", [True, False])
def test_a_missing_closing_delimiter_is_incomplete(length, stream):
    record = parts(stream, part(b"a", length=length), part(b"b", length=length), b"--frame\r\n")
    assert (record.outcome, record.chunks) == (INCOMPLETE, 2)
    assert "closing delimiter" in record.reason


def test_a_part_that_is_cut_off_is_no_chunk(stream):
    record = parts(stream, part(b"a", length=True), part(b"bbbb", length=True)[:-4])
    assert (record.outcome, record.chunks) == (INCOMPLETE, 1)


@pytest.mark.parametrize("pause", [[], [PAUSE]])
def test_parts_before_one_that_is_not_delimited_count(pause, stream):
    script = [part(b"a", length=True), part(b"b", length=True), *pause, b"no boundary"]
    steps = [chunk(b"".join(script))] if not pause else [chunk(s) if isinstance(s, bytes) else s for s in script]
    record = stream([chunked(FRAMES), *steps], protocol="multipart")
    assert (record.outcome, record.chunks) == (PROTOCOL_ERROR, 2), record.reason


def test_a_multipart_without_a_boundary_is_a_protocol_error(stream):
    record = stream([chunked("multipart/mixed"), END], protocol="multipart")
    assert record.outcome is PROTOCOL_ERROR
    assert "boundary" in record.reason


# Content codings


class Gzip:
    def __init__(self, wbits=31):
        self._stream = zlib.compressobj(wbits=wbits)

    def flushed(self, data):
        return self._stream.compress(data) + self._stream.flush(zlib.Z_SYNC_FLUSH)

    def end(self):
        return self._stream.flush()


class Brotli:
    def __init__(self):
        self._stream = brotli.Compressor()

    def flushed(self, data):
        return self._stream.process(data) + self._stream.flush()

    def end(self):
        return self._stream.finish()


class Zstd:
    def __init__(self):
        self._stream = zstd.ZstdCompressor()

    def flushed(self, data):
        return self._stream.compress(data, zstd.ZstdCompressor.FLUSH_BLOCK)

    def end(self):
        return self._stream.flush(zstd.ZstdCompressor.FLUSH_FRAME)


CODINGS = {
    "gzip": ("gzip", Gzip),
    "deflate": ("deflate", lambda: Gzip(15)),
    "raw deflate": ("deflate", lambda: Gzip(-15)),
    "br": ("br", Brotli),
    "zstd": ("zstd", Zstd),
}
EVENTS = [b"data: %d %b\n\n" % (n, b"x" * 50) for n in range(4)]


@pytest.fixture(params=CODINGS)
def coded(request):
    """The head of a coded event stream, and a coder."""
    name, coder = CODINGS[request.param]
    return chunked("text/event-stream", b"Content-Encoding: " + name.encode()), coder()


class Lockstep:
    """A step that goes on only when the client has seen one chunk more."""

    def __init__(self):
        self._seen = threading.Semaphore(0)
        self.late = 0

    def look(self, _):
        self._seen.release()

    def __call__(self, connection, head):
        self.late += not self._seen.acquire(timeout=5)


def test_each_coded_chunk_is_seen_before_the_next_one_is_sent(coded, stream):
    head, coder = coded
    step = Lockstep()
    script = [each for event in EVENTS for each in (chunk(coder.flushed(event)), step)]
    record = stream([head, *script, chunk(coder.end()), END], on_chunk=step.look)
    assert (record.outcome, record.chunks, step.late) == (COMPLETED, 4, 0), record.reason
    assert record.coalesced == 0


def test_a_coded_body_that_is_cut_off_in_whole_transfer_chunks_is_truncated(coded, stream):
    head, coder = coded
    record = stream([head, *(chunk(coder.flushed(event)) for event in EVENTS), END])
    assert (record.outcome, record.chunks) == (TRUNCATED, 4)
    assert "content coding" in record.reason


def test_bytes_are_counted_as_they_came(coded, stream):
    head, coder = coded
    pieces = [*(coder.flushed(event) for event in EVENTS), coder.end()]
    assert stream([head, *map(chunk, pieces), END]).bytes == sum(map(len, pieces))


BAD_CODINGS = {
    "no gzip at all": (b"Content-Encoding: gzip", b"data: 0\n\n", "gzip data that cannot be decoded"),
    "an unknown coding": (b"Content-Encoding: rot13", b"data: 0\n\n", "unknown content coding 'rot13'"),
    "data after deflate": (b"Content-Encoding: deflate", zlib.compress(b"data: 0\n\n") + b"more", "expected the end"),
}


@pytest.mark.parametrize(("field", "body", "reason"), BAD_CODINGS.values(), ids=BAD_CODINGS)
def test_what_cannot_be_decoded_is_a_protocol_error(field, body, reason, stream):
    record = stream([chunked("text/event-stream", field), chunk(body), END])
    assert record.outcome is PROTOCOL_ERROR
    assert reason in record.reason


def test_a_bomb_is_a_protocol_error(stream):
    bomb = gzip.compress(b"data: " + bytes(10_000_000))
    head = chunked("text/event-stream", b"Content-Encoding: gzip")
    record = stream([head, chunk(bomb), END], max_chunk_bytes=1_000_000)
    assert record.outcome is PROTOCOL_ERROR
    assert "1000000 bytes" in record.reason


# Sequence numbers

ORDERS = {
    "in order": ([4, 5, 6], (0, 0, 0)),
    "lost": ([1, 2, 5], (2, 0, 0)),
    "repeated": ([1, 2, 2, 3], (0, 1, 0)),
    "out of order": ([1, 3, 2, 4], (0, 0, 1)),
    "all of it": ([1, 4, 3, 4, 9], (5, 1, 1)),
}
NUMBERED = {
    "id": ("sse", "text/event-stream", b"id: %d\ndata: x\n\n", "id"),
    "json in events": ("sse", "text/event-stream", b'data: {"n": %d}\n\n', "json:n"),
    "json lines": ("ndjson", "application/x-ndjson", b'{"level": 1, "n": %d}\n', "json:n"),
    "a callable": ("ndjson", "application/x-ndjson", b'{"n": {"m": %d}}\n', lambda value: value["n"]["m"]),
}


@pytest.mark.parametrize(("numbers", "counts"), ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize(("protocol", "content_type", "template", "source"), NUMBERED.values(), ids=NUMBERED)
def test_numbers_that_are_missing_or_misplaced_are_in_the_record(
    protocol, content_type, template, source, numbers, counts, plan
):
    script = [chunked(content_type), *(chunk(template % number) for number in numbers), END]
    ledger = Ledger()
    (record,) = run_streams([plan(script, protocol=protocol, sequence=source)], ledger)
    assert record.outcome is COMPLETED, record.reason
    assert (record.lost, record.repeated, record.out_of_order) == counts
    (tally,) = ledger.tallies.values()
    assert (tally.lost, tally.repeated, tally.out_of_order) == counts


def test_a_number_beyond_all_counting_is_none(stream):
    script = [chunked("application/x-ndjson"), *(chunk(b'{"n": %d}\n' % n) for n in (1, 10**40, 2)), END]
    record = stream(script, protocol="ndjson", sequence="json:n")
    assert (record.outcome, record.lost, record.chunks) == (COMPLETED, 0, 3)


# Lines that say error

LINES = {
    "type": (b'{"type": "error", "message": "too hot"}\n', "too hot"),
    "an object": (b'{"error": {"code": 5}}\n', "code"),
    "a text": (b'{"id": 1, "error": "too hot"}\n', "too hot"),
}
HARMLESS = {
    "none": b'{"error": null}\n',
    "empty": b'{"error": ""}\n',
    "a word": b'{"text": "\\"error\\""}\n',
    "a level": b'{"level": "error"}\n',
    "in a list": b'["error"]\n',
    "no JSON": b'"error" she said\n',
    "too deep": b"[" * 5000 + b'"error"' + b"]" * 5000 + b"\n",
}


@pytest.mark.parametrize(("line", "reason"), LINES.values(), ids=LINES)
def test_a_line_that_says_error_is_an_in_band_error(line, reason, stream):
    record = stream([chunked("application/x-ndjson"), chunk(b"1\n"), chunk(line), END], protocol="ndjson")
    assert (record.outcome, record.chunks) == (IN_BAND_ERROR, 2)
    assert reason in record.reason


@pytest.mark.parametrize("line", HARMLESS.values(), ids=HARMLESS)
def test_a_line_that_only_mentions_one_is_not(line, stream):
    record = stream([chunked("application/x-ndjson"), chunk(line), END], protocol="ndjson")
    assert (record.outcome, record.chunks) == (COMPLETED, 1), record.reason


# By content type

AUTO = {
    "events": ("text/event-stream", [b"data: 1\n\n", b"data: 2\n\n"], "sse"),
    "tokens are events": ("text/event-stream", [b'data: {"choices": []}\n\n', b"data: [DONE]\n\n"], "sse"),
    "lines": ("application/jsonl; charset=utf-8", [b"1\n", b"2\n"], "ndjson"),
    "parts": (FRAMES, [part(b"a", length=True), part(b"b", length=False), b"--frame--"], "multipart"),
    "anything": ("video/mp4", [b"\0\1", b"\2"], "raw"),
}


@pytest.mark.parametrize(("content_type", "pieces", "protocol"), AUTO.values(), ids=AUTO)
def test_the_content_type_says_what_the_stream_speaks(content_type, pieces, protocol, plan):
    ledger = Ledger()
    made = plan([chunked(content_type), *map(chunk, pieces), END], protocol="auto")
    (record,) = run_streams([made], ledger)
    assert (record.outcome, record.protocol, record.chunks) == (COMPLETED, protocol, 2), record.reason
    assert ledger.tallies["stream", protocol].started == 1
