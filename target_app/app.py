"""The application: its endpoints behind its guards. ``instrumented`` puts the instruments around it."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import WebSocketRequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from streamgauge import __version__
from target_app import documentation, health
from target_app.conditions import Conditions
from target_app.drain import Drain
from target_app.first_request import FirstRequest
from target_app.forwarded import Forwarded
from target_app.guard.admission import AdmissionControl
from target_app.guard.middleware import Guard
from target_app.head import Head, answer_http_error
from target_app.landing import assets
from target_app.landing import routes as landing
from target_app.landing.page import Page
from target_app.openapi import document_of
from target_app.producer import StreamCutError, StreamLimits
from target_app.sample_files import FileShelf, SampleFiles
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


#: What a page of another origin may read of a response. Browsers that do not know ``*`` need the names.
_EXPOSED_FIELDS = (
    *("*", "Accept-Ranges", "Content-Encoding", "Content-Length", "Content-Range", "ETag", "Retry-After"),
    *("Streamgauge-Stamps", "Vary", "WWW-Authenticate"),
)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """Make the files and the page before the first request, so that no stream waits for them; follow the signals.

    A server may have no lifespan: then each of these comes with the first request that needs it.
    """
    app.state.drain.follow()
    await app.state.files.open()
    await app.state.page.open()
    try:
        yield
    finally:
        app.state.files.close()


def create_app(settings: Settings | None = None, files: SampleFiles | None = None, *, lifeline: int = -1) -> FastAPI:
    """Make the app, without instruments. ``settings`` default to the environment, ``files`` to new ones.

    ``lifeline``: see ``Drain``.
    """
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
    app.add_exception_handler(HTTPException, answer_http_error)

    logging.getLogger("uvicorn.error").addFilter(StreamCutError.shorten)
    app.include_router(health.router)
    app.include_router(documentation.router)
    app.include_router(landing.router)
    app.state.files = FileShelf(files)
    app.state.shutdown = Shutdown()
    app.state.stream_limits = StreamLimits(app.state.shutdown, settings.max_stream_s, settings.heartbeat_s)
    app.state.blocking = asyncio.Lock()
    app.state.admission = AdmissionControl(settings)
    app.state.drain = Drain(settings, app.state.admission, app.state.shutdown, lifeline=lifeline)
    _add_middleware(app, settings)
    app.openapi = document_of(app, OPEN_PATHS, needs_key=bool(settings.api_keys))  # type: ignore[method-assign]
    app.state.page = Page(app.openapi, needs_key=bool(settings.api_keys))
    return app


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """Put the middleware around the endpoints: the last is the outermost."""
    app.add_middleware(Conditions)
    app.add_middleware(Head)
    app.add_middleware(Guard, app.state.admission, settings, OPEN_PATHS)
    if settings.cors_origins:
        _allow_origins(app, settings)
    app.add_middleware(Forwarded, settings.trusted_proxies, settings.root_path)
    app.add_middleware(FirstRequest, app.state.drain.follow)


def _allow_origins(app: FastAPI, settings: Settings) -> None:
    """Let pages of other origins read the streams, and refusals too, so that a page can show the reason.

    A page may send any field: client libraries and tracers add their own, and none is a credential of the browser.
    """
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "HEAD", "POST"],
        allow_headers=["*"],
        allow_private_network=True,
        expose_headers=_EXPOSED_FIELDS,
    )
