"""Messages that repeat, partial or combined messages, and ends before or after a stream."""

import pytest

SOON_S = 2.0**-14
#: The types of a body: bytes, and types that share its buffer interface, read-only and writable.
KINDS = [bytes, bytearray, memoryview, lambda body: memoryview(bytearray(body))]
KIND_IDS = ["bytes", "bytearray", "view of bytes", "view of bytearray"]
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/x-ndjson")]}
REQUESTS = "http_server_request_duration_seconds"


@pytest.mark.parametrize(
    ("body", "chunks", "heartbeats"),
    [
        (b"data: 1\n\n", 1, 0),
        (b": ping\n\ndata: 1\n\n", 1, 1),
        (b"data: 1\n\ndata: 2\n\n", 2, 0),
        (b": a\n\ndata: 1\n\n: b\n\n", 1, 2),
        (b"data: " + b"x" * 2000 + b"\n\n", 1, 0),
        (b": ping\n\n", 0, 1),
    ],
    ids=["event", "heartbeat and event", "two events", "event between heartbeats", "large event", "heartbeat"],
)
def test_the_same_message_counts_the_same_each_time(server, body, chunks, heartbeats):
    for _ in range(2):
        server.stream([(SOON_S, body, 0.0)] * 4)
    assert server.value("chunks_total") == 8 * chunks
    assert server.value("heartbeats_total") == 8 * heartbeats
    assert server.value("body_bytes_total") == 8 * len(body)
    assert server.value("chunk_size_bytes_count") == 8 * chunks
    assert server.value("chunk_size_bytes_sum") == (8 * (len(body) - 2 * chunks) if chunks else 0)
    assert server.value("chunk_interval_seconds_count") == max(0, 8 * chunks - 2)


def test_an_event_in_many_pieces_has_the_bytes_of_all(server):
    server.stream([(1.0, piece, 0.0) for piece in (b"data", b": 1", b"23", b"\n", b"\n", b"data: 1\n\n")])
    assert server.value("chunk_size_bytes_sum") == 9 + 7
    assert server.value("body_bytes_total") == 11 + 9
    assert server.value("time_to_first_chunk_seconds_sum") == 5.0
    assert server.value("chunk_interval_seconds_sum") == 1.0


@pytest.mark.parametrize(("fails", "chunks"), [(True, 1), (False, 2)], ids=["cut", "complete"])
def test_a_last_line_without_a_newline_counts_if_the_stream_is_complete(server, fails, chunks):
    async def app(scope, receive, send):
        await send(START)
        await send({"type": "http.response.body", "body": b"1\n", "more_body": True})
        await send({"type": "http.response.body", "body": b"2", "more_body": True})
        if fails:
            raise ValueError("broken")
        await send({"type": "http.response.body"})

    if fails:
        with pytest.raises(ValueError, match="broken"):
            server.run(app)
    else:
        server.run(app)
    assert server.value("chunks_total") == chunks
    assert server.value("body_bytes_total") == 3
    assert server.value("finished_total", outcome="error" if fails else "completed") == 1


@pytest.mark.parametrize(
    ("raised", "gone", "status"), [(ValueError, False, 500), (None, False, 500), (None, True, 499)]
)
def test_a_request_without_a_response_counts_as_status_500_or_499(server, raised, gone, status):
    async def receive():
        return {"type": "http.disconnect"} if gone else {"type": "http.request"}

    async def app(scope, receive, send):
        await receive()
        server.clock.advance(4.0)
        if raised:
            raise raised("broken")

    if raised:
        with pytest.raises(raised, match="broken"):
            server.run(app, receive=receive)
    else:
        server.run(app, receive=receive)
    labels = {"status_code": str(status), "method": "GET", "route": "/s"}
    assert (server.value(f"{REQUESTS}_count", **labels), server.value(f"{REQUESTS}_sum", **labels)) == (1, 4.0)


