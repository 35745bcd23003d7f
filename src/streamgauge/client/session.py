"""What one user keeps from stream to stream, connections and cookies, and how it drives an exchange."""

from collections.abc import Callable
from dataclasses import replace

from streamgauge.client.connect.dial import Route
from streamgauge.client.connect.routing import Network, RouteError
from streamgauge.client.connect.transport import Transport
from streamgauge.client.exchange import Exchange
from streamgauge.client.http.cookies import Cookies
from streamgauge.client.http.pool import MOST_IDLE, Connections, Key
from streamgauge.client.http.request import Request
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
        try:
            self.start(exchange)
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

    def start(self, exchange: Exchange) -> None:
        """Send the exchange's next request."""
        request = self._cookies.added_to(exchange.request)
        key, tunnel = _key(exchange, request), exchange.plan.format.upgrade is not None
        known = self._routes.get((key, tunnel))
        if known is not None and (idle := self._idle(exchange, key)) is not None:
            exchange.send(known, request, idle)
            return
        try:
            route = self._network.route_to(request.target, tunnel=tunnel)
        except RouteError as error:
            exchange.fail_to_route(str(error))
            return
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


def _key(exchange: Exchange, request: Request) -> Key:
    """Return what a connection must be for to serve this request: its receive window is that of its whole life."""
    window_bytes = exchange.plan.receive_window_bytes
    return (*request.target.origin, window_bytes) if window_bytes else request.target.origin
