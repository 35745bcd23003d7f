"""The application: its endpoints, put together. What measures it is put around it where it is served."""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from anyio import to_thread
from fastapi import FastAPI

from streamgauge import __version__
from target_app.library import KINDS, Library
from target_app.streams import binary, files, ndjson, sse, text

STREAMS = ("/stream/sse", "/stream/ndjson", "/stream/text", "/stream/bytes", "/stream/file/{name}")


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """The files live as long as the app does."""
    with tempfile.TemporaryDirectory(prefix="target_app-") as folder:
        app.state.library = Library(Path(folder))
        await to_thread.run_sync(app.state.library.write)
        yield


def create_app() -> FastAPI:
    """The app, without instruments."""
    app = FastAPI(
        title="streamgauge target app",
        version=__version__,
        summary="One stream per wire format, each with the same knobs.",
        description="A river gauge that streams its readings. Every stream takes `chunks`, `interval_ms` and "
        "`chunk_bytes`; what is out of range is refused with status 422. Metrics are on a port of their own.",
        lifespan=_lifespan,
        openapi_tags=[
            {"name": "streams", "description": "The streams."},
            {"name": "service", "description": "What a service needs beside them."},
        ],
    )
    for module in (sse, ndjson, text, binary, files):
        app.include_router(module.router)

    @app.get("/healthz", tags=["service"], summary="Whether the app serves")
    async def healthz() -> dict[str, str]:
        """Answers as long as the event loop does."""
        return {"status": "ok"}

    @app.get("/", tags=["service"], summary="What there is")
    async def index() -> dict[str, object]:
        """The streams and their files."""
        return {"streams": STREAMS, "files": sorted(KINDS), "docs": "/docs", "health": "/healthz"}

    return app
