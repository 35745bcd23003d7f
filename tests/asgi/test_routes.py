"""The route label is the full template, whatever is between the middleware and the endpoint."""

import pytest
from fastapi import APIRouter, FastAPI
from litestar import Litestar, Router
from litestar import get as litestar_get
from litestar.params import FromPath
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Host, Match, Mount, Route

from streamgauge.asgi import count_rejected

NAME = "http_server_request_duration_seconds_count"


async def endpoint(request):
    return PlainTextResponse("ok")


def fastapi_app():
    items = APIRouter(prefix="/items")
    shop, app, other = APIRouter(prefix="/shop"), FastAPI(), FastAPI()

    @items.get("/{number}")
    async def item(number: int) -> int:
        return number

    items.add_route("/of/{kind:int}", endpoint)

    @app.get("/files/{path:path}")
    async def files(path: str) -> str:
        return path

    shop.include_router(items)
    app.include_router(shop, prefix="/north")
    app.include_router(shop, prefix="/south")
    other.include_router(items, prefix="/v1")
    app.mount("/other", other)
    app.mount(
        "/tenants/{tenant}",
        Starlette(routes=[Route("/z/{k:int}", endpoint), Mount("/a", routes=[Route("/b", endpoint)])]),
    )
    app.mount("/raw", PlainTextResponse("raw"))
    return app


def starlette_app():
    return Starlette(
        routes=[
            Route("/x/{a}/{b:int}", endpoint, methods=["GET"]),
            Mount("/m/{tenant}", routes=[Route("/x", endpoint), Route("/y/{c}", endpoint)]),
            Mount("/api", routes=[Route("/inside", endpoint)]),
            Route("/dots.txt", endpoint),
            Host("special", app=Starlette(routes=[Route("/h/{d}", endpoint)])),
        ]
    )


def litestar_app():
    @litestar_get("/rooms/{room:str}")
    async def room(room: FromPath[str]) -> str:
        return room

    @litestar_get("/rooms/all")
    async def every() -> int:
        return 7

    return Litestar([Router("/v1", route_handlers=[room, every])])


class Service:
    """An app behind the middleware, on the simulated server."""

    def __init__(self, server, app, **options):
        self._server, self._measured = server, server.measured(app, route=None, **options)

    def get(self, path, method="GET", **scope):
        self._server.run(self._measured, method, path, scope={**asked(path), **scope})

    def routes(self, name=NAME):
        samples = [sample for family in self._server.registry.collect() for sample in family.samples]
        return {sample.labels["route"] for sample in samples if sample.name == name}


def asked(path):
    return {"raw_path": path.encode(), "query_string": b"", "http_version": "1.1", "scheme": "http"}


@pytest.fixture
def serve(server):
    """Serve apps on the simulated server."""
    return lambda app, **options: Service(server, app, **options)


PATHS = [
    (fastapi_app, "GET", "/north/shop/items/7", "/north/shop/items/{number}"),
    (fastapi_app, "GET", "/south/shop/items/7", "/south/shop/items/{number}"),
    (fastapi_app, "GET", "/south/shop/items/x", "/south/shop/items/{number}"),
    (fastapi_app, "POST", "/south/shop/items/7", "/south/shop/items/{number}"),
    (fastapi_app, "GET", "/south/shop/of/7", "/south/shop/of/{kind}"),
    (fastapi_app, "GET", "/files/a/b/c", "/files/{path}"),
    (fastapi_app, "GET", "/other/v1/items/7", "/other/v1/items/{number}"),
    (fastapi_app, "GET", "/tenants/z/z/7", "/tenants/{tenant}/z/{k}"),
    (fastapi_app, "GET", "/tenants/a/a/b", "/tenants/{tenant}/a/b"),
    (fastapi_app, "GET", "/raw/of/any/length", "/raw/{path}"),
    (fastapi_app, "GET", "/openapi.json", "/openapi.json"),
    (fastapi_app, "GET", "/nowhere", "none"),
    (fastapi_app, "GET", "/other/nowhere", "none"),
    (fastapi_app, "GET", "/north/shop/items/", "none"),
    (starlette_app, "GET", "/x/1/2", "/x/{a}/{b}"),
    (starlette_app, "POST", "/x/1/2", "/x/{a}/{b}"),
    (starlette_app, "GET", "/x/1/two", "none"),
    (starlette_app, "GET", "/m/acme/y/7", "/m/{tenant}/y/{c}"),
    (starlette_app, "GET", "/dots.txt", "/dots.txt"),
    (starlette_app, "GET", "/nowhere", "none"),
    (litestar_app, "GET", "/v1/rooms/7", "/v1/rooms/{room}"),
    (litestar_app, "GET", "/v1/rooms/all", "/v1/rooms/all"),
    (litestar_app, "GET", "/nowhere", "none"),
]


@pytest.mark.parametrize(("app", "method", "path", "template"), PATHS)
def test_the_label_is_the_full_template(serve, app, method, path, template):
    service = serve(app())
    service.get(path, method)
    assert service.routes() == {template}


REFUSED = [
    (fastapi_app, "/south/shop/items/7", "/south/shop/items/{number}"),
    (fastapi_app, "/south/shop/of/7", "/south/shop/of/{kind}"),
    (fastapi_app, "/south/shop/of/all", "none"),
    (fastapi_app, "/files/a/b\nc", "/files/{path}"),
    (fastapi_app, "/other/v1/items/7", "/other/v1/items/{number}"),
    (fastapi_app, "/tenants/z/z/7", "/tenants/{tenant}/z/{k}"),
    (fastapi_app, "/tenants/z/z/seven", "none"),
    (fastapi_app, "/raw/of/any/length", "/raw/{path}"),
    (starlette_app, "/x/1/2", "/x/{a}/{b}"),
    (starlette_app, "/x/1/two", "none"),
    (starlette_app, "/x/1/2/3", "none"),
    (starlette_app, "/m/a/b/x", "none"),
    (starlette_app, "/h/4", "/h/{d}"),
    (starlette_app, "/dots_txt", "none"),
    (litestar_app, "/v1/rooms/7", "/v1/rooms/{room}"),
    (litestar_app, "/v1/rooms/7/8", "none"),
]


