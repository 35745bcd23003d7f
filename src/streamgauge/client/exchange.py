"""One stream from connecting to its outcome: a state machine that an event loop's callbacks drive.

Connecting → sending → reading the head → reading the body → ended. Reading starts with the connection, since a server
may answer before it has the whole request. What goes wrong is an outcome in the record, never an exception; exceptions
are mistakes of the caller's own callables, and go back to the caller.
"""

import _socket
import errno
import os
from collections.abc import Callable
from dataclasses import dataclass

from streamgauge.client.body import BodyReader
from streamgauge.client.plan import StreamPlan
from streamgauge.client.reactor import Reactor, Watch
from streamgauge.client.socket import ANCILLARY_BYTES, READ_BYTES, Address, Socket, open_socket, stamp_ns
from streamgauge.client.timing import ChunkTimer
from streamgauge.measure.clock import ArrivalClock
from streamgauge.measure.ledger import Ledger
from streamgauge.measure.outcome import Outcome
from streamgauge.measure.record import StreamRecord
from streamgauge.wire.decoder import content_type_fits, protocol_of
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.http1 import Head, HeadParser


@dataclass(slots=True)
class Instruments:
    """What all streams of one process share: where they are counted, their clock, and what drives them."""

    ledger: Ledger
    clock: ArrivalClock
    reactor: Reactor


