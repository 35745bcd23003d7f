"""What the middleware counts for a response, in a real server."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from streamgauge.asgi import StreamMetrics


def streaming(path, *chunks, media_type="text/event-stream", pause_s=0.0, error=None, **kwargs):
    async def endpoint(request):
        async def body():
            for chunk in chunks:
                yield chunk
                await asyncio.sleep(pause_s)
            if error is not None:
                raise error

        return StreamingResponse(body(), media_type=media_type, **kwargs)

    return Route(path, endpoint)


async def hello(request):
    return PlainTextResponse("hello")


def test_counts_a_stream_of_a_bare_starlette_app(serve, parser):
    service = serve(Starlette(routes=[streaming("/s", b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n")]), parser)
    assert service.get("/s") == b"data: 1\n\ndata: 2\n\ndata: 3\n\n"
    labels = {"route": "/s", "protocol": "sse"}
    assert service.value("started_total", **labels) == 1
    assert service.value("finished_total", outcome="completed", **labels) == 1
    assert service.value("active", **labels) == 0
    assert service.value("chunks_total", **labels) == 3
    assert service.value("body_bytes_total", **labels) == 27
    assert service.value("chunk_size_bytes_sum", **labels) == 21


@pytest.mark.parametrize("returned", [ValueError("no such rule"), None, 7], ids=["raises", "None", "a number"])
def test_a_route_callback_that_returns_no_label_costs_the_label_and_not_the_stream(serve, caplog, returned):
    def route(scope):
        if isinstance(returned, ValueError):
            raise returned
        return returned

    service = serve(Starlette(routes=[streaming("/s", b"data: 1\n\n"), Route("/hello", hello)]), route=route)
    assert service.get("/s") == b"data: 1\n\n"
    assert service.get("/hello") == b"hello"
    assert service.routes("stream_server_started_total") == {"none"}
    said = [record.message for record in caplog.records if "expected a label for every scope" in record.message]
    assert len(said) == 1
    assert str(returned) in said[0]


def test_each_stream_has_one_first_chunk_and_an_interval_before_each_other_chunk(serve):
    service = serve(Starlette(routes=[streaming("/s", *[b"data: 1\n\n"] * 5, pause_s=0.01)]))
    for _ in range(3):
        service.get("/s")
    assert service.value("time_to_first_chunk_seconds_count") == 3
    assert service.value("chunk_interval_seconds_count") == 12
    assert service.value("chunk_interval_seconds_sum") >= 12 * 0.009
    assert service.value("chunk_send_seconds_count") == 15
    assert service.value("chunk_size_bytes_count") == 15
    assert service.value("duration_seconds_count", outcome="completed") == 3


def test_totals_are_exact_in_the_scrape_right_after_the_body(serve):
    service = serve(Starlette(routes=[streaming("/s", *[b"data: 1\n\n"] * 20)]))
    for served in range(1, 21):
        service.get("/s")
        assert service.value("chunks_total") == served * 20
        assert service.value("finished_total", outcome="completed") == served


def test_measures_a_plain_function(serve, parser):
    async def app(scope, receive, send):
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"Content-Type", b"application/jsonl")]})
        await send({"type": "http.response.body", "body": b"{}\n{}\n", "more_body": True})
        await send({"type": "http.response.body", "body": memoryview(b"{}\n")})

    service = serve(app, parser)
    assert service.get("/any/url") == b"{}\n{}\n{}\n"
    assert service.value("chunks_total", route="none", protocol="ndjson") == 3
    assert service.value("chunk_interval_seconds_count") == 2
    assert service.value("finished_total", outcome="completed") == 1


@pytest.mark.parametrize("kind", [memoryview, bytearray, lambda body: memoryview(bytearray(body))])
@pytest.mark.parametrize(
    ("media_type", "bodies"),
    [
        ("text/event-stream", (b"data: 1\n\n", b"data: 2\n\n", b": ping\n\ndata: ", b"3\n\n", b"data: 1\n\n")),
        ("application/x-ndjson", (b"1\n", b"2\n", b"\n3", b"\n", b"1\n")),
        ("text/plain", (b"1", b"2", b"3", b"4")),
    ],
    ids=["sse", "ndjson", "raw"],
)
def test_bodies_of_other_buffer_types_count_like_bytes(serve, parser, kind, media_type, bodies):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", media_type.encode())]})
        for body in bodies:
            await send({"type": "http.response.body", "body": kind(body), "more_body": True})
        await send({"type": "http.response.body"})

    service = serve(app, parser)
    assert service.get("/") == b"".join(bodies)
    assert service.value("chunks_total") == 4
    assert service.value("body_bytes_total") == sum(map(len, bodies))
    assert service.value("finished_total", outcome="completed") == 1


def test_the_route_function_gives_the_label(serve):
    service = serve(PlainTextResponse("hello"), route=lambda scope: scope["path"].split("/")[1])
    service.get("/cats/17")
    assert service.routes("http_server_request_duration_seconds_count") == {"cats"}


@pytest.mark.parametrize(
    ("media_type", "protocol"),
    [
        ("text/event-stream", "sse"),
        ("application/x-ndjson; charset=utf-8", "ndjson"),
        ("multipart/x-mixed-replace; boundary=frame", "multipart"),
        ("multipart/related; boundary=frame", "multipart"),
        ("text/plain", "raw"),
    ],
)
def test_the_content_type_gives_the_protocol(serve, media_type, protocol):
    service = serve(Starlette(routes=[streaming("/s", b"x\n", b"y\n", media_type=media_type)]))
    service.get("/s")
    assert service.value("started_total", protocol=protocol) == 1


def test_heartbeats_are_not_chunks(serve):
    chunks = (b": ping\n\n", b"data: 1\n\n", b": ping\n\n", b": ping\n\n", b"data: 2\n\n")
    service = serve(Starlette(routes=[streaming("/s", *chunks)]))
    service.get("/s")
    assert service.value("chunks_total") == 2
    assert service.value("heartbeats_total") == 3
    assert service.value("chunk_interval_seconds_count") == 1
    assert service.value("body_bytes_total") == sum(map(len, chunks))


def test_an_event_in_two_messages_is_one_chunk_with_the_bytes_of_both(serve):
    service = serve(Starlette(routes=[streaming("/s", b"data: 1", b"\n\n", b"data: 2\n\n")]))
    service.get("/s")
    assert service.value("chunks_total") == 2
    assert service.value("chunk_size_bytes_sum") == 14


def test_a_plain_response_is_a_request(serve):
    service = serve(Starlette(routes=[Route("/hello", hello)]))
    service.get("/hello")
    name = "http_server_request_duration_seconds_count"
    assert service.value(name, route="/hello", method="GET", status_code="200") == 1
    assert service.value("started_total") == 0


def test_a_plain_response_behind_a_buffering_middleware_is_a_request(serve):
    async def dispatch(request, call_next):
        return await call_next(request)

    app = Starlette(routes=[Route("/hello", hello), streaming("/s", b"a", b"b", media_type="text/plain")])
    app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
    service = serve(app)
    assert service.get("/hello") == b"hello"
    assert service.get("/s") == b"ab"
    assert service.routes("stream_server_started_total") == {"/s"}


def test_x_accel_buffering_no_makes_a_stream_even_of_one_message(serve):
    async def endpoint(request):
        return Response(b"all of it", headers={"X-Accel-Buffering": "no"})

    service = serve(Starlette(routes=[Route("/s", endpoint)]))
    service.get("/s")
    assert service.value("finished_total", outcome="completed", protocol="raw") == 1
    assert service.value("chunks_total") == 1


def test_a_head_request_is_not_a_stream(serve, parser):
    service = serve(Starlette(routes=[streaming("/s", b"data: 1\n\n", b"data: 2\n\n")]), parser)
    assert service.get("/s", "HEAD") == b""
    assert service.value("started_total") == 0
    assert service.value("http_server_request_duration_seconds_count", method="HEAD", status_code="200") == 1


def test_an_unknown_method_has_the_label_other(serve):
    service = serve(PlainTextResponse("hello"), "h11")
    service.get("/", "BREW")
    assert service.value("http_server_request_duration_seconds_count", method="other") == 1


def test_an_error_in_a_stream_is_counted_and_cuts_the_body(serve, parser):
    service = serve(Starlette(routes=[streaming("/s", b"data: 1\n\n", error=ValueError("broken"))]), parser)
    with service.open("/s") as connection:
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b"data: 1" in answer
    assert not answer.endswith(b"0\r\n\r\n")
    assert service.value("finished_total", outcome="error") == 1
    assert service.value("active") == 0


def test_an_error_before_the_response_is_a_request_with_status_500(serve):
    async def endpoint(request):
        raise ValueError("broken")

    service = serve(Starlette(routes=[Route("/r", endpoint)]))
    service.get("/r")
    assert service.value("http_server_request_duration_seconds_count", route="/r", status_code="500") == 1


def test_an_unfinished_response_counts_as_error(serve):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})

    service = serve(app)
    with service.open("/") as connection:
        assert b"half" in b"".join(iter(lambda: connection.recv(65536), b""))
    assert service.value("finished_total", outcome="error") == 1


def test_a_stream_has_ended_before_its_background_task(serve, until):
    release = asyncio.Event()
    app = Starlette(routes=[streaming("/s", b"data: 1\n\n", background=BackgroundTask(release.wait))])
    service = serve(app)
    service.get("/s")
    assert service.value("finished_total", outcome="completed") == 1


def test_a_stream_that_the_server_cuts_counts_as_shutdown(serve):
    service = serve(Starlette(routes=[streaming("/s", *[b"data: 1\n\n"] * 1000, pause_s=1.0)]))
    with service.open("/s") as connection:
        assert connection.recv(65536)
        service.__exit__()
    assert service.value("finished_total", outcome="shutdown") == 1
    assert service.value("active") == 0


def test_two_middlewares_count_once(serve):
    inner = CollectorRegistry()
    app = Starlette(routes=[streaming("/s", b"data: 1\n\n"), Route("/hello", hello)])
    app.add_middleware(StreamMetrics, registry=inner)
    service = serve(app)
    service.get("/s")
    service.get("/hello")
    assert service.value("started_total") == 1
    assert service.value("http_server_request_duration_seconds_count") == 1
    assert not [sample for family in inner.collect() for sample in family.samples if "route" in sample.labels]
