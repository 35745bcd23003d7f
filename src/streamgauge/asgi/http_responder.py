"""One HTTP request and its response: whether it streams, what it sends, and how it ends."""

import asyncio
from collections.abc import Callable
from time import perf_counter

from prometheus_client import Gauge

from streamgauge.asgi.app_marks import AppMarks
from streamgauge.asgi.counters import counter_for
from streamgauge.asgi.hangup import HangUpError, caused_by_hangup, is_hangup
from streamgauge.asgi.head import Head
from streamgauge.asgi.interface import App, Message, Receive, Scope, Send
from streamgauge.asgi.process_end import asked_to_end
from streamgauge.asgi.receive_channel import ReceiveChannel
from streamgauge.asgi.recorder import Recorder
from streamgauge.asgi.series import QUICK_S
from streamgauge.asgi.stamps import Stamper
from streamgauge.asgi.stream import Stream
from streamgauge.catalog import protocol_of

#: RFC 9110, section 9, and RFC 5789. The label of any other method is ``other``, since clients can make up methods.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
#: The status label if the client hung up before the response started. Proxies log it; it is never on the wire.
CLIENT_CLOSED_REQUEST = 499
#: Statuses from here on are errors of the client's request, or of the app (RFC 9110, sections 15.5 and 15.6).
_REFUSED, _FAILED = 400, 500
#: A send that lasts longer has waited for the reader, and may have returned because the client hung up: the responder
#: yields to the event loop once, so that the hang-up is noticed.
BLOCKED_S = 0.005


