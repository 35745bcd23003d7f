"""Counts one stream from its start to its record, over all its connections."""

from typing import Any

from streamgauge.client.plan import StreamPlan
from streamgauge.client.read.body import BodyReader
from streamgauge.client.read.chunk_checks import Ending
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.read.sleep_mark import SleepMark
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.stats.record import Headers, StreamRecord
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.stats.visible_text import visible
from streamgauge.wire.format import Format
from streamgauge.wire.formats import may_be_shown, resolve
from streamgauge.wire.framing import Framing
from streamgauge.wire.http1_head import Head
from streamgauge.wire.sequence import SequenceCheck


class Recording:
    """The counts of one stream, which starts when this is made."""

    __slots__ = (
        "_behind_ns",
        "_bytes",
        "_earliest_close_ns",
        "_findings",
        "_format",
        "_found",
        "_heartbeats",
        "_plan",
        "_process_stats",
        "_sequence",
        "_stats",
        "head",
        "timer",
    )

    def __init__(self, plan: StreamPlan, context: ProcessContext) -> None:
        self._plan, self._process_stats = plan, context.process_stats
        #: What the stream counts under, and what its response can be read as.
        self._format = self._found = plan.format
        self._stats = self._process_stats.begin(plan.name, plan.format.name)
        now_ns, stall_ns = self._process_stats.now_ns, round(plan.limits.stall_threshold_s * 1e9)
        self.timer = ChunkTimer(self._stats, now_ns(), stall_ns, SleepMark(context.cpu_busy_ns, now_ns))
        #: How long before that an open model scheduled the start, ns; None if it did not schedule the stream.
        self._behind_ns: int | None = None
        #: The earliest time at which the last connection can have closed; None if it has not.
        self._earliest_close_ns: int | None = None
        #: The head of the last response; None if none came.
        self.head: Head | None = None
        #: Of the bodies that are not read any further.
        self._bytes = self._heartbeats = 0
        #: Goes on over all connections; None if the plan checks no numbers.
        self._sequence = None if plan.sequence is None else SequenceCheck()
        #: Further fields of the record.
        self._findings: dict[str, Any] = {}

    def count_from_schedule(self, behind_ns: int) -> None:
        """Let the stream's times begin at its scheduled start, ``behind_ns`` before its actual one."""
        self._behind_ns = self.timer.behind_ns = behind_ns

    def begin_response(self, head: Head) -> None:
        """Keep the head of the last response."""
        self.head = head

    def settle_as(self, wire_format: Format) -> None:
        """Count under ``wire_format``, which the response has."""
        self._found = wire_format
        self._settle(wire_format)

    def set_format(self, head: Head) -> None:
        """Count under the format of this response, unless the first chunk may show another."""
        self._found = resolve(self._format, head.fields.get("content-type", ""))
        if not (self._plan.is_open and may_be_shown(self._found)):
            self._settle(self._found)

    def _settle(self, found: Format) -> StreamStats:
        """Count under ``found`` from now on."""
        if found is not self._format:
            self._format = self._found = found
            self._stats = self._process_stats.change_protocol(self._stats, self._plan.name, found.name)
            self.timer.count_in(self._stats)
        return self._stats

    def begin_body(self, head: Head, framing: Framing) -> BodyReader:
        """Return the reader of a body. Raises ProtocolError if it cannot be read."""
        self._earliest_close_ns = None
        settle = None if self._found is self._format else self._settle
        return BodyReader(self._plan, head, self._found, framing, self._stats, self.timer, self._sequence, settle)

    def end_body(self, body: BodyReader) -> None:
        """Add a body that is not read any further."""
        body.settle()
        self._bytes += body.bytes
        self._heartbeats += body.heartbeats
        self._findings = body.checks.findings()
        if body.quotes.quoted:
            self._findings["quoted"] = body.quotes.quoted

    def add_body(self, size_bytes: int) -> None:
        """Add a body of which only the bytes are to be added."""
        self._bytes += size_bytes
        self._stats.bytes += size_bytes

    def note_close(self, floor_ns: int, now_ns: int) -> None:
        """Note that the peer closed the connection, between ``floor_ns`` and now.

        It did so after the last chunk, and unless the generator was late, just now.
        """
        timer = self.timer
        self._earliest_close_ns = max(timer.sleep.earliest_ns(floor_ns, now_ns), timer.last.earliest_ns)

    def end(self, ending: Ending, end_ns: int, reconnects: int, url: str) -> StreamRecord:
        """Return the record of the stream, which ended at ``end_ns`` (monotonic); ``url`` is its last request's."""
        self._settle(self._found)
        timer, head = self.timer, self.head
        outcome, reason = ending
        first_s, first_range_s = _seconds(*(timer.time_to_first_chunk_ns or (None, None)))
        duration_s, duration_range_s = _seconds(*self._duration_ns(end_ns))
        assert duration_s is not None
        return StreamRecord(
            name=self._plan.name,
            protocol=self._format.name,
            outcome=outcome,
            start_s=timer.counted_from_ns / 1e9,
            duration_s=duration_s,
            duration_range_s=duration_range_s,
            start_delay_s=None if self._behind_ns is None else self._behind_ns / 1e9,
            status=head.status if head else None,
            headers=Headers(head.fields) if head else Headers(),
            time_to_first_chunk_s=first_s,
            time_to_first_chunk_range_s=first_range_s,
            chunks=timer.chunks,
            bytes=self._bytes,
            heartbeats=self._heartbeats,
            stalls=timer.stalls,
            coalesced=timer.coalesced,
            max_chunk_interval_s=timer.max_interval_ns / 1e9 if timer.chunks > 1 else None,
            reconnects=reconnects,
            slowed=int(self._plan.read_rate is not None),
            reason=visible(reason),
            url=url,
            **self._findings,
        )

    def count(self, record: StreamRecord) -> None:
        """Count the stream as ended so."""
        self._process_stats.end(self._stats, record)

    def _duration_ns(self, end_ns: int) -> tuple[int, tuple[int, int] | None]:
        """Return the duration, and its range if it is not exactly known."""
        timer, earliest_ns = self.timer, self._earliest_close_ns
        begin_ns, delay_ns = timer.counted_from_ns, timer.possible_delay_ns
        most_ns = max(0, end_ns - begin_ns)
        if earliest_ns is None and not delay_ns:
            return most_ns, None
        earliest_ns = end_ns if earliest_ns is None else min(earliest_ns, end_ns)
        least_ns = max(0, earliest_ns - begin_ns - delay_ns)
        return (least_ns + most_ns) // 2, (None if least_ns == most_ns else (least_ns, most_ns))


def _seconds(value_ns: int | None, range_ns: tuple[int, int] | None) -> tuple[float | None, tuple[float, float] | None]:
    return (
        None if value_ns is None else value_ns / 1e9,
        None if range_ns is None else (range_ns[0] / 1e9, range_ns[1] / 1e9),
    )
