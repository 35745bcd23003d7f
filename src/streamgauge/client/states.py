"""What a stream holds in each state of ``streamgauge.client.state_table``, and what it does with it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from streamgauge.client.connect.dial import Dial, Route
from streamgauge.client.connect.transport import Transport
from streamgauge.client.connection import Connection
from streamgauge.client.http.opening import Opening
from streamgauge.client.http.pool import may_serve_another
from streamgauge.client.http.request import Request
from streamgauge.client.reactor import Reactor, Watch
from streamgauge.client.read.body import BodyReader
from streamgauge.client.read.chunk_checks import Ending
from streamgauge.client.read.sleep_mark import SleepMark
from streamgauge.client.read.stream_reader import StreamReader
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.client.state_table import State
from streamgauge.stats.clocks.arrival import ArrivalClock
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.framing import TwoWay
from streamgauge.wire.http1_head import Head, HeadParser

#: How long to wait for a peer that does not answer the close of a WebSocket. RFC 6455 section 7.1.1 asks for a
#: reasonable time; a peer that reads at all answers within a round trip, and most libraries wait 10 s.
CLOSING_S = 10.0
#: How long a response may go on after its named end. Servers usually end it at once; a busy one is given a moment, so
#: that the connection can be kept.
ENDING_S = 1.0


class BaseState:
    """A state in which there is nothing to free and nothing to read."""

    __slots__ = ()
    name: ClassVar[State]
    #: What the stream did while it exceeded a limit, for its record.
    meanwhile = ", while it was connected to again"

    def exceeded(self, reason: str, *, began: bool) -> Ending:  # noqa: ARG002 - for states without a connection
        """Return how a stream ends that exceeds a limit in this state; ``began``: a chunk has come."""
        return Outcome.STALLED, reason + self.meanwhile

    def leave(self) -> None:
        """Free what the state holds."""

    def finish(self, outcome: Outcome, request: Request) -> list[Transport]:  # noqa: ARG002 - for states with a response
        """Leave the state because the stream ends so; return the connections that may serve other requests."""
        self.leave()
        return []

    def catch_up(self) -> None:
        """Read what has arrived by now."""


class _NotConnected(BaseState):
    """A state on the way to a connection."""

    __slots__ = ()

    def exceeded(self, reason: str, *, began: bool) -> Ending:
        """See ``BaseState``."""
        return (
            BaseState.exceeded(self, reason, began=True)
            if began
            else (Outcome.CONNECT_ERROR, f"no connection: {reason}")
        )


@dataclass(slots=True)
class Routing(_NotConnected):
    """See ``State.ROUTING``."""

    name = State.ROUTING


@dataclass(slots=True)
class Connecting(_NotConnected):
    """See ``State.CONNECTING``."""

    name = State.CONNECTING
    dial: Dial

    def leave(self) -> None:
        """Give up the dial."""
        self.dial.cancel()


class Connected(BaseState):
    """A state with a connection."""

    __slots__ = ()
    meanwhile = ""
    connection: Connection

    def leave(self) -> None:
        """Close the connection."""
        self.connection.release()

    def catch_up(self) -> None:
        """See ``BaseState``."""
        self.connection.reader.read()

    def ending_at_close(self, why: str) -> Ending:
        """Return how the stream ends if the peer closes now, cleanly if ``why`` is empty."""
        raise NotImplementedError


@dataclass(slots=True)
class AwaitingResponse(Connected):
    """See ``State.AWAITING_RESPONSE``. ``reused``: the connection served an earlier request."""

    name = State.AWAITING_RESPONSE
    connection: Connection
    route: Route
    opening: Opening
    reused: bool
    head_parser: HeadParser = field(default_factory=HeadParser)

    def encode(self, request: Request) -> bytes:
        """Return the bytes of a request that goes by this route and asks for this opening."""
        route = self.route
        return request.encode(
            absolute=route.absolute, proxy_authorization=route.proxy_authorization, upgrade=self.opening.upgrade
        )

    @property
    def was_idle(self) -> bool:
        """Whether a close now means that the peer had closed an idle connection before the request."""
        return self.reused and not self.head_parser.started

    def ending_at_close(self, why: str) -> Ending:
        """See ``Connected``."""
        where = "inside the response's head" if self.head_parser.started else "before a response"
        return Outcome.TRUNCATED, f"the connection was closed {where}{why and f' ({why})'}"


@dataclass(slots=True)
class Streaming(Connected):
    """See ``State.STREAMING``. ``two_way`` is the sending side of the body's framing, if it has one.

    ``reader`` is None until the read that brought the head has been decoded: most short streams end with it.
    """

    name = State.STREAMING
    connection: Connection
    head: Head
    body: BodyReader
    reader: StreamReader | None
    two_way: TwoWay | None
    sleep: SleepMark

    @classmethod
    def of(cls, connection: Connection, head: Head, body: BodyReader, timer: ChunkTimer) -> "Streaming":
        """Begin a ``body``, of which the first bytes may have come with the head."""
        return cls(connection, head, body, None, body.framing.two_way, timer.sleep)

    def read_on(self, timer: ChunkTimer, clock: ArrivalClock, on_data: Callable[[bytes, int], bool]) -> None:
        """Read what comes after the read that brought the head."""
        connection = self.connection
        self.reader = StreamReader(connection.reader, connection.transport, self.body, timer, clock, on_data)

    def sync(self) -> None:
        """Add what the fast path has counted."""
        if self.reader is not None:
            self.reader.sync()

    def feed(self, data: bytes, arrival_ns: int, clock: ArrivalClock, *, at_once: bool = False) -> Ending | None:
        """Decode one read of the body; before the first, begin the conversation. Return how the stream ended, if so."""
        if (unsaid := self.body.unsaid) is not None:
            self.body.unsaid = None
            unsaid.begin()
        if self.two_way is None and not self.body.framing.self_delimited:
            self.sleep.mark()  # the next read may bring the end, which has no stamp
        try:
            return self.body.feed(data, arrival_ns, clock, beyond=self.connection.transport.beyond, at_once=at_once)
        except ProtocolError as error:
            return Outcome.PROTOCOL_ERROR, str(error)

    def exceeded(self, reason: str, *, began: bool) -> Ending:
        """See ``BaseState``. Heartbeats show that the stream was not dead, only quiet."""
        count, limit = self.body.quiet_heartbeats, "idle_timeout_s" if began else "first_chunk_timeout_s"
        if count and "chunk" in reason:
            beats = "heartbeats" if count > 1 else "heartbeat"
            reason += f", but {count} {beats}; if the stream may be quiet for longer, raise {limit}"
            reason += ", or let chunk= count them" if self.body.checks.heartbeats else ""
        return Outcome.STALLED, reason

    def reply(self, two_way: TwoWay) -> None:
        """Send messages, pongs, and the close once the named end has come."""
        if self.body.checks.end_came and not two_way.closing:
            two_way.send_close()
        if outgoing := two_way.take_outgoing():
            self.connection.sending.send(outgoing)

    def ending_at_close(self, why: str) -> Ending:
        """See ``Connected``."""
        self.sync()
        if why and not self.body.close_sent:
            return Outcome.TRUNCATED, why
        try:
            return self.body.close()
        except ProtocolError as error:
            return Outcome.PROTOCOL_ERROR, str(error)

    def finish(self, outcome: Outcome, request: Request) -> list[Transport]:
        """Leave the state in order: close a two-way stream, and return a connection that may serve other requests."""
        connection = self.connection
        if self.two_way is not None:
            if self.body.conversation is not None:
                self.body.conversation.stop()
            faulty = outcome is Outcome.PROTOCOL_ERROR
            connection.sending.send(self.two_way.closing_bytes(faulty=faulty))
        reusable = may_serve_another(request, self.head, self.body.framing, connection.transport)
        return connection.release(reusable=reusable)

    def catch_up(self) -> None:
        """See ``BaseState``."""
        if self.reader is not None:
            self.reader.catch_up()


@dataclass(slots=True)
class Closing(Streaming):
    """See ``State.CLOSING``. ``deadline`` ends the wait for the framing's end; the named end came at ``end_ns``."""

    name = State.CLOSING
    deadline: Watch
    end_ns: int

    @classmethod
    def of_streaming(cls, state: Streaming, reactor: Reactor, on_over: Callable[[], None], end_ns: int) -> "Closing":
        """Call ``on_over`` if the body has not ended by the deadline. The peer's FIN comes from now on."""
        state.sleep.mark()

        def over() -> None:
            state.sleep.mark()  # the stream ends now, and not with what waits to be read
            on_over()

        deadline = reactor.after(ENDING_S if state.two_way is None else CLOSING_S, over)
        return cls(state.connection, state.head, state.body, state.reader, state.two_way, state.sleep, deadline, end_ns)

    def feed(
        self,
        data: bytes,
        arrival_ns: int,
        clock: ArrivalClock,  # noqa: ARG002 - as in Streaming
        *,
        at_once: bool = False,  # noqa: ARG002
    ) -> Ending | None:
        """Decode one read after the named end. Return how the stream ended, if it did."""
        return self.body.feed_after_end(data, arrival_ns)

    @property
    def hopeless(self) -> bool:
        """Whether the body is known to go on, so that waiting for its end is of no use."""
        return self.two_way is None and self.body.goes_on

    def finish(self, outcome: Outcome, request: Request) -> list[Transport]:
        """See ``Streaming``; stop the deadline too."""
        self.deadline.stop()
        return Streaming.finish(self, outcome, request)


@dataclass(slots=True)
class WaitingToReconnect(BaseState):
    """See ``State.WAITING_TO_RECONNECT``. ``wait`` ends with the time to reconnect."""

    name = State.WAITING_TO_RECONNECT
    meanwhile = ", while it waited to be connected to again"
    wait: Watch

    def leave(self) -> None:
        """Stop waiting."""
        self.wait.stop()


@dataclass(slots=True)
class Ended(BaseState):
    """See ``State.ENDED``. ``error`` is what a callable of the scenario raised, if one did."""

    name = State.ENDED
    record: StreamRecord
    error: Exception | None
