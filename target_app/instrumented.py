"""The app as it is served: the instruments around it, and the compression around these.

The instruments count the app's own chunks and bytes, and the time of compression as a part of the send time.
"""

from fastapi import FastAPI
from starlette.types import ASGIApp

from streamgauge.asgi import StreamMetrics
from target_app.compression import Compression
from target_app.settings import Settings


def instrumented(app: FastAPI, settings: Settings) -> ASGIApp:
    """Put the instruments and the compression around ``app``."""
    measured: ASGIApp = StreamMetrics(app, stamps=True)
    return Compression(measured, settings.compress_from_bytes) if settings.compression else measured
