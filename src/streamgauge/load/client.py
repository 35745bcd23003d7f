"""The client of a Locust user: each call makes one stream, one record, and one ``request`` event."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gevent

from streamgauge.client.backoff import Backoff
from streamgauge.client.http.arguments import HeaderArgument, ParamsArgument, check_callbacks, read_arguments
from streamgauge.client.http.request import body_of
from streamgauge.client.http.statuses import Named as NamedStatuses
from streamgauge.client.http.statuses import read_statuses
from streamgauge.client.plan import Limits, OnChunk, PlanError, StreamFailed, StreamPlan, format_named
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.read.send_stamps import REQUEST_FIELDS
from streamgauge.load.calls import MAX_REDIRECTS
from streamgauge.load.caught import LEAVING, CaughtRecord
from streamgauge.load.plain_requests import PlainRequests
from streamgauge.load.plan_cache import shared_plans
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.wire.format import Format
from streamgauge.wire.formats import FORMATS
from streamgauge.wire.messages import Send, read_send
from streamgauge.wire.rules import Named, read_chunk, read_end, read_error
from streamgauge.wire.sequence import Numbering, read_numbering

if TYPE_CHECKING:
    from locust.env import Environment


def can_ask_for_usage(wire_format: Format, json: Any, data: bytes | str | None) -> bool:
    """Whether a request with this body can ask for the server's count of tokens, which it does not do by itself."""
    ask = wire_format.asking_for_usage
    return ask is not None and ask(body_of(json, data)[0]) is not None