class Exchange:
    """One stream. ``record`` is set when it has ended, or ``error`` if one of the caller's callables raised."""

    def __init__(self, plan: StreamPlan, instruments: Instruments, on_end: Callable[[], None]) -> None:
        self.record: StreamRecord | None = None
        self.error: BaseException | None = None
        #: The connection, left open, where another request may use it.
        self.reusable: Socket | None = None
        self.plan = plan
        self._ledger = instruments.ledger
        self._clock = instruments.clock
        self._reactor = instruments.reactor
        self._on_end = on_end
        self._protocol = plan.protocol
        self._tally = instruments.ledger.begin(plan.name, plan.protocol)
        self._timer = ChunkTimer(self._tally, instruments.ledger.now_ns(), round(plan.limits.stall_threshold_s * 1e9))
        self._to_send = plan.request.encode()
        self._addresses: list[Address] = []
        self._sock: Socket | None = None
        self._watches: dict[str, Watch] = {}
        self._head: Head | None = None
        self._head_parser = HeadParser()
        self._body: BodyReader | None = None
        self._reused = False
        self._deadline_watch: Watch | None = None

    def start(self, addresses: list[Address], reuse: Socket | None = None) -> None:
        """Ask on ``reuse`` where that is given, else on a new connection to the first of ``addresses`` that answers."""
        self._addresses = list(addresses)
        self._await_deadline()
        if reuse is None:
            self._connect()
        else:
            self._reused = True
            self._connected(reuse)

    def fail_to_connect(self, reason: str) -> None:
        """End a stream that has no address to connect to."""
        self._end(Outcome.CONNECT_ERROR, reason)

    def censor(self) -> None:
        """The run ended first: hang up."""
        if self.record is None:
            self._end(Outcome.CENSORED, "the run ended first")

    # Connecting and sending

    def _connect(self, problem: OSError | None = None) -> None:
        self._drop_socket()
        while self._addresses:
            try:
                self._sock = open_socket(self._addresses.pop(0))
            except OSError as error:
                problem = error
                continue
            self._watch("write", self._on_connected)
            return
        self._end(Outcome.CONNECT_ERROR, _words(problem))

    def _on_connected(self) -> None:
        assert self._sock is not None
        code = self._sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
        if code:
            self._connect(OSError(code, os.strerror(code)))
        else:
            self._unwatch("write")
            self._connected(self._sock)

    def _connected(self, sock: Socket) -> None:
        self._sock = sock
        self._watch("read", self._on_readable)
        self._send()

    def _send(self) -> None:
        assert self._sock is not None
        try:
            sent = self._sock.send(self._to_send)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.ECONNRESET):
                raise
            self._to_send, sent = b"", 0  # the answer, or the reset, is there to be read
        self._to_send = self._to_send[sent:]
        if not self._to_send:
            self._unwatch("write")
        elif "write" not in self._watches:
            self._watch("write", self._send)

    # Reading

    def _on_readable(self) -> None:
        sock = self._sock
        assert sock is not None
        try:
            data, ancillary, _, _ = sock.recvmsg(READ_BYTES, ANCILLARY_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._closed(self._ledger.now_ns(), _words(error))
            return
        if not data:  # a FIN brings no stamp
            self._closed(self._ledger.now_ns(), "closed")
            return
        clock = self._clock
        arrival_ns = clock.locate(stamp_ns(ancillary))
        self._ledger.lag.record_ns(clock.now_ns - arrival_ns)
        try:
            self._take_in(data, arrival_ns)
        except ProtocolError as error:
            self._end(Outcome.PROTOCOL_ERROR, str(error), arrival_ns)
        except Exception as error:  # the caller's on_chunk or end: theirs to see
            self.error = error
            self._end(Outcome.ABORTED, f"the scenario raised {error!r}", arrival_ns)

    def _take_in(self, data: bytes, arrival_ns: int) -> None:
        body = self._body
        if body is None:
            head = self._head_parser.feed(data)
            if head is None or not self._begin_body(head, arrival_ns):
                return
            body = self._body
            assert body is not None
            data = self._head_parser.rest
            if not (data or body.framing.finished):
                return
        settled = body.feed(data, arrival_ns, self._clock)
        if settled is None and body.framing.finished:
            settled = body.close(arrival_ns)
        if settled is not None:
            self._end(*settled, arrival_ns)

    def _begin_body(self, head: Head, arrival_ns: int) -> bool:
        """Whether the response is one whose body is a stream; if not, the stream has ended here."""
        self._head = head
        content_type = head.fields.get("content-type", "")
        if head.status >= 300 or head.status < 200:
            self._end(Outcome.HTTP_ERROR, f"status {head.status} {head.reason}".rstrip(), arrival_ns)
            return False
        if not content_type_fits(self._protocol, content_type) and self._protocol != "auto":
            self._end(
                Outcome.HTTP_ERROR, f"expected a content type of {self._protocol}, got {content_type!r}", arrival_ns
            )
            return False
        if self._protocol == "auto":
            self._protocol = protocol_of(content_type)
            self._tally = self._ledger.resettle(self._tally, self.plan.name, self._protocol)
            self._timer.count_into(self._tally)
        self._body = BodyReader(self.plan, head, self._protocol, self._tally, self._timer)
        return True

    def _closed(self, arrival_ns: int, words: str) -> None:
        if self._body is not None:
            outcome, reason = self._body.close(arrival_ns) if words == "closed" else (Outcome.TRUNCATED, words)
            self._end(outcome, reason, arrival_ns)
        elif self._reused and not self._head_parser.started and self._addresses:
            self._reused = False
            self._to_send = self.plan.request.encode()
            self._connect()
        else:
            what = "in mid-head" if self._head_parser.started else "before a response"
            self._end(Outcome.TRUNCATED, f"the connection was closed {what} ({words})", arrival_ns)

    # Limits

    def _await_deadline(self) -> None:
        deadline_ns, _ = self._deadline()
        if deadline_ns is not None:
            delay_s = max(0.0, (deadline_ns - self._ledger.now_ns()) / 1e9)
            self._deadline_watch = self._reactor.after(delay_s, self._on_deadline)

    def _deadline(self) -> tuple[int | None, str]:
        """The next moment at which the stream counts as stalled unless something comes, and which limit that is."""
        limits, timer = self.plan.limits, self._timer
        waiting = (
            (timer.start_ns, limits.first_chunk_timeout_s, "first chunk")
            if timer.first_ns is None
            else (timer.last_ns, limits.idle_timeout_s, "chunk")
        )
        found = [
            (since_ns + round(limit_s * 1e9), f"no {what} within {limit_s:g} s")
            for since_ns, limit_s, what in (waiting, (timer.start_ns, limits.total_timeout_s, "end"))
            if limit_s is not None
        ]
        return min(found, default=(None, ""))

    def _on_deadline(self) -> None:
        if self._sock is not None and "read" in self._watches:
            self._on_readable()  # what has arrived meanwhile counts
        if self.record is not None:
            return
        deadline_ns, reason = self._deadline()
        if deadline_ns is not None and deadline_ns <= self._ledger.now_ns():
            if self._head is None and "read" not in self._watches:
                self._end(Outcome.CONNECT_ERROR, f"no connection: {reason}")
            else:
                self._end(Outcome.STALLED, reason)
        else:
            self._await_deadline()

    # Ending

    def _end(self, outcome: Outcome, reason: str, arrival_ns: int | None = None) -> None:
        if self.record is not None:
            return
        timer, body = self._timer, self._body
        end_ns = self._ledger.now_ns() if arrival_ns is None else arrival_ns
        self.record = StreamRecord(
            name=self.plan.name,
            protocol=self._protocol,
            outcome=outcome,
            start_s=timer.start_ns / 1e9,
            duration_s=max(0, end_ns - timer.start_ns) / 1e9,
            status=self._head.status if self._head else None,
            headers=self._head.fields if self._head else {},
            time_to_first_chunk_s=None if timer.first_ns is None else (timer.first_ns - timer.start_ns) / 1e9,
            chunks=timer.chunks,
            bytes=body.bytes if body else 0,
            heartbeats=body.decoder.heartbeats if body else 0,
            stalls=timer.stalls,
            coalesced=timer.coalesced,
            max_chunk_interval_s=timer.max_interval_ns / 1e9 if timer.chunks > 1 else None,
            reason=reason,
        )
        if self._deadline_watch is not None:
            self._deadline_watch.stop()
        self._keep_socket() if self._may_reuse(outcome) else self._drop_socket()
        self._ledger.end(self._tally, self.record)
        self._on_end()

    def _may_reuse(self, outcome: Outcome) -> bool:
        body, head = self._body, self._head
        return (
            outcome in (Outcome.COMPLETED, Outcome.INCOMPLETE)
            and body is not None
            and head is not None
            and body.framing.self_delimited
            and not body.framing.rest
            and not self._to_send
            and head.keeps_alive
        )

    def _keep_socket(self) -> None:
        self._unwatch("read", "write")
        self.reusable, self._sock = self._sock, None

    def _drop_socket(self) -> None:
        self._unwatch("read", "write")
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def _watch(self, direction: str, callback: Callable[[], None]) -> None:
        assert self._sock is not None
        add = self._reactor.on_readable if direction == "read" else self._reactor.on_writable
        self._watches[direction] = add(self._sock.fileno(), callback)

    def _unwatch(self, *directions: str) -> None:
        for direction in directions:
            if watch := self._watches.pop(direction, None):
                watch.stop()


def _words(error: OSError | None) -> str:
    if error is None:
        return "the host has no address"
    return error.strerror or str(error)
