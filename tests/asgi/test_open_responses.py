"""A response without a length is active from its start, before its first byte says whether it is a stream."""

import pytest

REQUESTS = "http_server_request_duration_seconds_count"
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
KNOWN = {**START, "headers": [(b"content-length", b"5")]}


def body(content=b"12345", more_body=True):
    return {"type": "http.response.body", "body": content, "more_body": more_body}


@pytest.mark.parametrize(("start", "active"), [(START, 1), (KNOWN, 0)], ids=["no length", "length"])
def test_a_response_without_a_length_is_active_before_its_first_byte(server, start, active):
    seen = []

    async def app(scope, receive, send):
        await send(start)
        seen.append(server.value("active", route="/s", protocol="raw"))
        await send(body(more_body=False))

    server.run(app)
    assert seen == [active]
    assert server.value("active") == 0


def test_it_is_active_once_while_it_streams(server):
    seen = []

    async def app(scope, receive, send):
        await send(START)
        for more_body in (True, True, False):
            seen.append(server.value("active"))
            await send(body(more_body=more_body))

    server.run(app)
    assert seen == [1, 1, 1]
    assert (server.value("active"), server.value("started_total"), server.value("finished_total")) == (0, 1, 1)


def test_one_whose_first_message_is_the_whole_body_is_a_request(server):
    async def app(scope, receive, send):
        await send(START)
        await send(body(more_body=False))

    server.run(app)
    assert server.value(REQUESTS, status_code="200") == 1
    assert (server.value("started_total"), server.value("active")) == (0, 0)


def test_one_whose_client_hangs_up_before_the_first_byte_is_a_stream_that_was_left(server):
    async def app(scope, receive, send):
        await send(START)
        await server.hang_up()
        assert (await receive())["type"] == "http.disconnect"

    server.run(app)
    assert server.outcomes() == {"client_disconnect": 1}
    assert (server.value("started_total"), server.value("active"), server.value(REQUESTS)) == (1, 0, 0)
