"""Two lines instrument an app of each framework, and the metrics have its routes."""

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse as FastApiStream
from litestar import Litestar, Router
from litestar import get as litestar_get
from litestar.params import FromPath
from litestar.response import Stream as LitestarStream
from quart import Quart
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route
from werkzeug.exceptions import HTTPException

from streamgauge.asgi import count_rejected

TYPE = "text/event-stream"


async def events():
    for number in range(3):
        yield b"data: %d\n\n" % number


def starlette():
    async def room(request):
        return StreamingResponse(events(), media_type=TYPE)

    return Starlette(routes=[Mount("/v1", routes=[Route("/rooms/{room:int}", room)])])


def fastapi():
    app = FastAPI()

    @app.get("/v1/rooms/{room}")
    async def room(room: int) -> FastApiStream:
        return FastApiStream(events(), media_type=TYPE)

    return app


def litestar():
    @litestar_get("/rooms/{room:int}")
    async def room(room: FromPath[int]) -> LitestarStream:
        return LitestarStream(events(), media_type=TYPE)

    return Litestar([Router("/v1", route_handlers=[room])])


def quart():
    app = Quart("quart")

    @app.get("/v1/rooms/<int:room>")
    async def room(room):
        return events(), 200, {"Content-Type": TYPE}

    return app


def quart_route(app):
    """Return a function that finds the rule in Quart's URL map, since Quart does not store it in the scope."""

    def route(scope):
        try:
            rule, _ = app.url_map.bind("").match(scope["path"], scope["method"], return_rule=True)
        except HTTPException:
            return "none"
        return rule.rule

    return route


FRAMEWORKS = {
    "starlette": (starlette, {}, "/v1/rooms/{room}"),
    "fastapi": (fastapi, {}, "/v1/rooms/{room}"),
    "litestar": (litestar, {}, "/v1/rooms/{room}"),
    "quart": (quart, {}, "none"),
    "quart with route": (quart, {"route": quart_route}, "/v1/rooms/<int:room>"),
}


@pytest.fixture(params=FRAMEWORKS)
def service(request, serve, parser):
    make, options, route = FRAMEWORKS[request.param]
    app = make()
    service = serve(app, parser, **{name: option(app) for name, option in options.items()})
    service.expected_route = route
    return service


def test_a_stream_is_counted_with_its_route(service, until):
    assert service.get("/v1/rooms/7") == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
    labels = {"route": service.expected_route, "protocol": "sse"}
    until(lambda: service.value("finished_total", outcome="completed", **labels) == 1)
    assert service.value("chunks_total", **labels) == 3
    assert service.value("body_bytes_total", **labels) == 27
    assert service.value("active") == 0


def test_a_path_that_no_route_matches_has_the_label_none(service, until):
    service.get("/nowhere")
    name = "http_server_request_duration_seconds_count"
    until(lambda: service.value(name, status_code="404") == 1)
    assert service.routes(name) == {"none"}


@pytest.mark.parametrize("make", [starlette, fastapi, litestar])
def test_a_rejection_before_routing_has_its_route(serve, make):
    app = make()

    async def guard(scope, receive, send):
        if scope["type"] == "http":
            count_rejected(scope, "rate_limit")
            await PlainTextResponse("no", 429)(scope, receive, send)
        else:
            await app(scope, receive, send)

    guard.app = app
    service = serve(guard)
    service.get("/v1/rooms/7")
    assert service.routes("stream_server_rejected_total") == {"/v1/rooms/{room}"}
