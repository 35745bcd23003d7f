"""What one user carries from stream to stream, connections and cookies, and how it drives an exchange."""

from collections.abc import Callable

from streamgauge.client.connect.routing import Network, RouteError
from streamgauge.client.exchange import Exchange
from streamgauge.client.http.cookies import Cookies
from streamgauge.client.http.pool import Connections


class Session:
    """One user's side of its exchanges. Names are resolved here, in the user's own time."""

    def __init__(self, network: Network | None = None) -> None:
        self._network = network or Network()
        self._connections = Connections()
        self._cookies = Cookies()

    def run(self, exchange: Exchange, wait: Callable[[], None]) -> None:
        """Ask, and follow redirects, until ``exchange`` has ended; ``wait`` returns when it pauses."""
        try:
            self.ask(exchange)
            wait()
            while self.go_on(exchange):
                wait()
        finally:
            exchange.censor()  # where it has not ended, the caller is being stopped: the run is over
            self.finish(exchange)

    def ask(self, exchange: Exchange) -> None:
        """Send the exchange's request."""
        request = self._cookies.added_to(exchange.request)
        try:
            route = self._network.route_to(request.target, tunnel=exchange.plan.format.upgrade is not None)
        except RouteError as error:
            exchange.fail_to_connect(str(error))
            return
        kept = self._connections.take(request.target.origin) if self._shares_connections(exchange) else None
        exchange.ask(route, kept, request)

    def go_on(self, exchange: Exchange) -> bool:
        """After a pause: whether the exchange has not ended and has been asked anew, elsewhere or once more."""
        self._cookies.take(exchange.asked.target, exchange.head)
        if exchange.record is not None:
            return False
        self.finish(exchange)
        self.ask(exchange)
        return True

    def finish(self, exchange: Exchange) -> None:
        """Keep the connection of an exchange that is done with it, where it can be kept."""
        if exchange.reusable is None:
            return
        if self._shares_connections(exchange):
            self._connections.keep(exchange.asked.target.origin, exchange.reusable)
        else:
            exchange.reusable.close()
        exchange.reusable = None

    def _shares_connections(self, exchange: Exchange) -> bool:
        """What goes through a proxy's tunnel cannot use a connection on which the proxy relays, and the reverse."""
        return self._network.proxy is None or exchange.plan.format.upgrade is None

    def close(self) -> None:
        """Close the connections that are idle."""
        self._connections.close()
