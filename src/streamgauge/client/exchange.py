"""One stream from its request to its outcome: a state machine that the callbacks of an event loop drive.

``state_table`` has its states and transitions, ``states`` what it holds in each. Reading starts with the connection: a
server may answer before it has the whole request. What goes wrong is an outcome in the record, never an exception. What
the scenario's own callables raise ends the stream and goes back to the caller.
"""

from collections.abc import Callable
from functools import partial

from streamgauge.client.connect.dial import describe, is_tls_failure
from streamgauge.client.connection import Connection
from streamgauge.client.http.redirect import is_redirect, redirected
from streamgauge.client.http.request import RequestError
from streamgauge.client.http.skipped_body import SKIPPED_S
from streamgauge.client.plan import StreamPlan
from streamgauge.client.read.chunk_checks import Ending
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.reconnect import Reconnects
from streamgauge.client.recording import Recording
from streamgauge.client.requesting import Requesting
from streamgauge.client.skipping import Skipping
from streamgauge.client.states import (
    AwaitingResponse,
    Closing,
    Ended,
    Routing,
    Streaming,
    WaitingToReconnect,
)
from streamgauge.stats.outcome import Outcome
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.frame import MAX_QUOTED, one_line
from streamgauge.wire.http1_head import Head


class Exchange(Requesting):
    """One stream. ``on_pause`` is called when it has ended, and when it waits for :meth:`send` in ``ROUTING`` again."""

    def __init__(
        self,
        plan: StreamPlan,
        context: ProcessContext,
        on_pause: Callable[[], None],
        recording: Recording | None = None,
    ) -> None:
        super().__init__(plan, context, recording or Recording(plan, context))
        self._on_pause = on_pause
        self._reconnects = Reconnects(plan)

    def _stop(self, outcome: Outcome = Outcome.COMPLETED, reason: str = "") -> None:
        """End the stream now, unless it has ended or ends with what has arrived by now."""
        self._state.catch_up()
        if isinstance(self._state, Closing):
            self._hang_up()
        elif not self.ended:
            self._end(outcome, reason)

    def _redirect(self, head: Head) -> None:
        """Send the next request to where the response points. Raises ProtocolError if it cannot be."""
        self.request = redirected(self.request, head)
        self._reconnects.redirected(self.request)
        self._redirects += 1

    def _skip(self, state: AwaitingResponse, head: Head, arrival_ns: int, ending: Ending | None) -> None:
        """Read a body that is not the stream. Then end the stream, or send the next request if ``ending`` is None."""
        deadline = self._reactor.after(SKIPPED_S, self._skipped)
        skipping = Skipping.of(state, (self.sent_request, head, arrival_ns), ending, deadline)
        self._enter(skipping)
        skipping.begin(state.head_parser.rest, self._skipped, self._check_transport_end)

    def _skipped(self) -> None:
        """End the stream whose last response is known, or pause until the next request is sent."""
        state = self._state
        assert isinstance(state, Skipping)
        if state.ending is not None:
            self._end(*state.ending)
            return
        self.reusable += state.finish(Outcome.COMPLETED, self.sent_request)
        self._enter(Routing())
        self._on_pause()

    def _stream(self, state: AwaitingResponse, head: Head, arrival_ns: int) -> None:
        """Begin to read a response whose body is the stream. Raises ProtocolError if it cannot be read."""
        self._recording.set_format(head)
        body = self._recording.begin_body(head, state.opening.framing(head))
        streaming = Streaming.of(state.connection, head, body, self._timer)
        self._enter(streaming)
        if streaming.two_way is not None and body.conversation is not None:
            body.conversation.pace(self._reactor, partial(streaming.reply, streaming.two_way))
        if streaming.two_way is not None or state.head_parser.rest or body.framing.finished:
            at_once = bool(state.head_parser.rest) and state.connection.transport.came_at_once()
            self._feed(streaming, state.head_parser.rest, arrival_ns, at_once=at_once)
        if isinstance(self._state, Streaming):
            self._state.read_on(self._timer, self._context.clock, self._receive_body)

    def _close(self, state: Streaming, arrival_ns: int) -> bool:
        """Wait a little for the end of a body whose named end came. Return whether it may still end."""
        if not isinstance(state, Closing):
            self._timeouts.stop()
            state = Closing.of_streaming(state, self._reactor, self._stop, arrival_ns)
            self._enter(state)
        if state.hopeless:
            self._hang_up()
        return not self.ended

    def _hang_up(self) -> None:
        """Complete a stream whose named end came, and whose body goes on."""
        state = self._state
        assert isinstance(state, Closing)
        self._end(*state.body.completed, state.end_ns)

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
        state, body = self._state, None
        if isinstance(state, Skipping) and (known := state.known_ending()):
            (outcome, reason), arrival_ns = known, state.head_ns
        end_ns = self._now_ns() if arrival_ns is None else arrival_ns
        if isinstance(state, Streaming):
            body = state.body
            state.sync()
            self._recording.end_body(body)
        self.reusable += state.finish(outcome, self.sent_request)
        if self._reconnects.may_follow(outcome, self.head, body) and not self._timeouts.exhausted():
            self._redirects = 0
            wait = self._reactor.after(self._reconnects.begin(body), self._reconnect)
            self._enter(WaitingToReconnect(wait))
            return
        self._timeouts.stop()
        record = self._recording.end((outcome, reason), end_ns, self._reconnects.count, self.sent_request.target.url)
        if not self.plan.checked_later:
            self._recording.count(record)
        self._enter(Ended(record, error))
        self._on_pause()

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
        self._recording.begin_response(head)
        if self._reconnects.nothing_follows(head):
            self._skip(state, head, arrival_ns, self._reconnects.end_without_more())
        elif is_redirect(head) and self._redirects < self.plan.max_redirects:
            self._redirect(head)
            self._skip(state, head, arrival_ns, None)
        elif (accepted := self.plan.accepted(head)) and not self._reconnects.count:
            self._skip(state, head, arrival_ns, (Outcome.COMPLETED, accepted))
        elif refusal := state.opening.refusal(head) or self.plan.refusal(head):
            self._skip(state, head, arrival_ns, (Outcome.HTTP_ERROR, refusal))
        else:
            self._stream(state, head, arrival_ns)

    def _receive_body(self, data: bytes, arrival_ns: int) -> bool:
        """Handle one read of the body; ``b""`` is the peer's clean end. Return whether the stream goes on."""
        state = self._state
        assert isinstance(state, Streaming)
        if not data:
            self._on_closed(state.connection.sending.failure)
            return False
        return self._feed(state, data, arrival_ns) and self._check_transport_end(state.connection)

    def _feed(self, state: Streaming, data: bytes, arrival_ns: int, *, at_once: bool = False) -> bool:
        """Decode part of the body, ``at_once`` if it came in one segment. Return whether the stream goes on."""
        try:
            ending = state.feed(data, arrival_ns, self._context.clock, at_once=at_once)
        except Exception as error:
            self._on_scenario_error(error)
            return False
        if state.two_way is not None:
            state.reply(state.two_way)
        if ending is not None:
            self._end(*ending, arrival_ns)
            return False
        return not state.body.checks.end_came or self._close(state, arrival_ns)

    def _check_transport_end(self, connection: Connection) -> bool:
        """Handle the end that a TLS connection brought in one read with data. Return whether there was none."""
        why, state = connection.transport.end, self._state
        if why is None:
            return True
        if isinstance(state, AwaitingResponse | Skipping | Streaming) and state.connection is connection:
            self._on_closed(why)
        return False

    def _on_error(self, error: OSError) -> None:
        state = self._state
        unanswered = isinstance(state, AwaitingResponse) and not (state.head_parser.started or state.reused)
        if unanswered and is_tls_failure(error):
            self._fail_to_connect(f"TLS: {describe(error)}")
        else:
            self._on_closed(describe(error))

    def _on_closed(self, why: str) -> None:
        """Handle that the peer closed the connection, cleanly if ``why`` is empty. A FIN has no stamp."""
        end_ns, state = self._now_ns(), self._state
        if isinstance(state, Skipping):
            self._skipped()
            return
        self._recording.note_close(self._context.clock.floor_ns, end_ns)
        assert isinstance(state, AwaitingResponse | Streaming)
        if isinstance(state, AwaitingResponse) and state.was_idle and self.request.repeatable:
            state.connection.release()
            self._enter(Routing())  # the name may lead elsewhere by now
            self._on_pause()
            return
        try:
            ending = state.ending_at_close(why)
        except Exception as error:
            self._on_scenario_error(error)
        else:
            self._end(*ending, end_ns)

    def _on_scenario_error(self, error: Exception) -> None:
        """End the stream because a callable of the scenario raised."""
        outcome = Outcome.ABORTED if isinstance(error, self.plan.leaves_by) else Outcome.CHECK_FAILED
        self._end(outcome, f"the scenario raised {one_line(repr(error), MAX_QUOTED)}", error=error)

    def _on_check(self) -> None:
        """Check whether the stream has exceeded a limit. What has arrived by now counts."""
        self._state.catch_up()
        if isinstance(state := self._state, Closing | Ended):
            return
        if not (reason := self._timeouts.exhausted()):
            self._timeouts.wait()
        else:
            self._end(*state.exceeded(reason, began=self._timer.first_ns is not None))
