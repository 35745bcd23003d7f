"""One stream from connecting to its outcome: a state machine that an event loop's callbacks drive.

Dialling → sending → reading the head → reading the body → ended. Reading starts with the connection, since a server
may answer before it has the whole request. What goes wrong is an outcome in the record, never an exception; exceptions
are mistakes of the caller's own callables, and go back to the caller.
"""

import math
from collections.abc import Callable

from streamgauge.client.connect.dial import Dial, Route, is_tls_failure, words
from streamgauge.client.connect.transport import Transport
from streamgauge.client.http.pool import may_serve_another
from streamgauge.client.http.redirect import came_whole, is_redirect, redirected
from streamgauge.client.http.request import Request
from streamgauge.client.http.sending import Sending
from streamgauge.client.plan import StreamPlan
from streamgauge.client.read.body import BodyReader
from streamgauge.client.read.chunk_checks import Settled
from streamgauge.client.read.connection_reader import ConnectionReader
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.read.timeouts import Timeouts
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.client.recording import record_of
from streamgauge.client.start_delay import StartDelay
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.formats import resolve
from streamgauge.wire.framing import TwoWay
from streamgauge.wire.http1_head import Head, HeadParser


class Exchange:
    """One stream. ``on_pause`` is called when it has ended, or waits for :meth:`ask` to follow a redirect.

    ``record`` is set when it has ended, and ``error`` too if one of the caller's callables raised.
    """

    def __init__(self, plan: StreamPlan, context: ProcessContext, on_pause: Callable[[], None]) -> None:
        self.plan = plan
        #: What is to be asked for next, and what ``head`` answers.
        self.request: Request = plan.request
        self.asked: Request = plan.request
        self.record: StreamRecord | None = None
        self.error: BaseException | None = None
        #: The head of the last response.
        self.head: Head | None = None
        #: The connection, left open, where another request may use it.
        self.reusable: Transport | None = None
        self._process_stats = context.process_stats
        self._context = context
        self._reactor = context.reactor
        self._on_pause = on_pause
        self._format = plan.format
        self._stats = context.process_stats.begin(plan.name, plan.format.name)
        self._delay = StartDelay(context.cpu_waited_ns, context.process_stats.now_ns)
        self._timer = ChunkTimer(
            self._stats, context.process_stats.now_ns(), round(plan.limits.stall_threshold_s * 1e9)
        )
        self._route = Route(())
        self._opening = plan.opening()
        self._dial: Dial | None = None
        self._transport: Transport | None = None
        self._reused = False
        self._reader: ConnectionReader | None = None
        self._sending: Sending | None = None
        self._timeouts = Timeouts(plan.limits, self._timer, self._process_stats.now_ns, self._reactor, self._on_check)
        self._timeouts.wait()
        self._head_parser = HeadParser()
        self._body: BodyReader | None = None
        #: The sending side of a body on which the client sends too.
        self._two_way: TwoWay | None = None
        self._redirects = 0

    def ask(self, route: Route, reuse: Transport | None = None, asked: Request | None = None) -> None:
        """Send ``request``, as ``asked`` with its cookies, on ``reuse`` or else on a new connection by ``route``."""
        if self.record is not None:  # it ended while the way was sought
            if reuse is not None:
                reuse.close()
            return
        if self._redirects:
            self._delay.resume()
        self._route = route
        self.asked = asked or self.request
        if reuse is None:
            self._connect()
        else:
            self._reused = True
            self._connected(reuse)

    def fail_to_connect(self, reason: str) -> None:
        """End a stream that cannot be routed."""
        self._end(Outcome.CONNECT_ERROR, reason)

    def censor(self) -> None:
        """The run ended first: hang up. What has arrived by now counts."""
        if self._reader is not None:
            self._reader.catch_up()
        self._end(Outcome.CENSORED, "the run ended first")

    # Sending

    def _connect(self) -> None:
        self._reused = False
        self._dial = Dial(self._route, self._reactor, self._delay, self._connected, self.fail_to_connect)
        self._dial.start()

    def _connected(self, transport: Transport) -> None:
        self._dial = None
        self._transport = transport
        self._reader = ConnectionReader(transport, self._context, self._take, self._failed)
        route, self._opening = self._route, self.plan.opening()
        self._sending = Sending(transport, self._reactor)
        absolute, authorization = route.absolute, route.proxy_authorization
        upgrade = self._opening.upgrade
        request = self.asked.encode(absolute=absolute, proxy_authorization=authorization, upgrade=upgrade)
        self._delay.send()
        self._timer.delay(self._delay, self._process_stats.now_ns())
        self._sending.send(request)

    # Reading

    def _failed(self, error: OSError) -> None:
        unanswered = self._body is None and not (self._head_parser.started or self._reused)
        if unanswered and is_tls_failure(error):
            self.fail_to_connect(f"TLS: {words(error)}")
        elif self._transport is not None:
            self._peer_closed(words(error))

    def _take(self, data: bytes | None, arrival_ns: int) -> None:
        """What one read brought: ``b""`` is the peer's clean end, and None a read that held no data of ours."""
        transport = self._transport
        if transport is None:
            return  # it was given up after it was found readable
        if data:
            self._take_in(data, arrival_ns)
            if transport.end is not None and self._transport is transport:
                self._peer_closed(transport.end)
        elif data is not None:
            self._peer_closed(self._sending.failure if self._sending is not None else "")

    def _take_in(self, data: bytes, arrival_ns: int) -> None:
        body, timer = self._body, self._timer
        coalesced, last_ns = timer.coalesced, timer.last_ns if timer.exact else -math.inf
        try:
            if body is None:
                self._take_in_head(data, arrival_ns)
            else:
                self._take_in_body(body, data, arrival_ns)
        except ProtocolError as error:
            self._end(Outcome.PROTOCOL_ERROR, str(error), arrival_ns)
        except Exception as error:
            self._raise(error)
        if body is not None and self._reader is not None:
            apart_ns = timer.last_ns - last_ns if timer.coalesced == coalesced else 0
            self._reader.await_next(body, apart_ns, exact=timer.exact)

    def _take_in_body(self, body: BodyReader, data: bytes, arrival_ns: int) -> None:
        beyond = self._transport is not None and self._transport.beyond
        settled = body.feed(data, arrival_ns, self._context.clock, beyond=beyond)
        if self._two_way is not None:
            self._reply(self._two_way, body)
        if settled is not None:
            self._end(*settled, arrival_ns)

    def _raise(self, error: Exception) -> None:
        """One of the caller's callables raised: theirs to see."""
        self.error = error
        self._end(Outcome.ABORTED, f"the scenario raised {error!r}")

    def _take_in_head(self, data: bytes, arrival_ns: int) -> None:
        head = self._head_parser.feed(data)
        if head is None or not self._begin_body(head, arrival_ns):
            return
        body, rest = self._body, self._head_parser.rest
        assert body is not None
        if rest or body.framing.finished:
            self._take_in_body(body, rest, arrival_ns)

    def _begin_body(self, head: Head, arrival_ns: int) -> bool:
        """Whether the response is one whose body is a stream; if not, the stream has ended here, or goes elsewhere."""
        self.head = head
        if is_redirect(head) and self._redirects < self.plan.max_redirects:
            self._redirect(head)
            return False
        if refusal := self._opening.refusal(head) or self.plan.refusal(head):
            self._end(Outcome.HTTP_ERROR, refusal, arrival_ns)
            return False
        found = resolve(self._format, head.fields.get("content-type", ""))
        if found is not self._format:
            self._format = found
            self._stats = self._process_stats.resettle(self._stats, self.plan.name, found.name)
            self._timer.stats = self._stats
        framing = self._opening.framing(head)
        self._body = BodyReader(self.plan, head, found, framing, self._stats, self._timer)
        assert self._reader is not None
        self._reader.begin_body(self._body, self._timer)
        self._two_way = framing.two_way
        if self._two_way is not None:
            self._reply(self._two_way, self._body)
        return True

    def _reply(self, two_way: TwoWay, body: BodyReader) -> None:
        """Send messages and replies that wait, and a close once the named end has come."""
        if self._sending is None:
            return
        if body.checks.named_end_came and not two_way.closing:
            two_way.send_close()
            self._timeouts.closing(lambda: self._peer_closed(""))
        if outgoing := two_way.take_outgoing():
            self._sending.send(outgoing)

    def _redirect(self, head: Head) -> None:
        """Wait to be asked to go where the response points; raises ProtocolError if that is nowhere."""
        self.request = redirected(self.request, head)
        self._redirects += 1
        transport, rest = self._transport, self._head_parser.rest
        if transport is not None and came_whole(self.asked, head, rest, transport):
            self._release()
        self._head_parser, self._reused = HeadParser(), False
        self._hang_up()
        self._on_pause()

    def _peer_closed(self, why: str) -> None:
        """The peer closed the connection: cleanly where ``why`` is empty. A FIN brings no stamp: it is known by now."""
        end_ns = self._process_stats.now_ns()
        if self._body is not None:
            try:
                broken = why and not self._body.said_goodbye
                settled = (Outcome.TRUNCATED, why) if broken else self._body.close()
            except ProtocolError as error:
                settled = Outcome.PROTOCOL_ERROR, str(error)
            except Exception as error:
                self._raise(error)
                return
            self._end(*settled, end_ns)
        elif self._reused and not self._head_parser.started and self.request.repeatable:
            self._hang_up()
            self._delay.resume()
            self._connect()
        else:
            what = "inside the response's head" if self._head_parser.started else "before a response"
            self._end(Outcome.TRUNCATED, f"the connection was closed {what}{why and f' ({why})'}", end_ns)

    def _on_check(self) -> None:
        """The stream may have stalled."""
        if self._reader is not None:
            self._reader.catch_up()  # what has arrived meanwhile counts
        if self.record is not None:
            return
        if not (reason := self._timeouts.exhausted()):
            self._timeouts.wait()
        elif self._transport is None:
            self._end(Outcome.CONNECT_ERROR, f"no connection: {reason}")
        else:
            self._end(Outcome.STALLED, reason)

    # Ending

    def _end(self, outcome: Outcome, reason: str, arrival_ns: int | None = None) -> None:
        if self.record is not None:
            return
        if self._reader is not None:
            self._reader.settle()
        end_ns = self._process_stats.now_ns() if arrival_ns is None else arrival_ns
        self.record = self._recorded((outcome, reason), end_ns)
        self._timeouts.stop()
        self._let_go(outcome)
        self._process_stats.end(self._stats, self.record)
        self._on_pause()

    def _recorded(self, ended: Settled, end_ns: int) -> StreamRecord:
        return record_of(self.plan.name, self._format.name, ended, end_ns, self._timer, self.head, self._body)

    def _let_go(self, outcome: Outcome) -> None:
        """Hang up, or leave the connection in ``reusable``."""
        if self._two_way is not None and self._sending is not None:
            self._sending.send(self._two_way.last_words(faulty=outcome is Outcome.PROTOCOL_ERROR))
        if self._may_reuse(outcome):
            self._release()
        self._hang_up()

    def _release(self) -> None:
        if self._sending is None or not self._sending.under_way:
            self._unwatch()
            self.reusable, self._transport = self._transport, None

    def _may_reuse(self, outcome: Outcome) -> bool:
        body, head, transport = self._body, self.head, self._transport
        if body is None or head is None or transport is None or outcome not in (Outcome.COMPLETED, Outcome.INCOMPLETE):
            return False
        return may_serve_another(self.asked, head, body.framing, transport)

    def _hang_up(self) -> None:
        self._unwatch()
        if self._dial is not None:
            self._dial.cancel()
            self._dial = None
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _unwatch(self) -> None:
        for watch in (self._reader, self._sending):
            if watch is not None:
                watch.stop()
        self._reader = self._sending = None
