"""One stream from its request to its outcome: a state machine that the callbacks of an event loop drive.

``streamgauge.client.states`` has its states and transitions. Reading starts with the connection, since a server may
answer before it has the whole request. What goes wrong is an outcome in the record, never an exception. What the
scenario's own callables raise ends the stream and goes back to the caller.
"""

from collections.abc import Callable
from functools import partial

from streamgauge.client.connect.dial import Dial, Route, is_tls_failure, words
from streamgauge.client.connect.transport import Transport
from streamgauge.client.http.pool import may_serve_another
from streamgauge.client.http.redirect import came_whole, is_redirect, redirected
from streamgauge.client.http.request import Request, RequestError
from streamgauge.client.http.sending import Sending
from streamgauge.client.opening import opening_of
from streamgauge.client.plan import StreamPlan
from streamgauge.client.read.body import BodyReader
from streamgauge.client.read.connection_reader import ConnectionReader
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.read.stream_reader import StreamReader
from streamgauge.client.read.timeouts import Timeouts
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.client.reconnect import Reconnects
from streamgauge.client.recording import Received, record_of
from streamgauge.client.start_delay import StartDelay
from streamgauge.client.states import (
    AnyState,
    AwaitingResponse,
    Closing,
    Connecting,
    Connection,
    Ended,
    Routing,
    State,
    StateError,
    Streaming,
    WaitingToReconnect,
    check_transition,
)
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.wire.decoder import protocol_of
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.http1_head import Head
from streamgauge.wire.websocket import WebSocketBody

#: How long to wait for a peer that does not answer the close of a WebSocket. RFC 6455 section 7.1.1 asks for a
#: reasonable time; a peer that reads at all answers within a round trip, and most libraries wait 10 s.
CLOSING_S = 10.0


