"""``/``: a page for people and JSON for programs; and the files of the page."""

from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from target_app.forwarded import address_of
from target_app.landing.assets import ASSETS, TAGS, VERSION
from target_app.landing.page import Page
from target_app.negotiation import prefers_html
from target_app.sample_files import FILES
from target_app.streams.catalogue import STREAMS

router = APIRouter()
_NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}
_PAGE_FIELDS = {
    **_NO_SNIFFING,
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
    "Vary": "Accept",
}
_FOREVER = {**_NO_SNIFFING, "Cache-Control": "public, max-age=31536000, immutable"}


@router.get(
    "/",
    tags=["service"],
    summary="List the streams",
    response_model=dict[str, object],
    responses={200: {"description": "For browsers, a page that plays the streams.", "content": {"text/html": {}}}},
)
async def index(request: Request, accept: Annotated[str, Header(include_in_schema=False)] = "") -> Response:
    """The streams and their files."""
    if prefers_html(accept):
        page: Page = request.app.state.page
        html, tag = await page.open()
        return HTMLResponse(html, headers={**_PAGE_FIELDS, "ETag": tag})
    streams = [{**stream.entry(), "path": address_of(request.scope, stream.path)} for stream in STREAMS]
    docs, health = (address_of(request.scope, path) for path in ("/docs", "/healthz"))
    found = {"streams": streams, "files": sorted(FILES), "docs": docs, "health": health}
    return JSONResponse(found, headers={"Vary": "Accept"})


@router.get("/landing/{version}/{name}", include_in_schema=False)
async def asset(version: str, name: str) -> Response:
    """Serve one of the page's files."""
    if version != VERSION or name not in ASSETS:
        raise HTTPException(404)
    content, media_type = ASSETS[name]
    return Response(content, headers={**_FOREVER, "ETag": TAGS[name]}, media_type=media_type)
