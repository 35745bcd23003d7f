"""One request through the middleware: what it passes on, what it counts, and the outcome."""

import asyncio

import pytest

from streamgauge.asgi import HangUpError, mark_outcome
from streamgauge.asgi.stamps import clock_name

REQUESTS = "http_server_request_duration_seconds"
EVENT = b"data: 1\n\n"


def head(*fields, media_type=b"text/event-stream", status=200):
    return {"type": "http.response.start", "status": status, "headers": [(b"content-type", media_type), *fields]}


def body(content=EVENT, more_body=True):
    return {"type": "http.response.body", "body": content, "more_body": more_body}


PLAIN = head(media_type=b"text/plain")
LENGTH = (b"content-length", b"1000")
TWO_EVENTS = (b"content-length", b"18")
STAMPS = {"stamps": True, "scope": {"headers": [(b"streamgauge-stamps", b"1")]}}
#: The middleware handles a stream's messages in one of several ways.
WAYS = {"usual": (head(), {}), "with a length": (head(LENGTH), {}), "stamped": (head(), STAMPS)}
each_way = pytest.mark.parametrize(("start", "options"), WAYS.values(), ids=WAYS)
WAYS_OF_TWO_EVENTS = {**WAYS, "with a length": (head(TWO_EVENTS), {})}
each_way_of_two_events = pytest.mark.parametrize(
    ("start", "options"), WAYS_OF_TWO_EVENTS.values(), ids=WAYS_OF_TWO_EVENTS
)


@each_way
@pytest.mark.parametrize("before", [1, 3])
def test_send_raises_after_a_hang_up_if_the_app_never_receives(server, start, options, before):
    caught = []

    async def app(scope, receive, send):
        await send(start)
        for _ in range(before):
            await send(body())
        await server.hang_up()
        for _ in range(2):
            with pytest.raises(HangUpError) as raised:
                await send(body())
            caught.append(raised.value)
        raise caught[0]

    server.run(app, **options)
    assert len(server.bodies_sent) == before
    assert server.outcomes() == {"client_disconnect": 1}
    assert server.value("chunks_total") == before
    assert server.value("active") == 0


def test_send_raises_after_a_hang_up_in_a_head_response(server):
    async def app(scope, receive, send):
        await send(head())
        await send(body())
        await server.hang_up()
        await send(body())

    server.run(app, "HEAD")
    assert server.bodies_sent == [EVENT]
    assert server.outcomes() == {}
    assert server.value(f"{REQUESTS}_count", status_code="200", method="HEAD") == 1


@each_way
@pytest.mark.parametrize("sent", [2, 4])
@pytest.mark.parametrize("more_body", [True, False], ids=["not last", "last"])
def test_a_chunk_is_not_counted_if_the_client_hangs_up_during_its_send(server, start, options, sent, more_body):
    server.hangs_up_at = 1 + sent

    async def app(scope, receive, send):
        await send(start)
        for number in range(1, sent + 1):
            await send(body(more_body=more_body or number < sent))
        server.clock.advance(8.0)

    server.run(app, **options)
    assert len(server.bodies_sent) == sent
    assert server.value("chunks_total") == sent - 1
    assert server.outcomes() == {"client_disconnect": 1}
    assert server.value("duration_seconds_sum") == 8.0


@pytest.mark.parametrize(("hangs_up", "outcome"), [(True, "client_disconnect"), (False, "shutdown")])
def test_a_cancelled_stream_counts_as_shutdown_unless_the_client_hung_up(server, hangs_up, outcome):
    async def app(scope, receive, send):
        await send(head())
        await send(body())
        if hangs_up:
            await server.hang_up()
        asyncio.current_task().cancel()
        await asyncio.sleep(1)

    with pytest.raises(asyncio.CancelledError):
        server.run(app)
    assert server.outcomes() == {outcome: 1}


@pytest.mark.parametrize(("hangs_up", "outcome"), [(True, "client_disconnect"), (False, "error")])
def test_an_unfinished_stream_counts_as_error_unless_the_client_hung_up(server, hangs_up, outcome):
    async def app(scope, receive, send):
        await send(head())
        await send(body())
        if hangs_up:
            await server.hang_up()

    server.run(app)
    assert server.outcomes() == {outcome: 1}


@pytest.mark.parametrize("hangs_up", [True, False])
def test_an_unrelated_error_counts_as_error_even_after_a_hang_up(server, hangs_up):
    async def app(scope, receive, send):
        await send(head())
        await send(body())
        if hangs_up:
            await server.hang_up()
        raise ValueError("unrelated")

    with pytest.raises(ValueError, match="unrelated"):
        server.run(app)
    assert server.outcomes() == {"error": 1}


def test_an_error_in_the_clean_up_after_a_hang_up_is_raised_and_counts_as_client_disconnect(server):
    async def app(scope, receive, send):
        await send(head())
        await send(body())
        await server.hang_up()
        try:
            await send(body())
        finally:
            raise ValueError("not saved")

    with pytest.raises(ValueError, match="not saved"):
        server.run(app)
    assert server.outcomes() == {"client_disconnect": 1}


def test_a_hang_up_error_counts_as_error_if_the_client_is_still_connected(server):
    async def app(scope, receive, send):
        await send(head())
        await send(body())
        raise HangUpError

    server.run(app)
    assert server.outcomes() == {"error": 1}