class HttpResponder:
    """The responder of one HTTP request: it runs the app and counts what the app sends."""

    __slots__ = (
        "_channel",
        "_ended",
        "_head",
        "_marks",
        "_open",
        "_plain_stream",
        "_recorder",
        "_remaining_bytes",
        "_requested_s",
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
        marks: AppMarks,
        stamper: Stamper | None = None,
    ) -> None:
        self._requested_s = perf_counter()
        self._stamper = stamper
        self._scope = scope
        self._send = send
        self._recorder = recorder
        self._route = route
        self._marks = marks
        self._channel = ReceiveChannel(receive)
        self._head: Head | None = None
        self._stream: Stream | None = None
        #: The stream while its chunks need nothing but counting: it has no stamps and no length, and has not ended.
        self._plain_stream: Stream | None = None
        #: The active streams, which count this response although its first message may turn out to be the whole body.
        self._open: Gauge | None = None
        #: How much of a body of known length is still to be sent; None if the length is not known.
        self._remaining_bytes: int | None = None
        self._ended = False

    async def run(self, app: App) -> None:
        """Run ``app``. Count its errors and raise them again unchanged, except those that only report a hang-up.

        An error of the app's own that a hang-up led to, for example in a clean-up, counts as ``client_disconnect`` and
        is raised.
        """
        running = self._recorder.running
        running.add(self)
        try:
            await app(self._scope, self._channel.receive, self.send)
        except asyncio.CancelledError:
            self.end_at_shutdown()
            raise
        except BaseException as error:
            self._end("client_disconnect" if self._channel.disconnected and caused_by_hangup(error) else "error")
            if not is_hangup(error):
                raise
        else:
            if not self._ended and asked_to_end():  # a framework may cut its streams itself when it notices the signal
                self.end_at_shutdown()
            self._end("client_disconnect" if self._channel.disconnected else "error")
        finally:
            running.discard(self)
            self._channel.close()

    def end_at_shutdown(self) -> None:
        """Count the end of a response that the server has cut, unless the client hung up before."""
        self._end("client_disconnect" if self._channel.disconnected else "shutdown")

    async def send(self, message: Message) -> None:
        """Pass the app's message on and count it. Raise ``HangUpError`` where the server would silently drop a chunk.

        Subtle: this runs for every chunk and costs more than everything else here together. It counts the usual message
        itself: one whole chunk of an active stream, sent soon after the chunk before and of similar size. It leaves any
        other message to ``_send_other`` or ``Stream``, which give the same result.
        """
        stream, channel = self._plain_stream, self._channel
        if stream is None or not channel.watched:
            await self._send_other(message)
            return
        # Python calls what is in a variable faster than what is in a slot, which may be a method.
        size_of, pass_on, clock_s = stream.size_of, self._send, perf_counter
        try:
            body, more_body = message["body"], message["more_body"]
            size_bytes = size_of(body)
        except (KeyError, TypeError, ValueError, AttributeError):  # a field is missing, or the body is not bytes
            more_body = False
        if not more_body:
            await self._send_other(message)
            return
        before_s = clock_s()
        await pass_on(message)
        now_s = clock_s()
        if channel.disconnected:  # the client hung up during the send, so the server has dropped the message
            return
        series, interval_s = stream.series, now_s - stream.last_chunk_s
        if size_bytes and interval_s <= QUICK_S and series.lower_bound_bytes < size_bytes <= series.upper_bound_bytes:
            stream.last_chunk_s = now_s
            series.interval_s += interval_s
            series.send_s += now_s - before_s
            series.size_bytes += size_bytes
            series.quick_chunks += 1
        elif size_bytes:
            stream.count_chunks(1, size_bytes, before_s, now_s)
            if interval_s > BLOCKED_S < now_s - before_s:
                await asyncio.sleep(0)
        elif body:
            if type(body) is not bytes:  # a memoryview has none of the methods of bytes
                body = bytes(body)
            stream.count_body(body, len(body), before_s, now_s)
        if now_s > self._recorder.yield_at_s:
            await asyncio.sleep(0)  # nothing else has run for that long, so not even a hang-up was noticed

    async def _send_other(self, message: Message) -> None:
        """Pass on a message of any kind, and count it."""
        stream, channel = self._stream, self._channel
        if stream is None or message["type"] != "http.response.body" or self._ended:
            await self._send_outside_stream(message)
            return
        if channel.disconnected:
            raise HangUpError
        channel.watch()
        body = message.get("body") or b""
        body, size_bytes = bytes(body), len(body)
        if body and self._stamper is not None:
            stamped = self._stamper.stamp(body)
            message, size_bytes = {**message, "body": stamped}, len(stamped)
        if not body and not message.get("more_body"):
            channel.response_ended = True  # some servers report a disconnect as soon as they have the end
        before_s = perf_counter()
        await self._send(message)
        now_s = perf_counter()
        if self._channel.disconnected:
            return
        if body:
            stream.count_body(body, size_bytes, before_s, now_s)
        self._count_length(size_bytes)
        if self._remaining_bytes == 0 or not message.get("more_body"):
            self._end_whole()  # at the last byte of a known length, since the client may disconnect right then
        elif now_s > self._recorder.yield_at_s or now_s - before_s > BLOCKED_S:
            await asyncio.sleep(0)

    def _count_length(self, size_bytes: int) -> None:
        if self._remaining_bytes is not None:
            self._remaining_bytes -= size_bytes

    def _end_whole(self) -> None:
        """End a response whose last byte was sent; one that is shorter or longer than announced is an error."""
        self._end("error" if self._remaining_bytes else "completed")

    async def _send_outside_stream(self, message: Message) -> None:
        """Pass on a message that is not part of a stream's body; start a stream if the message shows that it is one."""
        kind = message["type"]
        if kind == "http.response.start":
            await self._send(self._begin(message))
            return
        if kind == "http.response.zerocopysend":
            await self._send_file_part(message)
            return
        if kind == "http.response.body" and self._head is not None and not self._ended:
            size_bytes = len(message.get("body") or b"")
            if message.get("more_body"):
                if self._is_part(self._head, size_bytes):
                    self._start_stream(self._head)
                    await self._send_other(message)
                    return
                if self._channel.disconnected:
                    raise HangUpError
                self._channel.watch()
            self._count_length(size_bytes)
        await self._send(message)
        if kind == "http.response.pathsend":
            self._end("completed")
        elif kind == "http.response.body" and not message.get("more_body") and not self._channel.disconnected:
            self._end_whole()

    def _is_part(self, head: Head, size_bytes: int) -> bool:
        """Return whether a message of this size, after which more comes, is only a part of a body."""
        return head.has_body and not self._marks.rejected and size_bytes != head.content_length

    def _begin(self, message: Message) -> Message:
        """Read the head, and start a stream if it shows one; return the message to send."""
        head = self._head = Head(message, self._scope["method"])
        if self._stamper is not None:
            if Stamper.can_stamp(head) and head.has_body:
                message = Stamper.announce(message)
            else:
                self._stamper = None
        if head.has_body and not self._marks.rejected:
            self._remaining_bytes = head.content_length
            if head.streams:
                self._start_stream(head)
            elif head.content_length is None:
                self._open = self._recorder.active(self._route(), protocol_of(head.content_type))
                self._open.inc()
        return message

    async def _send_file_part(self, message: Message) -> None:
        """Pass on a part of the body that the server itself reads from a file. It is a chunk if its size is known."""
        before_s, count = perf_counter(), message.get("count")
        await self._send(message)
        if count:
            self._count_length(count)
        else:  # to the end of the file, however long it is
            self._remaining_bytes = None
        if self._stream is not None and count and not self._channel.disconnected:
            self._stream.count_chunks(1, count, before_s, perf_counter())
        if not message.get("more_body") and not self._channel.disconnected:
            self._end_whole()

    def _start_stream(self, head: Head) -> None:
        counter = counter_for(head.content_type, head.content_encoding)
        series = self._recorder.series(self._route(), protocol_of(head.content_type))
        self._stream = Stream(series, counter, self._requested_s, head.status)
        self._close_open()
        if self._stamper is None and self._remaining_bytes is None:
            self._plain_stream = self._stream

    def _close_open(self) -> None:
        if self._open is not None:
            self._open.dec()
            self._open = None

    def _end(self, outcome: str) -> None:
        """Count the end, once: of a stream by its outcome, of any other response by its status."""
        if self._ended:
            return
        self._ended = self._channel.response_ended = True
        self._plain_stream = None
        if self._open is not None and outcome != "completed" and self._head is not None:
            self._start_stream(self._head)  # it began, and then ended without its body
        if self._stream is not None:
            self._stream.end(self._marks.outcome or self._judged(outcome), cleanly=outcome == "completed")
            return
        self._close_open()
        method = self._scope["method"] if self._scope["method"] in METHODS else "other"
        duration_s = perf_counter() - self._requested_s
        self._recorder.count_request(self._route(), method, self._status_code(outcome), duration_s)

    def _judged(self, outcome: str) -> str:
        """Return the outcome of a stream, by its status where that is an error: it has failed, however it ended."""
        if outcome in ("completed", "client_disconnect") and self._head is not None and self._head.status >= _REFUSED:
            return "error" if self._head.status >= _FAILED else "refused"
        return outcome

    def _status_code(self, outcome: str) -> str:
        """Return the status label of a request: 500 if the app failed, even after it sent another status."""
        if self._head is None:
            return str(CLIENT_CLOSED_REQUEST if self._channel.disconnected else _FAILED)
        return str(_FAILED if outcome == "error" and self._head.status < _FAILED else self._head.status)
