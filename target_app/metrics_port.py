"""The metrics port of an app whose workers some other server starts: one of them opens it."""

import logging
import threading
import time

from starlette.types import ASGIApp, Receive, Scope, Send

from streamgauge.asgi import MetricsPortError, serve_metrics
from streamgauge.asgi.metrics_directory import metrics_directory

_LOG = logging.getLogger("uvicorn.error")
#: How soon another worker opens the port after the one that had it has ended.
_RETRY_S = 1.0


class WithMetricsPort:
    """Opens the metrics port when the server first calls ``app``, which is in the process of the worker."""

    def __init__(self, app: ASGIApp, port: int, host: str) -> None:
        self.app = app
        self._port = port
        self._host = host
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app."""
        if not self._begun:
            self._begun = True
            threading.Thread(target=self._open, name="target-app-metrics", daemon=True).start()
        await self.app(scope, receive, send)

    def _open(self) -> None:
        """Open the port. While another worker has it, wait for that worker's end if the workers share their metrics."""
        while True:
            try:
                url = serve_metrics(self._port, self._host).url
            except MetricsPortError as error:
                if metrics_directory() is None:
                    _LOG.error("%s; if another worker has it, set PROMETHEUS_MULTIPROC_DIR for all workers", error)
                    return
                time.sleep(_RETRY_S)
            else:
                _LOG.info("metrics at %s", url)
                return
