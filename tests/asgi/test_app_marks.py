"""Marks that an app makes itself: the outcome of its stream, or a rejection."""

import asyncio

import pytest
from fastapi import Depends, FastAPI, HTTPException, Request
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

from streamgauge.asgi import StreamMetrics, count_rejected, mark_outcome


def app_that(*marks, error=None):
    async def endpoint(request):
        async def body():
            yield b"data: 1\n\n"
            for mark in marks:
                mark_outcome(request.scope, mark)
            if error:
                raise error

        return StreamingResponse(body(), media_type="text/event-stream")

    return Starlette(routes=[Mount("/m", routes=[Route("/s", endpoint)])])


def outcomes(service):
    names = ("completed", "error", "client_disconnect", "send_timeout", "deadline", "shutdown")
    return {name: n for name in names if (n := service.value("finished_total", outcome=name))}


@pytest.mark.parametrize("outcome", ["error", "send_timeout", "deadline", "shutdown", "completed"])
def test_a_mark_sets_the_outcome(serve, outcome):
    service = serve(app_that(outcome))
    assert b"data: 1" in service.get("/m/s")
    assert outcomes(service) == {outcome: 1}
    assert service.value("duration_seconds_count", outcome=outcome) == 1
    assert service.value("active") == 0


def test_the_first_mark_counts(serve):
    service = serve(app_that("deadline", "error"))
    service.get("/m/s")
    assert outcomes(service) == {"deadline": 1}


def test_a_mark_overrides_the_error_that_ends_the_stream(serve):
    service = serve(app_that("deadline", error=RuntimeError("cut")))
    with service.open("/m/s") as connection:
        while connection.recv(65536):
            pass
    assert outcomes(service) == {"deadline": 1}


def test_a_mark_after_the_end_changes_nothing(serve, until):
    marked = []

    async def app(scope, receive, send):
        await app_that()(scope, receive, send)
        mark_outcome(scope, "error")
        marked.append(scope)

    service = serve(app)
    service.get("/m/s")
    until(lambda: marked)
    assert outcomes(service) == {"completed": 1}


def test_the_error_names_an_unknown_outcome():
    with pytest.raises(ValueError, match=r"one of completed, error, .*, got 'finished'"):
        mark_outcome({"type": "http"}, "finished")


def test_marks_do_nothing_without_the_middleware():
    scope = {"type": "http", "path": "/"}
    mark_outcome(scope, "error")
    count_rejected(scope, "auth")
    assert scope == {"type": "http", "path": "/"}


def guarded():
    """Return a FastAPI app with a guard around it, and a route with a guard as a dependency."""
    app = FastAPI()

    def closed(request: Request):
        count_rejected(request.scope, "closed", "sse")
        raise HTTPException(403)

    @app.get("/rooms/{room}", dependencies=[Depends(closed)])
    async def room(room: str) -> str:
        return room

    async def guard(scope, receive, send):
        if scope["type"] == "http" and (b"x-stop", b"1") in scope["headers"]:
            count_rejected(scope, "rate_limit")
            count_rejected(scope, "rate_limit")
            await PlainTextResponse("no", 429)(scope, receive, send)
        else:
            await app(scope, receive, send)

    guard.app = app
    return guard


def test_a_dependency_counts_a_rejection_with_its_route(serve):
    service = serve(guarded())
    service.get("/rooms/7")
    assert service.value("rejected_total", route="/rooms/{room}", protocol="sse", reason="closed") == 1
    assert service.value("started_total") == 0
    assert service.value("http_server_request_duration_seconds_count", status_code="403") == 1


@pytest.mark.parametrize(("path", "route"), [("/rooms/7", "/rooms/{room}"), ("/nowhere", "none")])
def test_a_rejection_before_routing_is_counted_once_and_with_its_route(serve, path, route):
    service = serve(guarded())
    service.get(path, headers={"X-Stop": "1"})
    assert service.value("rejected_total", route=route, protocol="none", reason="rate_limit") == 1
    assert service.value("rejected_total") == 1


def test_a_rejected_websocket_is_counted():
    async def app(scope, receive, send):
        count_rejected(scope, "auth")

    registry = CollectorRegistry()
    asyncio.run(StreamMetrics(app, registry=registry)({"type": "websocket", "path": "/ws"}, None, None))
    labels = {"route": "none", "protocol": "websocket", "reason": "auth"}
    assert registry.get_sample_value("stream_server_rejected_total", labels) == 1
