"""One request and its response: whether it streams, what it sends, and how it ends."""

import asyncio
from collections.abc import Callable
from time import perf_counter_ns

from streamgauge.asgi.framing import ChunkCounter, MessageCounter, counter_for, protocol_of
from streamgauge.asgi.hangup import HangUpError, Inbox, caused_by_hangup
from streamgauge.asgi.head import Head
from streamgauge.asgi.interface import App, Message, Receive, Scope, Send
from streamgauge.asgi.notes import Notes
from streamgauge.asgi.recorder import Recorder
from streamgauge.asgi.series import StreamSeries
from streamgauge.asgi.stamps import Stamper

#: RFC 9110, section 9, and RFC 5789. Any other is ``other``, for a client may send what it likes.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
#: The status of a request whose client left before there was a response: a proxy's convention, never on the wire.
CLIENT_CLOSED_REQUEST = 499


class Exchange:
    """Runs the app for one request, and counts what goes out."""

    __slots__ = (
        "_counter",
        "_ended",
        "_give_way_after_ns",
        "_head",
        "_inbox",
        "_last_chunk_ns",
        "_missing_bytes",
        "_notes",
        "_partial_bytes",
        "_recorder",
        "_route",
        "_scope",
        "_send",
        "_series",
        "_stamper",
        "_started_ns",
    )

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        recorder: Recorder,
        route: Callable[[], str],
        give_way_s: float,
        notes: Notes,
        stamper: Stamper | None = None,
    ) -> None:
        self._started_ns = perf_counter_ns()
        self._stamper = stamper
        self._scope = scope
        self._send = send
        self._recorder = recorder
        self._route = route
        self._notes = notes
        self._give_way_after_ns = round(give_way_s * 1e9)
        self._inbox = Inbox(receive)
        self._head: Head | None = None
        self._series: StreamSeries | None = None
        self._counter: ChunkCounter = MessageCounter()
        self._last_chunk_ns = 0
        self._partial_bytes = 0
        #: What is still to come of a body whose length was announced; -1 if it was not.
        self._missing_bytes = -1
        self._ended = False

    async def run(self, app: App) -> None:
        """Run ``app``. Its errors are counted and raised again unchanged; a hang-up is no error, and ends here."""
        try:
            await app(self._scope, self._inbox.receive, self.send)
        except asyncio.CancelledError:
            self._end("client_disconnect" if self._inbox.gone else "shutdown")
            raise
        except BaseException as error:
            hung_up = self._inbox.gone and caused_by_hangup(error)
            self._end("client_disconnect" if hung_up else "error")
            if not hung_up:
                raise
        else:
            self._end("client_disconnect" if self._inbox.gone else "error")
        finally:
            self._inbox.close()

    async def send(self, message: Message) -> None:
        """The app's ``send``. Raises ``HangUpError`` where the server would drop a stream's chunk silently."""
        series, inbox = self._series, self._inbox
        if series is None or message["type"] != "http.response.body" or self._ended:
            await self._send_aside(message)
            return
        if inbox.gone:
            raise HangUpError
        if not inbox.watched:
            inbox.watch()
        body, size_bytes = message.get("body"), 0
        if body:
            size_bytes = len(body)
            if self._stamper is not None:
                stamped = self._stamper.stamped(bytes(body))
                message, size_bytes = {**message, "body": stamped}, len(stamped)
        before_ns = perf_counter_ns()
        await self._send(message)
        now_ns = perf_counter_ns()
        if self._inbox.gone:  # while this was waiting: the server has dropped it
            return
        if body:
            self._count(series, body, size_bytes, now_ns, now_ns - before_ns)
            if self._missing_bytes > 0:
                self._missing_bytes -= size_bytes
        if not self._missing_bytes or not message.get("more_body"):
            self._end("completed")  # with the last byte announced, for the client may leave as soon as it has that
        elif now_ns - self._recorder.ticked_ns > self._give_way_after_ns:
            await asyncio.sleep(0)  # nothing else had a turn for so long, not even the news of a hang-up

    async def _send_aside(self, message: Message) -> None:
        """Pass on what is no message of a stream's body, unless it turns out to begin one."""
        kind = message["type"]
        if kind == "http.response.start":
            self._head = Head(message)
            if self._stamper is not None:
                if Stamper.fits(self._head) and self._scope["method"] != "HEAD":
                    message = Stamper.announced(message)
                else:
                    self._stamper = None
            if self._head.streams and self._scope["method"] != "HEAD":
                self._begin_stream(self._head)
        elif kind == "http.response.body" and message.get("more_body", False) and self._head and not self._ended:
            if self._scope["method"] != "HEAD" and len(message.get("body", b"")) != self._head.whole_bytes:
                self._begin_stream(self._head)
                await self.send(message)
                return
            self._inbox.watch()
            if self._inbox.gone:
                raise HangUpError
        await self._send(message)
        if kind == "http.response.pathsend" or (
            kind == "http.response.body" and not message.get("more_body", False) and not self._inbox.gone
        ):
            self._end("completed")

    def _begin_stream(self, head: Head) -> None:
        self._counter = counter_for(head.content_type, head.content_encoding)
        self._missing_bytes = head.whole_bytes if head.whole_bytes is not None else -1
        self._series = self._recorder.series(self._route(), protocol_of(head.content_type))
        self._series.started.inc()
        self._series.active.inc()

    def _count(self, series: StreamSeries, body: bytes, size_bytes: int, now_ns: int, send_ns: int) -> None:
        """Count what the app sent, as large as it went out."""
        chunks = self._counter.count(body if type(body) is bytes else bytes(body))
        if not chunks:
            self._count_idle(series, size_bytes)
            return
        last_ns, self._last_chunk_ns = self._last_chunk_ns, now_ns
        if not last_ns:
            series.time_to_first_chunk.observe((now_ns - self._started_ns) / 1e9)
        interval_ns = now_ns - last_ns if last_ns else None
        if self._partial_bytes:
            size_bytes += self._partial_bytes
            self._partial_bytes = 0
        if chunks == 1:
            series.sent(interval_ns, send_ns, size_bytes)
        else:
            series.sent_several(interval_ns, send_ns, size_bytes, chunks)

    def _count_idle(self, series: StreamSeries, size_bytes: int) -> None:
        """A message that ended no chunk is a heartbeat, or else the beginning of a chunk."""
        heartbeats = self._counter.heartbeats()
        if heartbeats:
            series.sent_idle(size_bytes, heartbeats)
        else:
            self._partial_bytes += size_bytes

    def _end(self, outcome: str) -> None:
        """Count the end, once: a stream's by its outcome, a plain response's by its status."""
        if self._ended:
            return
        self._ended = self._inbox.ended = True
        duration_s = (perf_counter_ns() - self._started_ns) / 1e9
        if self._series is not None:
            self._series.sent_idle(self._partial_bytes, self._counter.heartbeats())
            self._series.closed_with(self._counter.close() if outcome == "completed" else 0)
            self._series.finished(self._notes.outcome or outcome, duration_s)
            return
        method = self._scope["method"] if self._scope["method"] in METHODS else "other"
        status = self._head.status if self._head else CLIENT_CLOSED_REQUEST if self._inbox.gone else 500
        self._recorder.request(self._route(), method, str(status), duration_s)