def test_the_task_that_reads_ahead_ends_with_the_response(server):
    left = []

    async def receive():
        try:
            await asyncio.Event().wait()
        finally:
            left.append(asyncio.current_task().get_name())

    async def app(scope, receive, send):
        await send(head())
        await send(body())
        await asyncio.sleep(0)
        await send(body(more_body=False))

    async def run_and_look():
        task = asyncio.create_task(measured({"type": "http", "method": "GET", "path": "/s"}, receive, send))
        await task
        for _ in range(3):
            await asyncio.sleep(0)
        assert left
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def send(message):
        pass

    measured = server.measured(app)
    server.clock.run(run_and_look())


@pytest.mark.parametrize("mark", [None, "deadline"])
def test_an_unfinished_last_line_counts_after_a_clean_end_whatever_the_mark(server, mark):
    async def app(scope, receive, send):
        await send(head(media_type=b"application/x-ndjson"))
        await send(body(b"1\n2"))
        if mark:
            mark_outcome(scope, mark)
        await send(body(b"", more_body=False))

    server.run(app)
    assert server.value("chunks_total") == 2
    assert server.outcomes() == {mark or "completed": 1}


@each_way_of_two_events
@pytest.mark.parametrize(
    "odd",
    [
        {"type": "http.response.body", "more_body": True},
        {"type": "http.response.body", "body": None, "more_body": True},
        {"type": "http.response.trailers", "headers": []},
        {"type": "http.response.debug", "info": {}},
    ],
    ids=["no body", "None", "trailers", "extension"],
)
def test_messages_without_bytes_are_passed_on_unchanged_and_not_counted(server, start, options, odd):
    async def app(scope, receive, send):
        await send(start)
        for message in (odd, body(), odd, body(), odd, body(b"", more_body=False)):
            await send(message)

    server.run(app, **options)
    assert [message for message in server.wire if message == odd] == [odd] * 3
    assert server.value("chunks_total") == 2
    assert server.value("heartbeats_total") == 0
    assert server.outcomes() == {"completed": 1}


@each_way_of_two_events
@pytest.mark.parametrize("last", [{"type": "http.response.body", "body": EVENT}, body(more_body=False)])
def test_a_stream_ends_with_its_last_message(server, start, options, last):
    async def app(scope, receive, send):
        await send(start)
        await send(body())
        server.send_s = 2.0
        await send(last)
        server.clock.advance(64.0)

    server.run(app, **options)
    assert server.value("chunks_total") == 2
    assert server.value("chunk_send_seconds_sum") == server.value("duration_seconds_sum") == 2.0
    assert server.outcomes() == {"completed": 1}


@pytest.mark.parametrize("last", [body(b"whole", more_body=False), {"type": "http.response.body"}])
def test_a_request_ends_with_its_last_message(server, last):
    async def app(scope, receive, send):
        server.clock.advance(1.0)
        await send(PLAIN)
        server.send_s = 2.0
        await send(last)
        server.clock.advance(64.0)
        await send(body(b"more"))

    server.run(app)
    assert (server.value(f"{REQUESTS}_count"), server.value(f"{REQUESTS}_sum")) == (1, 3.0)
    assert server.value("started_total") == 0
    assert len(server.wire) == 3


@pytest.mark.parametrize("fields", [(), ((b"x-accel-buffering", b"no"),)], ids=["request", "stream"])
def test_a_pathsend_message_completes_the_response(server, fields):
    sent = {"type": "http.response.pathsend", "path": "/some/file"}

    async def app(scope, receive, send):
        await send(head(*fields, media_type=b"text/plain"))
        server.send_s = 2.0
        await send(sent)
        server.clock.advance(64.0)

    server.run(app)
    assert server.wire[-1] == sent
    assert server.outcomes() == ({"completed": 1} if fields else {})
    assert server.value("duration_seconds_sum" if fields else f"{REQUESTS}_sum") == 2.0


def test_a_body_without_a_start_is_passed_on_and_counts_as_status_500(server):
    async def app(scope, receive, send):
        await send(body())

    server.run(app)
    assert server.wire == [body()]
    assert server.value(f"{REQUESTS}_count", status_code="500") == 1


@pytest.mark.parametrize(
    ("method", "start", "stamped"),
    [
        ("GET", head(), True),
        ("HEAD", head(), False),
        ("GET", head(LENGTH), False),
        ("GET", head(media_type=b"application/x-ndjson"), False),
    ],
    ids=["stream", "HEAD", "with a length", "lines"],
)
def test_a_response_has_both_stamps_and_their_header_or_neither(server, method, start, stamped):
    async def app(scope, receive, send):
        await send(start)
        for _ in range(3):
            await send(body())
        await send(body(b"", more_body=False))

    server.run(app, method, **STAMPS)
    said = (b"streamgauge-stamps", clock_name().encode()) in server.wire[0]["headers"]
    stamps = [sent.count(b": sent=") for sent in server.bodies_sent]
    assert (said, stamps) == (stamped, [int(stamped)] * 3 + [0])
    if method == "GET":
        assert server.value("body_bytes_total") == sum(map(len, server.bodies_sent))
        assert server.value("chunks_total") == 3