class Exchange:
    """One stream. It begins in the state ``ROUTING``.

    ``on_pause`` is called when the stream has ended, and when it is in ``ROUTING`` again and waits for :meth:`send` to
    send its next ``request``: after a redirect, or to reconnect.
    """

    def __init__(self, plan: StreamPlan, context: ProcessContext, on_pause: Callable[[], None]) -> None:
        self.plan = plan
        #: The request to send next.
        self.request: Request = plan.request
        #: The last request that was sent, with its cookies.
        self.sent_request: Request = plan.request
        #: Connections that may serve other requests. Whoever takes one owns it.
        self.reusable: list[Transport] = []
        self._context, self._on_pause = context, on_pause
        self._reactor, self._now_ns = context.reactor, context.process_stats.now_ns
        self._protocol = plan.protocol
        self._stats = context.process_stats.begin(plan.name, plan.protocol)
        self._delay = StartDelay(context.cpu_waited_ns, self._now_ns)
        self._timer = ChunkTimer(self._stats, self._now_ns(), round(plan.limits.stall_threshold_s * 1e9))
        self._timeouts = Timeouts(plan.limits, self._timer, self._now_ns, self._reactor, self._on_check)
        self._received = Received(plan)
        self._reconnects = Reconnects(plan)
        #: Redirects followed since the last connection that broke off.
        self._redirects = 0
        self._state: AnyState = Routing()

    # For the user's side

    @property
    def state(self) -> State:
        """Where the stream stands."""
        return self._state.name

    @property
    def ended(self) -> bool:
        """Whether the stream has its record."""
        return isinstance(self._state, Ended)

    @property
    def record(self) -> StreamRecord:
        """The record of a stream that has ended. Raises StateError for any other."""
        return self._end_state.record

    def result(self) -> StreamRecord:
        """Return the record of a stream that has ended; raise what a callable of the scenario raised."""
        state = self._end_state
        if state.error is not None:
            raise state.error
        return state.record

    @property
    def _end_state(self) -> Ended:
        if not isinstance(self._state, Ended):
            raise StateError(f"only a stream that has ended has a record, and this one is {self.state}")
        return self._state

    @property
    def head(self) -> Head | None:
        """The head of the last response; None if none came."""
        return self._received.head

    def send(self, route: Route, request: Request, idle: Transport | None = None) -> None:
        """Send ``request`` on an ``idle`` connection, or on a new one by ``route`` if that is None."""
        if self.ended:  # while the route was looked up
            if idle is not None:
                idle.close()
            return
        if self._redirects:
            self._delay.resume()
        self.sent_request = request
        if idle is None:
            self._connect(route)
        else:
            self._send_on(idle, route, reused=True)

    def fail_to_route(self, reason: str) -> None:
        """Handle that there is no route. Does nothing if the stream has ended."""
        if not self.ended:
            self._fail_to_connect(reason)

    def censor(self) -> None:
        """End a stream that outlasts the run. What has arrived by now counts. Does nothing if it has ended."""
        if not self.ended:
            self._catch_up()
        if not self.ended:
            self._end(Outcome.CENSORED, "the run ended first")

    # Transitions

    def _enter(self, state: AnyState) -> None:
        check_transition(self._state.name, state.name)
        self._state = state

    def _connect(self, route: Route) -> None:
        on_ready = partial(self._send_on, route=route, reused=False)
        dial = Dial(route, self._reactor, self._delay, on_ready, self._fail_to_connect)
        self._enter(Connecting(dial))
        dial.start()

    def _fail_to_connect(self, reason: str) -> None:
        self._end(Outcome.CONNECT_ERROR, reason)

    def _send_on(self, transport: Transport, route: Route, *, reused: bool) -> None:
        clock, lag = self._context.clock, self._context.process_stats.lag
        reader = ConnectionReader(transport, self._reactor, clock, lag, self._receive_head, self._on_error)
        sending, opening = Sending(transport, self._reactor), opening_of(self.plan)
        self._enter(AwaitingResponse(Connection(transport, reader, sending), route, opening, reused))
        request = self.sent_request.encode(
            absolute=route.absolute, proxy_authorization=route.proxy_authorization, upgrade=opening.upgrade
        )
        self._delay.send()
        self._timer.delay(self._delay, self._now_ns())
        sending.send(request)

    def _redirect(self, state: AwaitingResponse, head: Head) -> None:
        """Pause until the request is sent to where the response points. Raises ProtocolError if it cannot be."""
        self.request = redirected(self.request, head)
        self._reconnects.redirected(self.request)
        self._redirects += 1
        connection = state.connection
        whole = came_whole(self.sent_request, head, state.head_parser.rest, connection.transport)
        self._release(connection, reusable=whole)
        self._enter(Routing())
        self._on_pause()

    def _stream(self, state: AwaitingResponse, head: Head) -> None:
        """Begin to read a response whose body is the stream. Raises ProtocolError for one that cannot be read."""
        if self._protocol == "auto":
            self._protocol = protocol_of(head.fields.get("content-type", ""))
            self._stats = self._context.process_stats.resettle(self._stats, self.plan.name, self._protocol)
            self._timer.count_in(self._stats)
        framing, connection, timer = state.opening.framing(head), state.connection, self._timer
        body = BodyReader(self.plan, head, self._protocol, framing, self._stats, timer, self._received.sequence)
        clock, receive = self._context.clock, self._receive_body
        reader = StreamReader(connection.reader, connection.transport, body, timer, clock, receive)
        websocket = framing if isinstance(framing, WebSocketBody) else None
        self._enter(Streaming(connection, head, body, reader, websocket))

    def _close(self, state: Streaming) -> None:
        """Wait for the peer's close of a WebSocket that was closed from here."""
        self._timeouts.stop()
        deadline = self._reactor.after(CLOSING_S, partial(self._on_closed, ""))
        self._enter(Closing(state.connection, state.head, state.body, state.reader, state.websocket, deadline))

    def _reconnect(self) -> None:
        """Pause until the request is sent again."""
        try:
            self.request = self._reconnects.next_request()
        except RequestError as error:
            self._end(Outcome.PROTOCOL_ERROR, str(error))
        else:
            self._enter(Routing())
            self._on_pause()

    def _end(
        self, outcome: Outcome, reason: str, arrival_ns: int | None = None, error: Exception | None = None
    ) -> None:
        """End the stream, or only its connection if another one may follow."""
        state = self._state
        end_ns = self._now_ns() if arrival_ns is None else arrival_ns
        if isinstance(state, Streaming):
            state.reader.sync()
            self._received.add(state.body)
        self._leave(state, outcome)
        body = state.body if isinstance(state, Streaming) else None
        if self._reconnects.may_follow(outcome, self.head, body) and not self._timeouts.exhausted():
            self._redirects = 0
            self._enter(WaitingToReconnect(self._reactor.after(self._reconnects.begin(body), self._reconnect)))
            return
        self._timeouts.stop()
        counts = self._timer, self._received, self._reconnects.count
        record = record_of(self.plan.name, self._protocol, (outcome, reason), end_ns, *counts)
        self._enter(Ended(record, error))
        self._context.process_stats.end(self._stats, record)
        self._on_pause()

    def _leave(self, state: AnyState, outcome: Outcome) -> None:
        """Free what ``state`` holds."""
        match state:
            case Connecting():
                state.dial.cancel()
            case AwaitingResponse():
                self._release(state.connection, reusable=False)
            case Streaming():
                connection = state.connection
                if state.websocket is not None:
                    faulty = outcome is Outcome.PROTOCOL_ERROR
                    connection.sending.send(state.websocket.last_words(faulty=faulty))
                if isinstance(state, Closing):
                    state.deadline.stop()
                ended_well = outcome in (Outcome.COMPLETED, Outcome.INCOMPLETE)
                response = self.sent_request, state.head, state.body.framing, connection.transport
                self._release(connection, reusable=ended_well and may_serve_another(*response))
            case WaitingToReconnect():
                state.wait.stop()

    def _release(self, connection: Connection, *, reusable: bool) -> None:
        """Keep a connection open for other requests if it can serve them, or else close it."""
        if reusable and not connection.sending.unfinished:
            self.reusable.append(connection.detach())
        else:
            connection.close()

    # Reading

    def _receive_head(self, data: bytes, arrival_ns: int) -> None:
        """Handle one read before the body; ``b""`` is the peer's clean end."""
        state = self._state
        assert isinstance(state, AwaitingResponse)
        if not data:
            self._on_closed(state.connection.sending.failure)
            return
        try:
            head = state.head_parser.feed(data)
            if head is not None:
                self._on_head(state, head, arrival_ns)
        except ProtocolError as error:
            self._end(Outcome.PROTOCOL_ERROR, str(error), arrival_ns)
        self._check_transport_end(state.connection)

    def _on_head(self, state: AwaitingResponse, head: Head, arrival_ns: int) -> None:
        self._received.head = head
        if self._reconnects.nothing_follows(head):
            self._end(*self._reconnects.end_without_more(), arrival_ns)
        elif is_redirect(head) and self._redirects < self.plan.max_redirects:
            self._redirect(state, head)
        elif refusal := state.opening.refusal(head):
            self._end(Outcome.HTTP_ERROR, refusal, arrival_ns)
        else:
            self._stream(state, head)
            self._on_body_begun(state.head_parser.rest, arrival_ns)

    def _on_body_begun(self, rest: bytes, arrival_ns: int) -> None:
        """Handle the part of the body that came in one read with the head."""
        state = self._state
        assert isinstance(state, Streaming)
        if state.websocket is not None:
            self._reply(state, state.websocket)
        if rest or state.body.framing.finished:
            self._feed(state, rest, arrival_ns)

    def _receive_body(self, data: bytes, arrival_ns: int) -> bool:
        """Handle one read of the body; ``b""`` is the peer's clean end. Return whether the stream goes on."""
        state = self._state
        assert isinstance(state, Streaming)
        if not data:
            self._on_closed(state.connection.sending.failure)
            return False
        return self._feed(state, data, arrival_ns) and self._check_transport_end(state.connection)

    def _feed(self, state: Streaming, data: bytes, arrival_ns: int) -> bool:
        """Decode part of the body. Return whether the stream goes on."""
        beyond = state.connection.transport.beyond
        try:
            ending = state.body.feed(data, arrival_ns, self._context.clock, beyond=beyond)
        except ProtocolError as error:
            ending = Outcome.PROTOCOL_ERROR, str(error)
        except Exception as error:
            self._on_scenario_error(error)
            return False
        else:
            if state.websocket is not None:
                self._reply(state, state.websocket)
        if ending is None:
            return True
        self._end(*ending, arrival_ns)
        return False

    def _reply(self, state: Streaming, websocket: WebSocketBody) -> None:
        """Send what a WebSocket must send: messages, pongs, and the close once the named end has come."""
        if state.body.checks.named_end_came and not websocket.closing:
            websocket.send_close()
            self._close(state)
        if outgoing := websocket.take_outgoing():
            state.connection.sending.send(outgoing)

    def _check_transport_end(self, connection: Connection) -> bool:
        """Handle the end that a TLS connection brought in one read with data. Return whether there was none."""
        why, state = connection.transport.end, self._state
        if why is None:
            return True
        if isinstance(state, AwaitingResponse | Streaming) and state.connection is connection:
            self._on_closed(why)
        return False

    def _on_error(self, error: OSError) -> None:
        state = self._state
        unanswered = isinstance(state, AwaitingResponse) and not (state.head_parser.started or state.reused)
        if unanswered and is_tls_failure(error):
            self._fail_to_connect(f"TLS: {words(error)}")
        else:
            self._on_closed(words(error))

    def _on_closed(self, why: str) -> None:
        """Handle that the peer closed the connection, cleanly if ``why`` is empty. A FIN has no stamp: it came now."""
        end_ns, state = self._now_ns(), self._state
        if isinstance(state, Streaming):
            state.reader.sync()
            try:
                broken = why and not state.body.close_sent
                ending = (Outcome.TRUNCATED, why) if broken else state.body.close()
            except ProtocolError as error:
                ending = Outcome.PROTOCOL_ERROR, str(error)
            except Exception as error:
                self._on_scenario_error(error)
                return
            self._end(*ending, end_ns)
            return
        assert isinstance(state, AwaitingResponse)
        if state.idle_connection_closed and self.request.repeatable:
            state.connection.close()
            self._delay.resume()
            self._connect(state.route)
        else:
            where = "inside the response's head" if state.head_parser.started else "before a response"
            self._end(Outcome.TRUNCATED, f"the connection was closed {where}{why and f' ({why})'}", end_ns)

    def _on_scenario_error(self, error: Exception) -> None:
        """End the stream because a callable of the scenario raised."""
        self._end(Outcome.ABORTED, f"the scenario raised {error!r}", error=error)

    # Limits

    def _on_check(self) -> None:
        """Check whether the stream has exceeded a limit. What has arrived by now counts."""
        self._catch_up()
        state = self._state
        if isinstance(state, Closing | Ended):
            return
        if not (reason := self._timeouts.exhausted()):
            self._timeouts.wait()
        elif isinstance(state, WaitingToReconnect):
            self._end(Outcome.STALLED, f"{reason}, while it waited to be connected to again")
        elif isinstance(state, AwaitingResponse | Streaming):
            self._end(Outcome.STALLED, reason)
        elif self._timer.first_ns is None:
            self._end(Outcome.CONNECT_ERROR, f"no connection: {reason}")
        else:
            self._end(Outcome.STALLED, f"{reason}, while it was connected to again")

    def _catch_up(self) -> None:
        """Read what has arrived by now."""
        if isinstance(self._state, Streaming):
            self._state.reader.catch_up()
        elif isinstance(self._state, AwaitingResponse):
            self._state.connection.reader.read()
