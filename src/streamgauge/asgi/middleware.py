"""The middleware: which scopes are measured, by which recorder, under which route."""

import asyncio
from collections.abc import Callable

from prometheus_client import REGISTRY, CollectorRegistry

from streamgauge.asgi.http_responder import Exchange
from streamgauge.asgi.instruments import Instruments
from streamgauge.asgi.interface import App, Message, Receive, Scope, Send
from streamgauge.asgi.multiprocess import check_values
from streamgauge.asgi.notes import Notes
from streamgauge.asgi.recorder import Recorder
from streamgauge.asgi.routes import RouteTemplates
from streamgauge.asgi.stamps import Stamper
from streamgauge.asgi.websocket_responder import Conversation


class StreamMetrics:
    """Measures the streams and requests of ``app``, any ASGI 3 application on asyncio.

    ``registry``, or ``instruments``: where the metrics go; prometheus_client's own registry if neither is given.
    ``route``: gives the ``route`` label for a scope; by default the route template, as Starlette and FastAPI know it,
    and ``none`` elsewhere. It must come from a small set, so never from the URL.
    ``give_way_s``: a stream that keeps the event loop from its timers for longer lets others run after its next chunk,
    so that no generator that never awaits can hold the loop for good.
    ``stamps``: whether a client may ask for send stamps in event streams (see ``streamgauge.asgi.stamps``), by which it
    measures chunk delay. They tell the server's clock to the nanosecond and make events about 30 bytes longer, and so
    are off unless the service's owner wants them. Compressed responses and those with a Content-Length have none.

    A response streams if its content type is a streaming one, if it says ``X-Accel-Buffering: no``, or if its first
    body message is not the whole body. All others are requests. An accepted WebSocket is a stream of messages.
    """

    def __init__(
        self,
        app: App,
        *,
        registry: CollectorRegistry = REGISTRY,
        instruments: Instruments | None = None,
        route: Callable[[Scope], str] | None = None,
        give_way_s: float = 0.1,
        stamps: bool = False,
    ) -> None:
        check_values()
        self.app = app
        self._instruments = instruments or Instruments.of(registry)
        self._route = route
        self._give_way_s = give_way_s
        self._stamps = stamps
        self._templates: RouteTemplates | None = None
        self._recorders: dict[asyncio.AbstractEventLoop, Recorder] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app for one scope; one that another ``StreamMetrics`` measures already passes."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif scope["type"] in ("http", "websocket") and Notes.on(scope) is None:
            recorder, route = self._recorder(), self._route_finder(scope)
            notes = Notes(route, recorder.rejected)
            notes.attach(scope)
            if scope["type"] == "websocket":
                await Conversation(scope, receive, send, recorder, route, notes).run(self.app)
                return
            stamper = Stamper.asked_for(scope) if self._stamps else None
            await Exchange(scope, receive, send, recorder, route, notes, stamper).run(self.app)
        else:
            await self.app(scope, receive, send)

    def _recorder(self) -> Recorder:
        loop = asyncio.get_running_loop()
        found = self._recorders.get(loop)
        if found is None:
            self._drop_orphans()
            found = self._recorders[loop] = Recorder(self._instruments, self._give_way_s)
        return found

    def _drop_orphans(self) -> None:
        """Let go of the recorders whose loop is closed, once all they hold is in the registry."""
        for loop, recorder in list(self._recorders.items()):
            if loop.is_closed():
                recorder.flush_for_scrape(0)
                self._recorders.pop(loop, None)

    def _route_finder(self, scope: Scope) -> Callable[[], str]:
        """What tells the route once the app has chosen it."""
        if self._route is not None:
            route = self._route
            return lambda: route(scope)
        if self._templates is None:
            self._templates = RouteTemplates(scope.get("app") or self.app)
        templates = self._templates
        return lambda: templates.of(scope)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the lifespan on; the recorder starts with the app and stops with it."""
        recorder = self._recorder()
        recorder.start()  # it is stopped where this loop has seen a lifespan's end before

        async def send_and_stop(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown."):
                recorder.stop()
            await send(message)

        await self.app(scope, receive, send_and_stop)