@pytest.mark.parametrize(("make", "path", "template"), REFUSED)
def test_before_routing_the_path_gives_the_template(serve, make, path, template):
    service = serve(guarded(make()))
    service.get(path)
    assert service.routes("stream_server_rejected_total") == service.routes() == {template}


def guarded(app):
    async def guard(scope, receive, send):
        count_rejected(scope, "rate_limit")
        await PlainTextResponse("no", 429)(scope, receive, send)

    guard.app = app
    return guard


def only_posts(path):
    return Route(path, PlainTextResponse("posted"), methods=["POST"])


OVERLAPS = [
    (Starlette(routes=[only_posts("/{any}"), Route("/s", endpoint)]), "/s", "/s"),
    (Starlette(routes=[only_posts("/{any}"), Route("/s", endpoint), Route("/t", endpoint)]), "/s", "/s"),
    (Starlette(routes=[only_posts("/m/{any}"), Mount("/m", PlainTextResponse("raw"))]), "/m/s", "/m/{path}"),
]


@pytest.mark.parametrize(("app", "path", "template"), OVERLAPS, ids=["endpoint", "endpoint of two", "mount"])
def test_the_apps_choice_decides_between_overlapping_templates(serve, app, path, template):
    service = serve(app)
    for _ in range(2):  # only the first request walks the routes
        service.get(path)
    assert service.routes() == {template}


def test_an_app_of_one_route_has_its_template_before_routing(serve):
    service = serve(guarded(Starlette(routes=[Route("/s/{a}", endpoint)])))
    service.get("/s/1")
    assert service.routes() == {"/s/{a}"}


def test_an_unknown_kind_of_route_hides_no_other(serve):
    class Odd(BaseRoute):
        def matches(self, scope):
            return Match.NONE, {}

    service = serve(Starlette(routes=[Odd(), Route("/s/{a}", endpoint)]))
    service.get("/s/1")
    assert service.routes() == {"/s/{a}"}


def test_an_app_of_another_framework_inside_hides_no_template(serve):
    service = serve(guarded(Starlette(routes=[Route("/x/{a}", endpoint), Mount("/l", litestar_app())])))
    service.get("/x/1")
    assert service.routes() == {"/x/{a}"}


def test_two_routes_with_one_endpoint_have_their_own_labels(serve):
    service = serve(Starlette(routes=[Route("/a/{x}", endpoint), Route("/b/{x}", endpoint)]))
    service.get("/b/1")
    service.get("/a/1")
    assert service.routes() == {"/a/{x}", "/b/{x}"}


def test_a_middleware_that_copies_the_scope_hides_nothing(serve):
    class Copying:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            await self.app(dict(scope), receive, send)

    service = serve(Copying(starlette_app()))
    service.get("/m/acme/y/7")
    assert service.routes() == {"/m/{tenant}/y/{c}"}


@pytest.mark.parametrize("wraps", ["another", "itself"])
def test_an_app_without_routes_has_none(serve, wraps):
    async def app(scope, receive, send):
        await PlainTextResponse("ok")(scope, receive, send)

    app.app = app if wraps == "itself" else PlainTextResponse("ok")
    service = serve(app)
    service.get("/s")
    assert service.routes() == {"none"}


def test_a_route_added_while_the_app_runs_is_found(serve):
    app = starlette_app()
    service = serve(app)
    service.get("/nowhere")
    app.router.routes.append(Route("/late/{x}", endpoint))
    service.get("/late/1")
    assert service.routes() == {"none", "/late/{x}"}


def test_a_route_added_inside_a_mount_is_found(serve):
    async def late(request):
        return PlainTextResponse("ok")

    inner = Starlette(routes=[Route("/first", endpoint)])
    service = serve(Starlette(routes=[Mount("/m", inner)]))
    service.get("/m/first")
    inner.router.routes.append(Route("/late/{x}", late))
    service.get("/m/late/1")
    assert service.routes() == {"/m/first", "/m/late/{x}"}


@pytest.mark.parametrize("prefix", ["", "/api"], ids=["stripped", "kept"])
@pytest.mark.parametrize("hidden", [False, True], ids=["chosen", "before routing"])
def test_a_root_path_is_not_part_of_the_template(serve, prefix, hidden):
    async def behind_proxy(scope, receive, send):
        scope["root_path"] = "/api"
        await (guarded(app) if hidden else app)(scope, receive, send)

    app = starlette_app()
    behind_proxy.app = app
    service = serve(behind_proxy)
    service.get(prefix + "/x/1/2")
    service.get(prefix + "/m/acme/x")
    assert service.routes() == {"/x/{a}/{b}", "/m/{tenant}/x"}


def test_a_path_that_only_starts_like_the_root_path_is_kept_whole(serve):
    async def outer(scope, receive, send):
        scope["root_path"] = "/x"
        await guarded(app)(scope, receive, send)

    app = Starlette(routes=[Route("/xy/{a}", endpoint), Route("/y/{a}", endpoint)])
    outer.app = app
    service = serve(outer)
    service.get("/xy/1")
    assert service.routes() == {"/xy/{a}"}
