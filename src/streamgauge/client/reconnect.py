"""An event stream that is connected to again when it breaks off, as the WHATWG HTML standard, section 9.2.3, has it.

1. A connection that failed, broke off or ended is followed by another one, after the time that the stream's ``retry``
   asked for, up to as many times as the plan allows. Where the named end had come, the stream is over.
2. The request goes where the last one went in the end, past all redirects, with the last event's id in
   ``Last-Event-ID``. That id stays until the server sets another one, on this connection or a later one: so the
   standard's note on dispatching has it, and so browsers do.
3. A response that is not ``200`` or no event stream fails for good, and so does whatever else is no broken connection.
   204 says that there is nothing more to come.

All of it is one stream with one record: its chunks, bytes and numbers go on over the gap, and the wait is a chunk
interval, since users waited. The limits hold meanwhile: a gap longer than the idle limit is a stall.
"""

from collections.abc import Callable
from dataclasses import replace

from streamgauge.client.exchange import Exchange
from streamgauge.client.http.request import Request, RequestError
from streamgauge.client.plan import StreamPlan
from streamgauge.client.reactor import Watch
from streamgauge.client.read.body import BodyReader
from streamgauge.client.read.chunk_checks import Settled
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.wire.http1_head import Head, HeadParser

#: The wait where the stream asks for none: the standard says "a few seconds", and most browsers wait this long.
DEFAULT_WAIT_S = 3.0
#: What the end of a connection can be called that another one may follow.
_BROKEN_OFF = frozenset({Outcome.COMPLETED, Outcome.INCOMPLETE, Outcome.TRUNCATED, Outcome.CONNECT_ERROR})


def exchange_of(plan: StreamPlan, context: ProcessContext, on_pause: Callable[[], None]) -> Exchange:
    """The exchange that carries out ``plan``."""
    return (ReconnectingExchange if plan.reconnect else Exchange)(plan, context, on_pause)


class ReconnectingExchange(Exchange):
    """An ``Exchange`` that pauses for another connection where it would have ended."""

    def __init__(self, plan: StreamPlan, context: ProcessContext, on_pause: Callable[[], None]) -> None:
        super().__init__(plan, context, on_pause)
        self._reconnects = 0
        self._waiting: Watch | None = None
        self._wait_s = DEFAULT_WAIT_S
        self._event_id: str | None = None
        #: What is asked for again, cookies left out.
        self._again = plan.request
        #: The body of the last connection that had one.
        self._before: BodyReader | None = None

    def _begin_body(self, head: Head, arrival_ns: int) -> bool:
        if self._reconnects and head.status == 204:
            self.head = head
            self._end(*self._nothing_more(), arrival_ns)
            return False
        if not super()._begin_body(head, arrival_ns):
            return False
        if self._body is not None and self._before is not None:
            _carry_over(self._before, self._body)
        return True

    def _redirect(self, head: Head) -> None:
        super()._redirect(head)
        self._again = self.request

    def _nothing_more(self) -> Settled:
        if self.plan.end is None:
            return Outcome.COMPLETED, ""
        return Outcome.INCOMPLETE, "the server has nothing more (status 204), and the named end had not come"

    def _end(self, outcome: Outcome, reason: str, arrival_ns: int | None = None) -> None:
        if self.record is None and self._may_reconnect(outcome):
            self._break_off(outcome)
            return
        self._stop_waiting()
        self._body = self._body or self._before  # what came before belongs to the stream
        super()._end(outcome, reason, arrival_ns)

    def _recorded(self, ended: Settled, end_ns: int) -> StreamRecord:
        return replace(super()._recorded(ended, end_ns), reconnects=self._reconnects)

    def _may_reconnect(self, outcome: Outcome) -> bool:
        return (
            outcome in _BROKEN_OFF
            and self._reconnects < self.plan.reconnect
            and not (self._body is not None and self._body.checks.named_end_came)
            and not (self.head is not None and self.head.status == 204)
            and not self._timeouts.exhausted()
        )

    def _break_off(self, outcome: Outcome) -> None:
        """Let this connection go, and wait for the next one's time."""
        self._let_go(outcome)
        if self._body is not None:
            self._learn(self._body)
        self._reconnects += 1
        self._body = None
        self._head_parser, self._reused, self._redirects = HeadParser(), False, 0
        self._waiting = self._reactor.after(self._wait_s, self._go_on)

    def _learn(self, body: BodyReader) -> None:
        self._before = body
        event_id, retry_ms = body.decoder.resumption()
        if event_id is not None:
            self._event_id = event_id
        if retry_ms is not None:
            self._wait_s = retry_ms / 1000

    def _go_on(self) -> None:
        """Pause to be asked again."""
        self._stop_waiting()
        try:
            self.request = resumed(self._again, self._event_id)
        except RequestError:
            self._end(Outcome.PROTOCOL_ERROR, f"an event's id that no header field can carry: {self._event_id!r}")
        else:
            self._on_pause()

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None

    def _on_check(self) -> None:
        if self._transport is not None or (self._waiting is None and self._timer.first_ns is None):
            super()._on_check()
        elif reason := self._timeouts.exhausted():
            doing = "was" if self._waiting is None else "waited to be"
            self._end(Outcome.STALLED, f"{reason}, while it {doing} connected to again")
        else:
            self._timeouts.wait()


def _carry_over(before: BodyReader, body: BodyReader) -> None:
    """Let ``body`` count on from where the connection before it left off."""
    body.bytes = before.bytes
    body.checks.sequence = before.checks.sequence
    body.decoder.heartbeats = before.decoder.heartbeats


def resumed(request: Request, event_id: str | None) -> Request:
    """``request`` as it asks for what follows the event of this id; None leaves it as it is. Raises RequestError."""
    if event_id is None:
        return request
    headers = {name: value for name, value in request.headers.items() if name.lower() != "last-event-id"}
    if event_id:
        headers["Last-Event-ID"] = event_id.encode().decode("latin-1")
    return replace(request, headers=headers)
