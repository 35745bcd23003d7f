"""A client that hangs up: the outcome, and that the app stops."""

import asyncio
import socket
import struct

import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.websockets import WebSocketDisconnect

from streamgauge.asgi import StreamMetrics

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}


async def healthz(request):
    return PlainTextResponse("ok")


async def endless(pause_s):
    while True:
        yield b"data: on and on\n\n"
        if pause_s is not None:
            await asyncio.sleep(pause_s)


def starlette_app(pause_s):
    async def endpoint(request):
        return StreamingResponse(endless(pause_s), media_type="text/event-stream")

    return Starlette(routes=[Route("/s", endpoint), Route("/healthz", healthz)])


def bare_app(pause_s):
    async def app(scope, receive, send):
        if scope["type"] != "http" or scope["path"] != "/s":
            await PlainTextResponse("ok")(scope, receive, send)
            return
        await send(START)
        async for chunk in endless(pause_s):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})

    return app


def reset(connection):
    """Close with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("make", [starlette_app, bare_app])
@pytest.mark.parametrize("abrupt", [False, True], ids=["fin", "rst"])
@pytest.mark.parametrize("pause_s", [None, 0.001, 0.2], ids=["never-awaits", "fast", "slow"])
def test_a_hang_up_ends_the_stream_and_not_the_server(serve, until, parser, make, abrupt, pause_s):
    service = serve(make(pause_s), parser)
    with service.open("/s") as connection:
        assert connection.recv(100)
        if abrupt:
            reset(connection)
    assert service.get("/healthz") == b"ok"
    until(lambda: service.value("active") == 0)
    assert service.value("finished_total", outcome="client_disconnect") == 1
    assert service.value("finished_total") == service.value("started_total") == 1


def test_a_stream_that_never_awaits_does_not_block_other_requests(serve, parser):
    service = serve(starlette_app(None), parser)
    with service.open("/s") as greedy:
        assert greedy.recv(100)
        for _ in range(3):
            assert greedy.recv(1 << 20)
            assert service.get("/healthz") == b"ok"


def test_a_hang_up_ends_a_send_that_waits_for_the_reader(serve, until, parser):
    service = serve(starlette_app(None), parser)
    with service.open("/s") as connection:
        assert connection.recv(100)
        until(lambda: service.value("active") == 1 and service.value("chunks_total") > 0)
    until(lambda: service.value("finished_total", outcome="client_disconnect") == 1)


def test_a_hang_up_after_the_end_changes_nothing(serve, parser):
    async def app(scope, receive, send):
        await send(START)
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        await send({"type": "http.response.body"})
        await receive()
        await receive()

    service = serve(app, parser)
    with service.open("/") as connection:
        while not connection.recv(65536).endswith(b"0\r\n\r\n"):
            pass
    assert service.value("finished_total", outcome="completed") == 1
    assert service.value("finished_total") == 1


def test_an_app_may_still_read_the_request_body_while_it_streams(serve, parser):
    async def app(scope, receive, send):
        await send(START)
        await send({"type": "http.response.body", "body": b"data: ready\n\n", "more_body": True})
        await asyncio.sleep(0.02)
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            chunk = b"data: %d\n\n" % len(message["body"])
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body"})

    service = serve(app, parser)
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n")
        assert connection.recv(65536)
        connection.sendall(b"x" * 200_000)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert sum(int(line[6:]) for line in answer.split(b"\r\n") if line.startswith(b"data: ") and line[6:7].isdigit())
    assert answer.endswith(b"0\r\n\r\n")
    assert service.value("finished_total", outcome="completed") == 1


def test_is_disconnected_works_under_the_middleware(serve, until):
    told = []

    async def app(scope, receive, send):
        request = Request(scope, receive)
        await send(START)
        while not await request.is_disconnected():
            await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
            await asyncio.sleep(0.01)
        told.append(True)

    service = serve(app)
    with service.open("/") as connection:
        assert connection.recv(100)
    until(lambda: told)
    until(lambda: service.value("finished_total", outcome="client_disconnect") == 1)


def test_an_error_of_the_apps_own_after_a_hang_up_is_still_an_error(serve, until):
    async def app(scope, receive, send):
        await send(START)
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        raise ValueError("unrelated")

    service = serve(app)
    with service.open("/") as connection:
        assert connection.recv(100)
    until(lambda: service.value("finished_total", outcome="error") == 1)


def test_an_error_that_the_hang_up_caused_counts_as_client_disconnect(serve, until):
    async def app(scope, receive, send):
        await send(START)
        try:
            while True:
                await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
                await asyncio.sleep(0.005)
        except OSError as error:
            raise RuntimeError("could not send") from error

    service = serve(app)
    with service.open("/") as connection:
        assert connection.recv(100)
    until(lambda: service.value("finished_total", outcome="client_disconnect") == 1)


def test_a_hang_up_before_the_response_counts_as_a_request_with_status_499(serve, until):
    async def app(scope, receive, send):
        assert scope["type"] == "http"
        while (await receive())["type"] != "http.disconnect":
            pass

    service = serve(app)
    service.open("/").close()
    until(lambda: service.value("http_server_request_duration_seconds_count", status_code="499") == 1)
    assert service.value("started_total") == 0


def test_a_hang_up_after_the_last_byte_of_a_known_length_counts_as_completed(serve, until, parser):
    async def app(scope, receive, send):
        headers = [(b"content-type", b"text/csv"), (b"content-length", b"8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for part in (b"a,b\n", b"1,2\n"):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await asyncio.to_thread(until, lambda: service.connections == 0)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    service = serve(app, parser)
    with service.open("/s") as connection:
        received = b""
        while not received.endswith(b"1,2\n"):
            received += connection.recv(100)
    until(lambda: service.value("finished_total", outcome="completed") == 1)
    assert service.value("finished_total") == 1


SENT = {
    "http": (START, {"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True}),
    "websocket": ({"type": "websocket.accept"}, {"type": "websocket.send", "text": "1"}),
}


def hang_up(kind, respond):
    """Handle the failed ``send`` with ``respond``; return the error that leaves the middleware, and the outcomes."""

    async def app(scope, receive, send):
        start, chunk = SENT[kind]
        await send(start)
        while (await receive())["type"] != f"{kind}.disconnect":
            pass
        try:
            await send(chunk)
        except OSError as error:
            await respond(error)

    async def receive():
        return {"type": f"{kind}.disconnect", "code": 1006}

    async def send(message):
        pass

    registry = CollectorRegistry()
    scope = {"type": kind, "method": "GET", "path": "/", "headers": []}
    raised = None
    try:
        asyncio.run(StreamMetrics(app, registry=registry)(scope, receive, send))
    except Exception as error:
        raised = error
    samples = [sample for family in registry.collect() for sample in family.samples]
    ends = [sample for sample in samples if sample.name == "stream_server_finished_total" and sample.value]
    return raised, [sample.labels["outcome"] for sample in ends]


async def itself(error):
    raise error


async def explicitly(error):
    raise RuntimeError("could not send") from error


async def clients(error):
    raise ClientDisconnect


async def websockets(error):
    raise WebSocketDisconnect(1006)


async def all_of_it(error):
    raise ExceptionGroup("tasks", [error, ExceptionGroup("more", [error])])


async def cleaning_up(error):
    raise ValueError("the database is gone too")


async def one_of_a_group(error):
    raise ExceptionGroup("tasks", [error, ValueError("unrelated")])


async def for_a_reason_of_its_own(error):
    raise RuntimeError("not saved") from ValueError("no room")


async def round_in_circles(error):
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    raise first


@pytest.mark.parametrize("kind", SENT)
@pytest.mark.parametrize("respond", [itself, explicitly, clients, websockets, all_of_it])
def test_an_error_that_only_reports_the_hang_up_ends_in_the_middleware(kind, respond):
    assert hang_up(kind, respond) == (None, ["client_disconnect"])


@pytest.mark.parametrize("kind", SENT)
@pytest.mark.parametrize("respond", [cleaning_up, one_of_a_group, for_a_reason_of_its_own, round_in_circles])
def test_an_error_of_the_apps_own_after_a_hang_up_is_raised(kind, respond):
    raised, outcomes = hang_up(kind, respond)
    assert type(raised) in (ValueError, RuntimeError, ExceptionGroup)
    assert outcomes == ["client_disconnect"]
