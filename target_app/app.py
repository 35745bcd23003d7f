"""The application: its endpoints behind its guards. What measures it is put around it where it is served."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI
from fastapi.exceptions import WebSocketRequestValidationError
from starlette.middleware.cors import CORSMiddleware

from streamgauge import __version__
from target_app import documentation, health
from target_app.guard.documentation import with_keys
from target_app.guard.gate import Gate
from target_app.guard.middleware import Guard
from target_app.landing import assets
from target_app.landing import routes as landing
from target_app.landing.page import Page
from target_app.library import Library, written
from target_app.producing import StreamCutError, Terms
from target_app.settings import Settings
from target_app.shutdown import Closing
from target_app.streams import (
    binary,
    chat,
    files,
    multipart,
    native,
    ndjson,
    pathologies,
    sse,
    sync,
    text,
    websocket,
)

#: What anybody may ask for at any time; all else is guarded.
OPEN_PATHS = (
    *("/", "/healthz", "/readyz", "/openapi.json"),
    *documentation.PATHS,
    *assets.PATHS,
)
#: The modules of the streams, in the order of the documentation.
_ROUTERS = (sse, ndjson, text, binary, files, multipart, websocket, chat, sync, native, pathologies)

_DESCRIPTION = """A river gauge that streams its readings, once for each wire format.

Every stream takes the same knobs: `chunks`, `interval_ms`, `jitter` and `chunk_bytes` say what is sent and when;
`fail_at` and `fail_how` make it fail; `seed` makes chance repeatable. What is out of range, and any other parameter, is
refused with status 422.

Silence is kept alive by heartbeats where the format has such a thing. A stream that lasts too long ends with an error
inside it, and one that the service ends, because it is ending itself, with its end marker. Metrics are on a port of
their own.
"""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """Files that were not there before live as long as the app does. The page is made beforehand: no stream waits."""
    given = app.state.library
    with ExitStack() as stack:
        app.state.library = given or await to_thread.run_sync(stack.enter_context, written())
        await to_thread.run_sync(getattr, app.state.page, "html")
        yield
        app.state.library = given


def create_app(settings: Settings | None = None, library: Library | None = None) -> FastAPI:
    """Make the app, without instruments. ``settings`` come from the environment if not given, ``library`` is made."""
    settings = settings or Settings()
    app = FastAPI(
        title="streamgauge target app",
        version=__version__,
        summary="One stream per wire format, each with the same knobs.",
        description=_DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,  # FastAPI's own pages load their scripts from another host
        redoc_url=None,
        openapi_tags=[
            {"name": "streams", "description": "One for each wire format, and what to copy."},
            {"name": "native", "description": "The same, as FastAPI encodes it: less to write, and slower."},
            {"name": "pathologies", "description": "What no service should do, to see its signs. Not to be copied."},
            {"name": "service", "description": "What a service needs beside them."},
        ],
    )
    for module in _ROUTERS:
        app.include_router(module.router)
    app.add_exception_handler(WebSocketRequestValidationError, websocket.refuse_knobs)

    logging.getLogger("uvicorn.error").addFilter(StreamCutError.shorten)
    app.include_router(health.router)
    app.include_router(documentation.router)
    app.include_router(landing.router)
    app.state.settings = settings
    app.state.library = library
    app.state.closing = Closing()
    app.state.terms = Terms(app.state.closing, settings.max_stream_s, settings.heartbeat_s)
    app.state.blocking = asyncio.Lock()
    app.state.gate = Gate(settings)
    app.add_middleware(Guard, app.state.gate, settings, OPEN_PATHS)
    if settings.api_keys:
        app.openapi = with_keys(app, OPEN_PATHS)  # type: ignore[method-assign]
    if settings.cors_origins:
        _share(app, settings)
    app.state.page = Page(app.openapi, needs_key=bool(settings.api_keys))
    return app


def _share(app: FastAPI, settings: Settings) -> None:
    """Let pages of other origins read the streams; answers that refuse them too, so that a page can tell why."""
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "HEAD", "POST"],
        allow_headers=["Authorization", "Last-Event-ID", "X-API-Key"],
        expose_headers=["Retry-After"],
    )
