"""The application: its endpoints behind its guards. The instruments are put around it in ``worker``."""

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
from target_app.guard.admission import AdmissionControl
from target_app.guard.middleware import Guard
from target_app.guard.openapi import with_keys
from target_app.landing import assets
from target_app.landing import routes as landing
from target_app.landing.page import Page
from target_app.producer import StreamCutError, StreamLimits
from target_app.sample_files import SampleFiles, make_sample_files
from target_app.settings import Settings
from target_app.shutdown import Shutdown
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

#: Open to all at any time; every other path is guarded.
OPEN_PATHS = (
    *("/", "/healthz", "/readyz", "/openapi.json"),
    *documentation.PATHS,
    *assets.PATHS,
)
#: The streams, in the order of the documentation.
_ROUTERS = (sse, ndjson, text, binary, files, multipart, websocket, chat, sync, native, pathologies)

_DESCRIPTION = """A river gauge that streams its readings in each wire format.

Every stream takes the same knobs: `chunks`, `interval_ms`, `jitter` and `chunk_bytes` set what is sent and when;
`fail_at` and `fail_how` make the stream fail; `seed` makes random values repeatable. A value out of range and an
unknown parameter get status 422.

While a stream is silent, heartbeats keep its connection open if the format has them. A stream that lasts too long ends
with an error inside it; when the service shuts down, streams end with their end marker. Metrics have their own port.
"""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """Make the sample files if none were given, and the page, before the first request: no stream waits for them."""
    given = app.state.sample_files
    with ExitStack() as stack:
        app.state.sample_files = given or await to_thread.run_sync(stack.enter_context, make_sample_files())
        await to_thread.run_sync(getattr, app.state.page, "html")
        yield
        app.state.sample_files = given


def create_app(settings: Settings | None = None, files: SampleFiles | None = None) -> FastAPI:
    """Make the app, without instruments. ``settings`` default to the environment, ``files`` to new ones."""
    settings = settings or Settings()
    app = FastAPI(
        title="streamgauge target app",
        version=__version__,
        summary="One stream per wire format, each with the same knobs.",
        description=_DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,  # FastAPI's own pages load scripts from another host
        redoc_url=None,
        openapi_tags=[
            {"name": "streams", "description": "One for each wire format; use them as examples."},
            {"name": "native", "description": "The same, encoded by FastAPI: less code, and slower."},
            {"name": "pathologies", "description": "What no service should do, to show its symptoms. Do not copy."},
            {"name": "service", "description": "Health, readiness and the list of streams."},
        ],
    )
    for module in _ROUTERS:
        app.include_router(module.router)
    app.add_exception_handler(WebSocketRequestValidationError, websocket.reject_knobs)

    logging.getLogger("uvicorn.error").addFilter(StreamCutError.shorten)
    app.include_router(health.router)
    app.include_router(documentation.router)
    app.include_router(landing.router)
    app.state.settings = settings
    app.state.sample_files = files
    app.state.shutdown = Shutdown()
    app.state.stream_limits = StreamLimits(app.state.shutdown, settings.max_stream_s, settings.heartbeat_s)
    app.state.blocking = asyncio.Lock()
    app.state.admission = AdmissionControl(settings)
    app.add_middleware(Guard, app.state.admission, settings, OPEN_PATHS)
    if settings.api_keys:
        app.openapi = with_keys(app, OPEN_PATHS)  # type: ignore[method-assign]
    if settings.cors_origins:
        _allow_origins(app, settings)
    app.state.page = Page(app.openapi, needs_key=bool(settings.api_keys))
    return app


def _allow_origins(app: FastAPI, settings: Settings) -> None:
    """Let pages of other origins read the streams, and refusals too, so that a page can show the reason."""
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "HEAD", "POST"],
        allow_headers=["Authorization", "Last-Event-ID", "X-API-Key"],
        expose_headers=["Retry-After"],
    )
