"""The client of a Locust user: each call makes one stream, one record, and one ``request`` event."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gevent

from streamgauge.client.backoff import Backoff
from streamgauge.client.http.arguments import HeaderArgument, ParamsArgument, check_callbacks, read_arguments
from streamgauge.client.plan import OnChunk, StreamPlan, format_named
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.read.send_stamps import REQUEST_FIELDS
from streamgauge.load.calls import MAX_REDIRECTS
from streamgauge.load.plain_requests import PlainRequests
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.wire.end import End, read_end
from streamgauge.wire.formats import FORMATS
from streamgauge.wire.messages import Send, read_send
from streamgauge.wire.sequence import Numbering, read_numbering

if TYPE_CHECKING:
    from locust.env import Environment


class StreamFailed(Exception):
    """The failure of a stream, as Locust's tables show it."""


class StreamClient(PlainRequests):
    """Runs streams to one host, and plain requests beside them; see ``Calls`` for its arguments.

    After refusals, ``pause`` waits until ``backoff`` allows the next stream.
    """

    def __init__(
        self,
        environment: "Environment",
        process_context: ProcessContext,
        host: str | None,
        *,
        backoff: Backoff | None = None,
        pause: Callable[[float], None] = gevent.sleep,
        **settings: Any,
    ) -> None:
        super().__init__(environment, process_context, host, **settings)
        self._backoff = backoff
        self._pause = pause

    def stream(
        self,
        method: str,
        url: str,
        *,
        protocol: str = "auto",
        end: End | None = None,
        name: str | None = None,
        headers: HeaderArgument = None,
        params: ParamsArgument = None,
        json: Any = None,
        data: Any = None,
        send: Send | None = None,
        on_chunk: OnChunk | None = None,
        max_redirects: int = MAX_REDIRECTS,
        sequence: Numbering | None = None,
        stamped: bool = False,
        reconnect: int = 0,
        **limits: Any,
    ) -> StreamRecord:
        """Run one stream to its end and return its record; the calling greenlet waits until then.

        ``url`` is a path below the host, or a whole URL. ``protocol``: ``auto`` (by content type), ``sse``, ``ndjson``,
        ``raw``, ``multipart``, ``openai``, or ``websocket``. On a WebSocket ``json`` or ``data`` is the first message
        sent. ``send`` says what follows: one message, a list of messages to send at once, or a callable. It gets None
        when the WebSocket is open and then each chunk, and returns one message, a list, or None; like ``on_chunk`` it
        must not block. A message is a text, bytes (a binary message) or a value to send as JSON; a JSON array goes into
        a list of its own. Sec-WebSocket-Protocol among ``headers`` asks for subprotocols; an empty
        Sec-WebSocket-Extensions keeps the client from offering compression.
        ``end`` is the named end of a complete stream: ``event:NAME``, ``data:TEXT``, ``chunks:N``, or a callable that
        gets each chunk. The stream is counted under ``name``, by default the path. ``on_chunk`` gets each parsed chunk
        inside the event loop: it must not block, and hangs up by returning False. ``sequence`` says where each chunk's
        number is: ``id`` (of an SSE event), ``json:KEY``, or a callable on the chunk. ``stamped`` asks the server for
        send stamps, from which chunk delay is measured: ``StreamMetrics(app, stamps=True)`` adds them to event
        streams. ``reconnect`` is how many times the client reconnects an event stream that breaks off or lacks its
        named end. It reconnects as browsers do: with ``Last-Event-ID``, after the time in the stream's ``retry``. All
        connections are one stream with one record.
        ``limits``: ``first_chunk_timeout_s``, ``idle_timeout_s`` and ``total_timeout_s`` in seconds, None for no limit;
        ``stall_threshold_s`` and ``max_chunk_bytes``, which are always numbers.

        ``headers``, ``params``, ``data`` (also a form, or an open file), ``auth=(user, password)``, ``cookies`` and
        ``allow_redirects`` are as in requests.

        A failure of the stream is the record's outcome. A wrong argument raises ``TargetError``, ``RequestError``,
        ``PlanError``, ``EndError`` or ``SendError``, all ValueErrors; a wrong name or type raises TypeError, and ends a
        run that has had no stream. Exceptions of ``end``, ``on_chunk`` and ``send`` are passed on.
        """
        try:
            given = read_arguments(headers, params, json, data, limits)
            if limits.pop("stream", True) is not True:
                raise TypeError("stream: a stream is never read whole; use self.client.request()")
            check_callbacks(on_chunk=on_chunk, end=end, sequence=sequence)
            its_limits = self._limits(limits)
        except TypeError as error:
            self._refuse_call("stream", error)
            raise
        wire_format = format_named(protocol)
        ours = {"Accept": wire_format.accept, **(REQUEST_FIELDS if stamped else {})}
        request = self._request(method, url, given, ours)
        plan = StreamPlan(
            name or request.target.resource.partition("?")[0],
            request,
            wire_format,
            read_end(end),
            its_limits,
            on_chunk,
            max_redirects if given.max_redirects is None else given.max_redirects,
            read_numbering(sequence),
            stamped,
            reconnect,
            read_send(send),
        )
        return self._run(plan)

    def _run(self, plan: StreamPlan) -> StreamRecord:
        self._wait_after_refusals()
        started_at = time.time()
        exchange, drive = self._begun(plan, self._process_context)
        try:
            drive()
        finally:  # the run's end may stop a user whose stream has just ended
            if self._backoff is not None:
                self._backoff.ended(exchange.record, time.monotonic())
            self._report(exchange.record, started_at)
        return exchange.result()

    def _wait_after_refusals(self) -> None:
        if self._backoff is not None and (left_s := self._backoff.left_s(time.monotonic())):
            self._pause(left_s)

    def _report(self, record: StreamRecord, started_at: float) -> None:
        """Fire the event of this stream. A censored stream is neither a success nor a failure, so it has no event."""
        if record.outcome is Outcome.CENSORED:
            return
        reason = self._process_context.process_stats.reason_names.of(record.reason)
        self._environment.events.request.fire(
            request_type=FORMATS[record.protocol].request_type,
            name=record.name,
            response_time=record.duration_s * 1000,
            response_length=record.bytes,
            exception=StreamFailed(f"{record.outcome}: {reason}") if record.failed else None,
            context=self._context(),
            response=record,
            start_time=started_at,
            url=record.url,
        )