def _asking_for_usage(wire_format: Format, body: bytes) -> bytes:
    """Return the body that also asks for the server's count of tokens. Raises PlanError."""
    if wire_format.asking_for_usage is None:
        able = " or ".join(each.name for each in FORMATS.values() if each.asking_for_usage)
        raise PlanError(f"include_usage: only for protocol {able}, and the protocol is {wire_format.name}")
    asking = wire_format.asking_for_usage(body)
    if asking is None:
        raise PlanError(f'include_usage: expected a JSON body with "stream": true, got {body[:40]!r}')
    return asking


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
        self._plans = shared_plans(self._headers or {}, self._run_limits, self._network)
        #: How much later than scheduled the user's present iteration began, ns. Its first stream takes it.
        self.behind_ns: int | None = None
        #: The last record that the scenario may judge.
        self._caught: CaughtRecord | None = None

    def stream(
        self,
        method: str,
        url: str,
        *,
        protocol: str = "auto",
        end: Named | None = None,
        error: Named | None = None,
        chunk: Named | None = None,
        status: NamedStatuses | None = None,
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
        include_usage: bool = False,
        read_rate: float | None = None,
        receive_window_bytes: int | None = None,
        reconnect: int = 0,
        catch_response: bool = False,
        **limits: Any,
    ) -> StreamRecord:
        """Run one stream to its end and return its record; the calling greenlet waits until then.

        ``url`` is a path below the host, or a whole URL. ``protocol``: ``auto`` (by content type, and by the first
        chunk of a language model's stream), ``sse``, ``ndjson``, ``raw``, ``multipart``; ``openai``,
        ``openai-responses``, ``anthropic``, ``gemini``, ``ollama``; or ``websocket``. The stream is counted under
        ``name``, by default the path.

        On a WebSocket ``json`` or ``data`` is the first message sent. ``send`` says what follows: one message, a list
        of messages to send at once or with ``Pause(seconds)`` between them, or a callable. It gets None when the
        WebSocket is open and then each chunk, and returns one message, a list, or None; like ``on_chunk`` it must not
        block. A message is a text, bytes (a binary message) or a value to send as JSON; a JSON array goes into a list
        of its own. Sec-WebSocket-Protocol among ``headers`` asks for subprotocols; an empty Sec-WebSocket-Extensions
        keeps the client from offering compression.

        ``end`` is the named end of a complete stream, ``error`` says which events, lines or messages report that it
        failed, and ``chunk`` which of them are chunks; others count as heartbeats. Each is ``event:NAME``,
        ``data:TEXT``, ``json:MEMBER`` (a path such as ``choices.0.finish_reason``; there, and neither null nor false),
        ``json:MEMBER=VALUE``, any of these after ``not``, a callable that gets the parsed event, line or message, or
        a list of them; an end can be ``chunks:N`` too. ``end="off"`` and ``error="off"`` name none; ``chunk="any"``
        counts all. Without them the format decides. Once the named end has come, the response gets a second to end;
        then the client hangs up, and the stream has completed. ``status`` names the acceptable statuses, such as
        ``"2xx,429"``: a stream that is refused with one of them has completed.

        ``on_chunk`` gets each parsed chunk inside the event loop: it must not block, and hangs up by returning False.
        It fails the stream by raising ``StreamFailed("reason")``, or anything else, which is passed on. With
        ``catch_response`` the scenario judges the record as with Locust's own clients: ``with
        self.client.stream(…, catch_response=True) as record: record.failure("reason")``, or ``record.success()``.

        ``sequence`` says where each chunk's
        number is: ``id`` (of an SSE event), ``json:KEY``, or a callable on the chunk. ``stamped`` asks the server for
        send stamps, from which chunk delay is measured: ``StreamMetrics(app, stamps=True)`` adds them to event
        streams. ``include_usage`` adds to the JSON body of an ``openai`` stream that the server is to send its count of
        tokens (``stream_options.include_usage``). ``reconnect`` is how many times the client reconnects an event stream
        that breaks off or lacks its named end. It reconnects as browsers do: with ``Last-Event-ID``, after the time in
        the stream's ``retry``. All connections are one stream with one record.
        ``limits``: ``first_chunk_timeout_s``, ``idle_timeout_s`` and ``total_timeout_s`` in seconds, None for no limit;
        ``stall_threshold_s`` and ``max_chunk_bytes``, which are always numbers.

        ``read_rate`` makes a slow reader of the user: it reads at most so many bytes per second, TLS's own included, so
        that what the server sends comes to wait. Limits for the next chunk then count from the last read.
        ``receive_window_bytes`` limits how much the kernel takes before it is read.

        ``headers``, ``params``, ``data`` (also a form, or an open file), ``auth=(user, password)``, ``cookies`` and
        ``allow_redirects`` are as in requests.

        A failure of the stream is the record's outcome. A wrong argument raises ``TargetError``, ``RequestError``,
        ``PlanError``, ``RuleError``, ``StatusError`` or ``SendError``, all ValueErrors; a wrong name or type raises
        TypeError, and ends a run that has had no stream. What callables raise is passed on, and fails the stream.
        """
        call = (
            *(method, url, self.host, protocol, end, error, chunk, status, name, headers, params, json, data, send),
            *(
                self.limits,
                on_chunk,
                max_redirects,
                sequence,
                stamped,
                include_usage,
                reconnect,
                catch_response,
                read_rate,
                receive_window_bytes,
                limits or None,
            ),
        )
        plan = self._plans.of(call, self._planned)
        behind_ns, self.behind_ns = self.behind_ns, None  # of this stream alone, while others share the plan
        return self._run(plan, behind_ns)

    def _planned(
        self,
        method: str,
        url: str,
        _host: str | None,
        protocol: str,
        end: Named | None,
        error: Named | None,
        chunk: Named | None,
        status: NamedStatuses | None,
        name: str | None,
        headers: HeaderArgument,
        params: ParamsArgument,
        json: Any,
        data: Any,
        send: Send | None,
        _default_limits: Limits,
        on_chunk: OnChunk | None,
        max_redirects: int,
        sequence: Numbering | None,
        stamped: bool,
        include_usage: bool,
        reconnect: int,
        catch_response: bool,
        read_rate: float | None,
        receive_window_bytes: int | None,
        limits: dict[str, Any] | None,
    ) -> StreamPlan:
        """Make the plan of a call of ``stream``; raise what that raises for a wrong argument.

        Host and default limits are among the arguments because another plan is due once a scenario sets others.
        """
        limits = dict(limits or {})
        wire_format = format_named(protocol)
        try:
            given = read_arguments(headers, params, json, data, limits)
            if limits.pop("stream", True) is not True:
                raise TypeError("stream: a stream is never read whole; use self.client.request()")
            check_callbacks(on_chunk=on_chunk, end=end, error=error, chunk=chunk, sequence=sequence)
            its_limits = self._limits(limits)
        except TypeError as problem:
            self._refuse_call("stream", problem)
            raise
        if include_usage:
            given = replace(given, body=_asking_for_usage(wire_format, given.body))
        ours = {"Accept": wire_format.accept, **(REQUEST_FIELDS if stamped else {})}
        request = self._request(method, url, given, ours)
        return StreamPlan(
            name or request.target.resource.partition("?")[0],
            request,
            wire_format,
            read_end(end),
            its_limits,
            read_error(error),
            read_chunk(chunk),
            read_statuses(status),
            on_chunk,
            LEAVING,
            catch_response,
            max_redirects if given.max_redirects is None else given.max_redirects,
            read_numbering(sequence),
            stamped,
            reconnect,
            read_send(send),
            read_rate,
            receive_window_bytes,
        )

    def _run(self, plan: StreamPlan, behind_ns: int | None) -> StreamRecord:
        self._settle_caught()
        self._wait_after_refusals()
        started_at = time.time()
        exchange, drive = self._begun_short(plan, self._process_context)
        if behind_ns is not None:
            exchange.count_from_schedule(behind_ns)

        def settle(record: StreamRecord) -> None:
            if plan.checked_later:
                exchange.settle(record)
            if self._backoff is not None:
                self._backoff.ended(record, time.monotonic())
            self._report(record, started_at)

        judged = False
        try:
            drive()
            judged = plan.checked_later and not exchange.raised
        finally:  # the run's end may stop a user whose stream has just ended
            if not judged:
                settle(exchange.record)
        if not judged:
            return exchange.result()
        self._caught = CaughtRecord.of(exchange.record, settle)
        return self._caught

    def _settle_caught(self) -> None:
        """Count a record that the scenario could have judged, and did not use in a ``with`` block."""
        if self._caught is not None and self._caught.waits:
            self._caught.settle()
        self._caught = None

    def _wait_after_refusals(self) -> None:
        if self._backoff is not None and (left_s := self._backoff.left_s(time.monotonic())):
            self._pause(left_s)

    def _report(self, record: StreamRecord, started_at: float) -> None:
        """Fire the event of this stream. A censored stream is neither a success nor a failure, so it has no event."""
        if record.outcome is Outcome.CENSORED:
            return
        self._environment.events.request.fire(
            request_type=FORMATS[record.protocol].request_type,
            name=record.name,
            response_time=record.duration_s * 1000,
            response_length=record.bytes,
            exception=StreamFailed(self._process_context.process_stats.examples.reason_of(record))
            if record.failed
            else None,
            context=self._context(),
            response=record,
            start_time=started_at,
            url=record.url,
        )

    def close(self) -> None:
        """Close the idle connections."""
        self._settle_caught()
        super().close()
