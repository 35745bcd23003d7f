"""How the requests of one stream get to the server: on a new connection, or on one that its user has kept."""

from functools import partial

from streamgauge.client.connect.dial import Dial, Route
from streamgauge.client.connect.transport import Transport
from streamgauge.client.connection import Connection
from streamgauge.client.http.request import Request
from streamgauge.client.plan import StreamPlan
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.read.timeouts import Timeouts
from streamgauge.client.recording import Recording
from streamgauge.client.standing import Standing
from streamgauge.client.start_delay import StartDelay
from streamgauge.client.states import AwaitingResponse, Connecting
from streamgauge.stats.outcome import Outcome


class Requesting(Standing):
    """The way of one stream from ``ROUTING`` to ``AWAITING_RESPONSE``, which it may go several times."""

    def __init__(self, plan: StreamPlan, context: ProcessContext, recording: Recording) -> None:
        super().__init__(recording)
        self.plan = plan
        #: The request to send next: the plan's, that of a redirect, or that of a reconnect.
        self.request: Request = plan.request
        #: The last request that was sent, with its cookies.
        self.sent_request: Request = plan.request
        #: Connections that may serve other requests. Whoever takes one owns it.
        self.reusable: list[Transport] = []
        self._context = context
        self._reactor, self._now_ns = context.reactor, context.process_stats.now_ns
        #: Whoever looks up the route says so.
        self.delay = StartDelay(context.cpu_waited_ns, self._now_ns)
        self._timeouts = Timeouts(plan.limits, self._timer, self._now_ns, self._reactor, self._on_check)
        #: Whether a request was sent on any connection.
        self._has_sent = False
        #: Redirects followed since the last connection that broke off.
        self._redirects = 0

    def send(self, route: Route, request: Request, idle: Transport | None = None) -> None:
        """Send ``request`` on an ``idle`` connection, or on a new one by ``route`` if that is None."""
        if self.ended:  # while the route was looked up
            if idle is not None:
                idle.close()
            return
        if self._has_sent:
            self.delay.resume()
        self.sent_request = request
        if idle is None:
            self._connect(route)
        else:
            self._send_on(idle, route, reused=True)

    def fail_to_route(self, reason: str) -> None:
        """Handle that there is no route. Does nothing if the stream has ended."""
        if not self.ended:
            self._fail_to_connect(reason)

    def go_on_from(self, transport: Transport, route: Route, request: Request, unsent: bytes) -> Connection:
        """Go on with a ``request`` that was sent on an idle connection but for ``unsent``.

        The connection's reader is to get what was read since.
        """
        self.sent_request = request
        connection = self._await_response(transport, route, reused=True).connection
        self._timeouts.wait()
        if unsent:
            connection.sending.send(unsent)
        return connection

    def _connect(self, route: Route) -> None:
        on_ready = partial(self._send_on, route=route, reused=False)
        dial = Dial(route, self._reactor, self.delay, on_ready, self._fail_to_connect)
        self._enter(Connecting(dial))
        dial.start()

    def _fail_to_connect(self, reason: str) -> None:
        self._end(Outcome.CONNECT_ERROR, reason)

    def _send_on(self, transport: Transport, route: Route, *, reused: bool) -> None:
        state = self._await_response(transport, route, reused=reused)
        request = state.encode(self.sent_request)
        transport.expect()
        self.delay.send()
        self._timer.delay(self.delay, self._now_ns())
        state.connection.sending.send(request)

    def _await_response(self, transport: Transport, route: Route, *, reused: bool) -> AwaitingResponse:
        self._has_sent = True
        how = transport, self._context, self._receive_head, self._on_error
        rate = self.plan.read_rate
        connection = Connection.watched(*how) if rate is None else Connection.paced(*how, rate, self._timer)
        state = AwaitingResponse(connection, route, self.plan.opening(), reused)
        self._enter(state)
        return state

    def _receive_head(self, data: bytes, arrival_ns: int) -> None:
        """Handle one read before the body; ``b""`` is the peer's clean end."""
        raise NotImplementedError

    def _on_error(self, error: OSError) -> None:
        raise NotImplementedError

    def _on_check(self) -> None:
        """Check whether the stream has exceeded a limit."""
        raise NotImplementedError

    def _end(self, outcome: Outcome, reason: str) -> None:
        raise NotImplementedError
