"""The route label comes from the scope after routing, so that neither wrappers nor mounts hide it."""

import functools

import pytest
import socketio
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from streamgauge.asgi import StreamMetrics, count_rejected
from streamgauge.asgi.routes import RouteTemplates
from tests.asgi.test_routes import NAME, asked, endpoint, fastapi_app, litestar_app, starlette_app


async def partial(scope, receive, send, app):
    await app(scope, receive, send)


def closed_over(app):
    async def inner(scope, receive, send):
        await app(scope, receive, send)

    return inner


def in_socketio(app):
    return socketio.ASGIApp(socketio.AsyncServer(async_mode="asgi"), app)


WRAPPERS = [lambda app: functools.partial(partial, app=app), closed_over, in_socketio]


@pytest.fixture
def get(server):
    """Ask an app for a path, and return the labels of its routes."""

    def get(app, *paths, name=NAME, measured=False, **scope):
        app = app if measured else server.measured(app, route=None)
        for path in paths:
            server.run(app, path=path, scope={**asked(path), **scope}, measured=measured)
        samples = [sample for family in server.registry.collect() for sample in family.samples]
        return {sample.labels["route"] for sample in samples if sample.name == name}

    return get


@pytest.mark.parametrize("wrap", WRAPPERS, ids=["partial", "closure", "socketio"])
@pytest.mark.parametrize(
    ("make", "path", "template"),
    [
        (fastapi_app, "/south/shop/items/7", "/south/shop/items/{number}"),
        (fastapi_app, "/south/shop/of/7", "/south/shop/of/{kind}"),
        (fastapi_app, "/other/v1/items/7", "/other/v1/items/{number}"),
        (starlette_app, "/m/acme/y/7", "/m/{tenant}/y/{c}"),
        (litestar_app, "/v1/rooms/7", "/v1/rooms/{room}"),
        (starlette_app, "/nowhere", "none"),
    ],
)
def test_what_wraps_the_app_hides_no_route(get, wrap, make, path, template):
    assert get(wrap(make()), path) == {template}


def versions(add):
    """Return an app with two sub-apps of the same routes, each with the middleware, below /v1 and /v2."""
    outer = FastAPI()
    for path in ("/v1", "/v2"):
        inner = FastAPI()
        inner.include_router(rooms(), prefix="/house")
        add(outer, path, inner)
    return outer


def rooms():
    router = APIRouter()

    @router.get("/rooms/{room}")
    async def room(room: str) -> str:
        return room

    return router


def test_a_sub_app_that_adds_the_middleware_has_the_prefix_of_its_mount(server, get):
    def add(outer, path, inner):
        inner.add_middleware(StreamMetrics, registry=server.registry)
        outer.mount(path, inner)

    labels = {"/v1/house/rooms/{room}", "/v2/house/rooms/{room}"}
    assert get(versions(add), "/v1/house/rooms/7", "/v2/house/rooms/8", measured=True) == labels


@pytest.mark.parametrize("wrap", WRAPPERS, ids=["partial", "closure", "socketio"])
@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/v1/house/rooms/7", "/v1/house/rooms/{room}"),
        ("/t/acme/rooms/7", "/t/{tenant}/rooms/{room}"),
        ("/t/acme/deep/er/x/7", "/t/{tenant}/deep/{er}/x/{y}"),
        ("/l/v1/rooms/7", "/l/v1/rooms/{room}"),
        ("/t/acme/nowhere", "/t/{tenant}/{path}"),
    ],
)
def test_a_wrapped_sub_app_has_the_prefix_of_its_mount(get, wrap, path, template):
    house = FastAPI()
    house.include_router(rooms(), prefix="/house")
    tenant = Starlette(
        routes=[
            Route("/rooms/{room}", endpoint),
            Mount("/deep/{er}", wrap(Starlette(routes=[Route("/x/{y:int}", endpoint)]))),
        ]
    )
    app = Starlette(
        routes=[
            Mount("/v1", wrap(house)),
            Mount("/t/{tenant}", wrap(tenant)),
            Mount("/l", wrap(litestar_app())),
        ]
    )
    assert get(app, path) == {template}


@pytest.mark.parametrize("number", ["007", "7"])
def test_a_value_that_the_framework_converts_never_becomes_a_label(get, number):
    inner = Starlette(routes=[Mount("/n/{n:int}", closed_over(Starlette(routes=[Route("/x", endpoint)])))])
    labels = get(Starlette(routes=[Mount("/m", closed_over(inner))]), f"/m/n/{number}/x")
    assert labels <= {"/m/n/{n}/x", "/m/{path}"}


def test_a_rejection_before_routing_has_the_route_of_a_router_that_was_seen(server, get):
    full = []

    async def guard(scope, receive, send):
        if full:
            count_rejected(scope, "capacity")
            await PlainTextResponse("no", 503)(scope, receive, send)
        else:
            await app(scope, receive, send)

    app, measured = starlette_app(), server.measured(guard, route=None)
    get(measured, "/x/1/2", measured=True)
    full.append(True)
    assert get(measured, "/x/3/4", measured=True, name="stream_server_rejected_total") == {"/x/{a}/{b}"}


def test_the_routers_that_are_remembered_are_bounded(get, server):
    async def one_app_per_request(scope, receive, send):
        await Starlette(routes=[Route("/s/{a}", endpoint)])(scope, receive, send)

    measured = server.measured(one_app_per_request, route=None)
    paths = [f"/s/{number}" for number in range(RouteTemplates.MAX_ROUTERS + 5)]
    assert get(measured, *paths, measured=True) == {"/s/{a}"}
    assert len(measured._templates._of_routers) == 5
