"""The middleware: which scopes are measured, by which recorder, under which route."""

import asyncio
import logging
from collections.abc import Callable

from prometheus_client import REGISTRY, CollectorRegistry

from streamgauge.asgi.app_marks import AppMarks
from streamgauge.asgi.http_responder import HttpResponder
from streamgauge.asgi.instruments import Instruments
from streamgauge.asgi.interface import App, Receive, Scope, Send
from streamgauge.asgi.lifespan import Lifespan
from streamgauge.asgi.metrics_directory import check_values
from streamgauge.asgi.recorder import Recorder
from streamgauge.asgi.route_callback import RouteCallback
from streamgauge.asgi.routes import RouteTemplates
from streamgauge.asgi.stamps import Stamper
from streamgauge.asgi.websocket_responder import WebsocketResponder

logger = logging.getLogger("streamgauge.asgi")
_NOT_ASYNCIO = (
    "StreamMetrics measures apps on asyncio only, and this server runs another event loop, so its streams are not "
    "measured; start the server on asyncio, such as hypercorn with --worker-class asyncio"
)


class StreamMetrics:
    """Middleware that measures the streams and requests of ``app``, any ASGI 3 application on asyncio.

    ``registry``, or ``instruments``: where the metrics go; by default prometheus_client's own registry.
    ``route``: returns the ``route`` label for a scope. By default the label is the route template that Starlette,
    FastAPI or Litestar has chosen, and ``none`` for other frameworks. Labels must come from a small set, so never
    return the URL. If it raises an error, the label is ``none``.
    ``yield_after_s``: when a stream has kept the event loop from running anything else for so many seconds, it yields
    to the loop after its next chunk. So an app that never awaits cannot block the loop forever.
    ``stamps``: whether a client may ask for send stamps in event streams (see ``streamgauge.asgi.stamps``), with which
    it measures chunk delay. Off by default: stamps reveal the server's clock to the nanosecond, and make events about
    30 bytes longer. Compressed responses and those with a Content-Length have no stamps.
    ``requests``: whether ``http_server_request_duration_seconds`` is among the metrics. Raises ``MultiprocessError`` if
    ``PROMETHEUS_MULTIPROC_DIR`` names no directory that can be used, and ``ValueError`` if the registry already has one
    of the names.

    A response streams if its content type is a streaming one, if it has ``X-Accel-Buffering: no``, or if its first body
    message is not the whole body. All other responses count as requests. An accepted WebSocket is a stream of messages.
    """

    def __init__(
        self,
        app: App,
        *,
        registry: CollectorRegistry = REGISTRY,
        instruments: Instruments | None = None,
        route: Callable[[Scope], str] | None = None,
        yield_after_s: float = 0.1,
        stamps: bool = False,
        requests: bool = True,
    ) -> None:
        check_values()
        self.app = app
        self._instruments = instruments or Instruments.of(registry, requests=requests)
        self._instruments.wrapped_apps += 1
        if not requests:
            self._instruments.leave_out_requests()
        self._route = RouteCallback(route) if route else None
        self._yield_after_s = yield_after_s
        self._stamps = stamps
        self._templates: RouteTemplates | None = None
        self._recorders: dict[asyncio.AbstractEventLoop, Recorder] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app for one scope. Measure it, unless another ``StreamMetrics`` does so already."""
        recorder = self._recorder()
        if recorder is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "lifespan":
            recorder.start()  # an earlier lifespan on this loop may have stopped it
            await Lifespan(self.app, receive, send, recorder.shut_down).run(scope)
        elif scope["type"] in ("http", "websocket") and AppMarks.of(scope) is None:
            route = self._route_finder(scope)
            marks = AppMarks(route, recorder.count_rejected)
            marks.attach(scope)
            if scope["type"] == "websocket":
                await WebsocketResponder(scope, receive, send, recorder, route, marks).run(self.app)
                return
            stamper = Stamper.for_request(scope) if self._stamps else None
            await HttpResponder(scope, receive, send, recorder, route, marks, stamper).run(self.app)
        else:
            await self.app(scope, receive, send)

    def _recorder(self) -> Recorder | None:
        """Return the recorder of the running event loop; None if that is not asyncio's."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            if not self._instruments.obstacle:
                self._instruments.obstacle = _NOT_ASYNCIO
                logger.error(_NOT_ASYNCIO)
            return None
        found = self._recorders.get(loop)
        if found is None:
            self._drop_closed_loops()
            found = self._recorders[loop] = Recorder(self._instruments, self._yield_after_s)
        return found

    def _drop_closed_loops(self) -> None:
        """Drop the recorders of closed loops, after a flush."""
        for loop, recorder in list(self._recorders.items()):
            if loop.is_closed():
                recorder.stop()
                self._recorders.pop(loop, None)

    def _route_finder(self, scope: Scope) -> Callable[[], str]:
        """Return a function that returns the route of ``scope``; it is called after the app has chosen the route."""
        if self._route is not None:
            route = self._route
            return lambda: route(scope)
        if self._templates is None:
            self._templates = RouteTemplates(scope.get("app") or self.app)
        templates = self._templates
        return lambda: templates.of(scope)
