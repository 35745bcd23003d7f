"""``/docs``: Swagger UI from an installed package, so that the page loads nothing from another host."""

from importlib.resources import files

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html

from target_app.conditions import entity_tag
from target_app.forwarded import address_of
from target_app.landing.assets import FOLDER

router = APIRouter(include_in_schema=False)
_RESOURCES = files("fastapi_swagger") / "resources"
_ASSETS = {
    name: ((_RESOURCES / name).read_bytes(), media_type)
    for name, media_type in (
        ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("swagger-ui.css", "text/css; charset=utf-8"),
    )
}
_TAGS = {name: entity_tag(content) for name, (content, _) in _ASSETS.items()}
#: Open to all. The page uses relative addresses, so that it works below any prefix that a proxy puts before it.
PATHS = ("/docs", *(f"/docs/{name}" for name in _ASSETS))
#: Swagger UI uses style attributes, and FastAPI starts it by an inline script.
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}
_PAGE_FIELDS = {**_NO_SNIFFING, "Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"}


@router.get("/docs")
async def page(request: Request) -> Response:
    """Serve the page."""
    known = request.scope["root_path"]
    found = get_swagger_ui_html(
        openapi_url=address_of(request.scope, "/openapi.json") if known else "openapi.json",
        title=f"{request.app.title}: documentation",
        swagger_js_url="docs/swagger-ui-bundle.js",
        swagger_css_url="docs/swagger-ui.css",
        swagger_favicon_url=f"{FOLDER}/gauge.svg",
        swagger_ui_parameters={"validatorUrl": None},
    )
    found.headers.update(_PAGE_FIELDS)
    return found


@router.get("/docs/{name}")
async def asset(name: str) -> Response:
    """Serve one of Swagger UI's files."""
    if name not in _ASSETS:
        raise HTTPException(404)
    content, media_type = _ASSETS[name]
    fields = {**_NO_SNIFFING, "Cache-Control": "public, max-age=86400", "ETag": _TAGS[name]}
    return Response(content, headers=fields, media_type=media_type)
