"""An error status, and a body that is not as long as announced, are visible in the metrics, however they are sent."""

import pytest

from streamgauge.asgi import count_rejected, mark_outcome

REQUESTS = "http_server_request_duration_seconds_count"


def start(status, *fields, media_type=b"text/event-stream"):
    return {"type": "http.response.start", "status": status, "headers": [(b"content-type", media_type), *fields]}


def body(content=b"data: 1\n\n", more_body=True):
    return {"type": "http.response.body", "body": content, "more_body": more_body}


def ends(server):
    """Return the number of finished streams by outcome and status."""
    samples = [sample for family in server.registry.collect() for sample in family.samples]
    found = [each for each in samples if each.name == "stream_server_finished_total" and each.value]
    return {(each.labels["outcome"], each.labels["status_code"]): each.value for each in found}


@pytest.mark.parametrize("media_type", [b"text/event-stream", b"application/json"])
@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "completed"), (206, "completed"), (404, "refused"), (429, "refused"), (500, "error"), (503, "error")],
)
def test_the_status_of_a_stream_is_a_label_and_an_error_is_none_that_completed(server, media_type, status, outcome):
    async def app(scope, receive, send):
        await send(start(status, media_type=media_type))
        await send(body())
        await send(body(b"", more_body=False))

    server.run(app)
    assert ends(server) == {(outcome, str(status)): 1}
    assert server.value(REQUESTS) == 0


@pytest.mark.parametrize(("status", "outcome"), [(200, "client_disconnect"), (429, "refused"), (503, "error")])
def test_an_error_status_counts_even_if_the_client_hangs_up(server, status, outcome):
    async def app(scope, receive, send):
        await send(start(status))
        await send(body())
        await server.hang_up()
        await send(body())

    server.run(app)
    assert ends(server) == {(outcome, str(status)): 1}


def test_the_apps_own_mark_counts_more_than_the_status(server):
    async def app(scope, receive, send):
        mark_outcome(scope, "deadline")
        await send(start(504))
        await send(body(more_body=False))

    server.run(app)
    assert ends(server) == {("deadline", "504"): 1}


def test_a_rejection_that_is_streamed_is_no_stream(server):
    async def app(scope, receive, send):
        count_rejected(scope, "rate_limit")
        await send(start(429))
        await send(body())
        await send(body(b"", more_body=False))

    server.run(app)
    assert ends(server) == {}
    assert server.value("rejected_total", reason="rate_limit") == 1
    assert server.value(REQUESTS, status_code="429") == 1


@pytest.mark.parametrize("fields", [[], [(b"content-length", b"9")]], ids=["no length", "length"])
def test_a_response_that_fails_before_its_first_byte_is_an_error(server, fields):
    async def app(scope, receive, send):
        await send(start(200, *fields, media_type=b"application/json"))
        raise ValueError("no first byte")

    with pytest.raises(ValueError, match="no first byte"):
        server.run(app)
    if fields:
        assert server.value(REQUESTS, status_code="500") == server.value(REQUESTS) == 1
    else:
        assert ends(server) == {("error", "200"): 1}
        assert server.value("started_total") == 1
    assert server.value("active") == 0


@pytest.mark.parametrize("sizes", [(5,), (5, 3), (12,), (5, 5)], ids=["short", "short twice", "long", "long twice"])
@pytest.mark.parametrize("media_type", [b"text/event-stream", b"application/json"])
def test_a_body_of_another_length_than_announced_is_an_error(server, media_type, sizes):
    async def app(scope, receive, send):
        await send(start(200, (b"content-length", b"9"), media_type=media_type))
        for number, size in enumerate(sizes, 1):
            await send(body(b"x" * size, more_body=number < len(sizes)))

    server.run(app)
    whole = media_type == b"application/json" and len(sizes) == 1
    assert ends(server) == ({} if whole else {("error", "200"): 1})
    assert server.value(REQUESTS, status_code="500") == whole


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 304)])
def test_a_response_without_a_body_may_announce_a_length(server, method, status):
    async def app(scope, receive, send):
        await send(start(status, (b"content-length", b"9"), media_type=b"application/json"))
        await send(body(b"", more_body=False))

    server.run(app, method)
    assert server.value(REQUESTS, status_code=str(status)) == 1


def test_a_websocket_has_the_status_of_its_handshake(server):
    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1000})

    server.run(app, scope={"type": "websocket"})
    assert ends(server) == {("completed", "101"): 1}
