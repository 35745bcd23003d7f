"""One request and its response: whether it streams, what it sends, and how it ends."""

import asyncio
from collections.abc import Callable
from time import perf_counter

from streamgauge.asgi.chunk_counting import counter_for
from streamgauge.asgi.hangup import HangUpError, Inbox, caused_by_hangup, is_hangup
from streamgauge.asgi.head import Head
from streamgauge.asgi.interface import App, Message, Receive, Scope, Send
from streamgauge.asgi.notes import Notes
from streamgauge.asgi.recorder import Recorder
from streamgauge.asgi.series import QUICK_S
from streamgauge.asgi.stamps import Stamper
from streamgauge.asgi.stream import Stream
from streamgauge.catalog import protocol_of

#: RFC 9110, section 9, and RFC 5789. Any other is ``other``, for a client may send what it likes.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
#: The status of a request whose client left before there was a response: a proxy's convention, never on the wire.
CLIENT_CLOSED_REQUEST = 499


class Exchange:
    """Runs the app for one request, and counts what goes out."""

    __slots__ = (
        "_began_s",
        "_ended",
        "_head",
        "_inbox",
        "_missing_bytes",
        "_notes",
        "_plain",
        "_recorder",
        "_route",
        "_scope",
        "_send",
        "_stamper",
        "_stream",
    )

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        recorder: Recorder,
        route: Callable[[], str],
        notes: Notes,
        stamper: Stamper | None = None,
    ) -> None:
        self._began_s = perf_counter()
        self._stamper = stamper
        self._scope = scope
        self._send = send
        self._recorder = recorder
        self._route = route
        self._notes = notes
        self._inbox = Inbox(receive)
        self._head: Head | None = None
        self._stream: Stream | None = None
        #: The stream, as long as only its chunks are to be thought of: it has no stamps, no length, and no end yet.
        self._plain: Stream | None = None
        #: What is still to come of a body whose length was announced; -1 if it was not.
        self._missing_bytes = -1
        self._ended = False

    async def run(self, app: App) -> None:
        """Run ``app``. Its errors are counted and raised again unchanged; a hang-up is no error, and ends here.

        One of the app's own that a hang-up led to, as in a clean-up, counts as ``client_disconnect`` and is raised.
        """
        try:
            await app(self._scope, self._inbox.receive, self.send)
        except asyncio.CancelledError:
            self._end("client_disconnect" if self._inbox.gone else "shutdown")
            raise
        except BaseException as error:
            self._end("client_disconnect" if self._inbox.gone and caused_by_hangup(error) else "error")
            if not is_hangup(error):
                raise
        else:
            self._end("client_disconnect" if self._inbox.gone else "error")
        finally:
            self._inbox.close()

    async def send(self, message: Message) -> None:
        """The app's ``send``. Raises ``HangUpError`` where the server would drop a stream's chunk silently.

        Subtle: this runs for each chunk and costs more than all else here together. What it does itself is for the
        usual message, one whole chunk of a stream under way, soon after the chunk before and about as large; whatever
        is not exactly so goes to ``_send_other``, or on to ``Stream.sent``, and is counted there with the same result.
        """
        stream, inbox = self._plain, self._inbox
        if stream is None or not inbox.watched:
            await self._send_other(message)
            return
        try:
            body, more_body = message["body"], message["more_body"]
            size_bytes = stream.size_of(body)
        except (KeyError, TypeError, ValueError):  # a field that was left out, or bytes that can change
            more_body = False
        if not more_body:
            await self._send_other(message)
            return
        before_s = perf_counter()
        await self._send(message)
        now_s = perf_counter()
        if inbox.gone:  # while this was waiting: the server has dropped it
            return
        series, interval_s = stream.series, now_s - stream.last_s
        if size_bytes and interval_s <= QUICK_S and series.least_bytes < size_bytes <= series.most_bytes:
            stream.last_s = now_s
            series.interval_s += interval_s
            series.send_s += now_s - before_s
            series.size_bytes += size_bytes
            series.quick += 1
        elif size_bytes:
            stream.sent_chunks(1, size_bytes, before_s, now_s)
        elif body:
            if type(body) is not bytes:  # a view of bytes, which has none of their methods
                body = bytes(body)
            stream.sent(body, len(body), before_s, now_s)
        if now_s > self._recorder.give_way_at_s:
            await asyncio.sleep(0)  # nothing else had a turn for so long, not even the news of a hang-up

    async def _send_other(self, message: Message) -> None:
        """Pass on whatever message, and count it."""
        stream, inbox = self._stream, self._inbox
        if stream is None or message["type"] != "http.response.body" or self._ended:
            await self._send_aside(message)
            return
        if inbox.gone:
            raise HangUpError
        inbox.watch()
        body = message.get("body") or b""
        body, size_bytes = bytes(body), len(body)
        if body and self._stamper is not None:
            stamped = self._stamper.stamped(body)
            message, size_bytes = {**message, "body": stamped}, len(stamped)
        before_s = perf_counter()
        await self._send(message)
        now_s = perf_counter()
        if self._inbox.gone:
            return
        if body:
            stream.sent(body, size_bytes, before_s, now_s)
            if self._missing_bytes > 0:
                self._missing_bytes -= size_bytes
        if not self._missing_bytes or not message.get("more_body"):
            self._end("completed")  # with the last byte announced, for the client may leave as soon as it has that
        elif now_s > self._recorder.give_way_at_s:
            await asyncio.sleep(0)

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
                await self._send_other(message)
                return
            if self._inbox.gone:
                raise HangUpError
            self._inbox.watch()
        await self._send(message)
        if kind == "http.response.pathsend" or (
            kind == "http.response.body" and not message.get("more_body", False) and not self._inbox.gone
        ):
            self._end("completed")

    def _begin_stream(self, head: Head) -> None:
        counter = counter_for(head.content_type, head.content_encoding)
        self._missing_bytes = head.whole_bytes if head.whole_bytes is not None else -1
        series = self._recorder.series(self._route(), protocol_of(head.content_type))
        self._stream = Stream(series, counter, self._began_s)
        if self._stamper is None and self._missing_bytes < 0:
            self._plain = self._stream

    def _end(self, outcome: str) -> None:
        """Count the end, once: a stream's by its outcome, a plain response's by its status."""
        if self._ended:
            return
        self._ended = self._inbox.ended = True
        self._plain = None
        if self._stream is not None:
            self._stream.end(self._notes.outcome or outcome, cleanly=outcome == "completed")
            return
        method = self._scope["method"] if self._scope["method"] in METHODS else "other"
        status = self._head.status if self._head else CLIENT_CLOSED_REQUEST if self._inbox.gone else 500
        self._recorder.request(self._route(), method, str(status), perf_counter() - self._began_s)
