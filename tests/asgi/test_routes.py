"""The route label: the full template, whatever lies between the middleware and the endpoint."""

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route

NAME = "http_server_request_duration_seconds_count"


async def endpoint(request):
    return PlainTextResponse("ok")


def fastapi_app():
    items = APIRouter(prefix="/items")
    shop, app, other = APIRouter(prefix="/shop"), FastAPI(), FastAPI()

    @items.get("/{number}")
    async def item(number: int) -> int:
        return number

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
            Host("special", app=Starlette(routes=[Route("/h/{d}", endpoint)])),
        ]
    )


@pytest.mark.parametrize(
    ("app", "method", "path", "template"),
    [
        (fastapi_app, "GET", "/north/shop/items/7", "/north/shop/items/{number}"),
        (fastapi_app, "GET", "/south/shop/items/7", "/south/shop/items/{number}"),
        (fastapi_app, "GET", "/south/shop/items/x", "/south/shop/items/{number}"),
        (fastapi_app, "POST", "/south/shop/items/7", "/south/shop/items/{number}"),
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
        (starlette_app, "GET", "/nowhere", "none"),
    ],
)
def test_the_label_is_the_full_template(serve, app, method, path, template):
    service = serve(app())
    service.get(path, method)
    assert service.routes(NAME) == {template}


def test_one_endpoint_on_two_routes_is_told_apart(serve):
    service = serve(Starlette(routes=[Route("/a/{x}", endpoint), Route("/b/{x}", endpoint)]))
    service.get("/b/1")
    service.get("/a/1")
    assert service.routes(NAME) == {"/a/{x}", "/b/{x}"}


def test_a_middleware_that_copies_the_scope_hides_nothing(serve):
    class Copying:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            await self.app(dict(scope), receive, send)

    service = serve(Copying(starlette_app()))
    service.get("/m/acme/y/7")
    assert service.routes(NAME) == {"/m/{tenant}/y/{c}"}


def test_a_route_added_while_the_app_runs_is_found(serve):
    app = starlette_app()
    service = serve(app)
    service.get("/nowhere")
    app.router.routes.append(Route("/late/{x}", endpoint))
    service.get("/late/1")
    assert service.routes(NAME) == {"none", "/late/{x}"}


@pytest.mark.parametrize("prefix", ["", "/api"], ids=["stripped", "kept"])
def test_a_root_path_is_no_part_of_the_template(serve, prefix):
    async def behind_proxy(scope, receive, send):
        scope["root_path"] = "/api"
        await app(scope, receive, send)

    app = starlette_app()
    behind_proxy.app = app
    service = serve(behind_proxy)
    service.get(prefix + "/x/1/2")
    service.get(prefix + "/m/acme/x")
    assert service.routes(NAME) == {"/x/{a}/{b}", "/m/{tenant}/x"}
