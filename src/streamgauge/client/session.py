"""What one user keeps from stream to stream, connections and cookies, and how it drives an exchange."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from streamgauge.client.connect.dial import Route
from streamgauge.client.connect.routing import Network, RouteError
from streamgauge.client.connect.transport import Transport
from streamgauge.client.exchange import Exchange
from streamgauge.client.http.cookies import Cookies
from streamgauge.client.http.pool import MOST_IDLE, Connections, Key
from streamgauge.client.http.request import Request
from streamgauge.client.plan import StreamPlan
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.short.short_plan import ShortPlan
from streamgauge.client.short.short_stream import ShortStream
from streamgauge.wire.frame import MAX_QUOTED, one_line


class Session:
    """One user's side of its exchanges. It resolves names in the user's own time, since that may block.

    ``stopped_by`` is what a wait raises if the run is over. If it raises anything else, the scenario leaves the stream.
    """

    def __init__(self, network: Network | None = None, stopped_by: tuple[type[BaseException], ...] = ()) -> None:
        self._network = network or Network()
        self._stopped_by = stopped_by
        self._connections = Connections()
        self._cookies = Cookies()
        #: The last routes to origins, for as long as connections to them are kept: a name is looked up again only for a
        #: new connection. By origin, and whether a proxy would be asked for a tunnel.
        self._routes: dict[tuple[Key, bool], Route] = {}

    def run(self, exchange: Exchange, wait: Callable[[], None]) -> None:
        """Send the exchange's requests until it has ended. ``wait`` returns when it pauses."""
        self._drive(exchange, wait, partial(self.start, exchange))

    def short(self, plan: StreamPlan, context: ProcessContext, on_over: Callable[[], None]) -> ShortStream | None:
        """Return a stream that goes the short way; None if the next one of ``plan`` cannot, or is not likely to."""
        short_plan = ShortPlan.of(plan)
        if short_plan is None or not short_plan.likely or self._network.proxy is not None:
            return None
        request = self._cookies.added_to(plan.request)
        route = self._routes.get((request.target.origin, False))
        if route is None:
            return None
        take = self._connections.take_watched if request.repeatable else self._connections.take
        transport = take(request.target.origin)
        if transport is None:
            return None
        return ShortStream(plan, short_plan, context, (transport, route, request), on_over)

    def run_short(self, stream: ShortStream, wait: Callable[[], None]) -> None:
        """Run a stream that goes the short way to its end. ``wait`` returns when it calls its ``on_over``."""
        interrupted: BaseException | None = None
        try:
            stream.send()
            wait()
        except BaseException as error:
            interrupted = error
        if interrupted is None and stream.end():
            transport, _, request = stream.kept
            self._connections.keep(request.target.origin, transport)
        else:
            self._drive(stream.exchange(), wait, partial(_go_on_after, interrupted))

    def _drive(self, exchange: Exchange, wait: Callable[[], None], begin: Callable[[], None]) -> None:
        try:
            begin()
            wait()
            while self.go_on(exchange):
                wait()
        except BaseException as error:
            if not isinstance(error, self._stopped_by):
                exchange.leave(one_line(f"{type(error).__name__} {error}", MAX_QUOTED))
            raise
        finally:
            exchange.censor()
            self.finish(exchange)
            if (short_plan := ShortPlan.of(exchange.plan)) is not None:
                short_plan.note(exchange.record)

    def start(self, exchange: Exchange) -> None:
        """Send the exchange's next request."""
        request = self._cookies.added_to(exchange.request)
        key, tunnel = _key(exchange, request), exchange.plan.format.upgrade is not None
        known = self._routes.get((key, tunnel))
        if known is not None and (idle := self._idle(exchange, key)) is not None:
            exchange.send(known, request, idle)
            return
        exchange.delay.look_up()
        try:
            route = self._network.route_to(request.target, tunnel=tunnel)
        except RouteError as error:
            exchange.fail_to_route(str(error))
            return
        exchange.delay.looked_up()
        if window_bytes := exchange.plan.receive_window_bytes:
            route = replace(route, window_bytes=window_bytes)
        if len(self._routes) >= MOST_IDLE:
            self._routes.clear()
        self._routes[key, tunnel] = route
        exchange.send(route, request, self._idle(exchange, key))

    def _idle(self, exchange: Exchange, key: Key) -> Transport | None:
        return self._connections.take(key) if self._shares_connections(exchange) else None

    def go_on(self, exchange: Exchange) -> bool:
        """After a pause, send the exchange's next request. Return False if the exchange has ended."""
        self._cookies.take(exchange.sent_request.target, exchange.head)
        if exchange.ended:
            return False
        self.finish(exchange)
        self.start(exchange)
        return True

    def finish(self, exchange: Exchange) -> None:
        """Keep the connection that the exchange leaves open, if this user can use it again."""
        while exchange.reusable:
            transport = exchange.reusable.pop()
            if self._shares_connections(exchange):
                self._connections.keep(_key(exchange, exchange.sent_request), transport)
            else:
                transport.close()

    def _shares_connections(self, exchange: Exchange) -> bool:
        """Whether connections may be reused. Behind a proxy, tunnels and relayed connections are not the same."""
        return self._network.proxy is None or exchange.plan.format.upgrade is None

    def close(self) -> None:
        """Close the connections that are idle."""
        self._connections.close()


def _go_on_after(error: BaseException | None) -> None:
    """Go on, unless the wait for a stream raised."""
    if error is not None:
        raise error


def _key(exchange: Exchange, request: Request) -> Key:
    """Return what a connection must be for to serve this request: its receive window is that of its whole life."""
    window_bytes = exchange.plan.receive_window_bytes
    return (*request.target.origin, window_bytes) if window_bytes else request.target.origin