def test_messages_after_the_end_are_passed_on_and_not_counted(server):
    async def app(scope, receive, send):
        await send(START)
        await send({"type": "http.response.body", "body": b"1\n", "more_body": True})
        await send({"type": "http.response.body", "body": b"2\n"})
        server.clock.advance(1.0)
        await send({"type": "http.response.body", "body": b"3\n", "more_body": True})
        await send({"type": "http.response.body", "body": b"4\n"})

    server.run(app)
    assert [message.get("body") for message in server.wire] == [None, b"1\n", b"2\n", b"3\n", b"4\n"]
    assert server.value("chunks_total") == 2
    assert server.value("finished_total") == server.value("finished_total", outcome="completed") == 1
    assert server.value("duration_seconds_sum") == 0.0
    assert server.value("active") == 0


@pytest.mark.parametrize(
    ("method", "headers", "bodies", "streams"),
    [
        ("GET", [], [b"a"], False),
        ("GET", [], [b"a", b"b"], True),
        ("HEAD", [], [b"a", b"b"], False),
        ("GET", [(b"content-length", b"2")], [b"a", b"b"], True),
        ("GET", [(b"content-length", b"1")], [b"a", b""], False),
        ("GET", [(b"x-accel-buffering", b"no")], [b"a"], True),
        ("HEAD", [(b"x-accel-buffering", b"no")], [b"a"], False),
    ],
)
def test_a_response_is_a_stream_or_a_request_and_never_both(server, method, headers, bodies, streams):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for number, body in enumerate(bodies, start=1):
            server.clock.advance(1.0)
            await send({"type": "http.response.body", "body": body, "more_body": number < len(bodies)})

    server.run(app, method)
    assert (server.value("finished_total", protocol="raw"), server.value(f"{REQUESTS}_count")) == (streams, not streams)
    assert server.value("duration_seconds_sum" if streams else f"{REQUESTS}_sum") == len(bodies)
    assert server.value("chunks_total") == (len(bodies) if streams else 0)


@pytest.mark.parametrize("pause_s", [2 * SOON_S, SOON_S / 2, 0.25], ids=["soon", "at once", "slowly"])
@pytest.mark.parametrize("kind", KINDS, ids=KIND_IDS)
@pytest.mark.parametrize(
    ("media_type", "body", "framing"),
    [("text/event-stream", b"data: 1\n\n", 2), ("application/x-ndjson", b"{}\n", 1), ("text/plain", b"abc", 0)],
)
def test_equal_chunks_are_passed_on_and_add_up(server, media_type, body, framing, kind, pause_s):
    """Their intervals, sends and sizes add up; the first chunk has no interval."""
    send_s = pause_s / 2
    for _ in range(2):
        server.stream([(pause_s, kind(body), send_s)] * 6, media_type)
    sent = [{"body": b"", **message} for message in server.wire if message["type"] == "http.response.body"]
    assert [bytes(message["body"]) for message in sent] == 2 * [*[body] * 6, b""]
    assert [message.get("more_body", False) for message in sent] == 2 * [*[True] * 6, False]
    assert server.value("chunks_total") == server.value("chunk_send_seconds_count") == 12
    assert server.value("chunk_interval_seconds_count") == 10
    assert server.value("chunk_interval_seconds_sum") == 10 * (pause_s + send_s)
    assert server.value("chunk_send_seconds_sum") == 12 * send_s
    assert server.value("chunk_size_bytes_sum") == 12 * (len(body) - framing)
    assert server.value("time_to_first_chunk_seconds_sum") == 2 * (pause_s + send_s)
    assert server.value("body_bytes_total") == 12 * len(body)


@pytest.mark.parametrize("kind", KINDS, ids=KIND_IDS)
def test_different_chunks_count_with_their_own_bytes(server, kind):
    bodies = [b"data: " + b"x" * size + b"\n\n" for size in (1, 2, 4, 8, 400)]
    server.stream([(SOON_S, kind(body), 0.0) for body in bodies])
    assert server.bodies_sent == [*bodies, b""]
    assert server.value("chunks_total") == 5
    assert server.value("body_bytes_total") == sum(map(len, bodies))
    assert server.buckets("chunk_size_bytes") == {64.0: 4, 1024.0: 1}
