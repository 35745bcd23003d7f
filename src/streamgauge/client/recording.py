"""Counts one stream from its start to its record, over all its connections."""

from typing import Any

from streamgauge.client.plan import StreamPlan
from streamgauge.client.read.body import BodyReader
from streamgauge.client.read.chunk_checks import Ending
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.wire.format import Format
from streamgauge.wire.formats import may_be_shown, resolve
from streamgauge.wire.framing import Framing
from streamgauge.wire.http1_head import Head
from streamgauge.wire.sequence import SequenceCheck


class Recording:
    """The counts of one stream, which starts when this is made."""

    __slots__ = (
        "_bytes",
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

    def __init__(self, plan: StreamPlan, process_stats: ProcessStats) -> None:
        self._plan, self._process_stats = plan, process_stats
        #: What the stream counts under, and what its response can be read as.
        self._format = self._found = plan.format
        self._stats = process_stats.begin(plan.name, plan.format.name)
        self.timer = ChunkTimer(self._stats, process_stats.now_ns(), round(plan.limits.stall_threshold_s * 1e9))
        #: The head of the last response; None if none came.
        self.head: Head | None = None
        #: Of the bodies that are not read any further.
        self._bytes = self._heartbeats = 0
        #: Goes on over all connections; None if the plan checks no numbers.
        self._sequence = None if plan.sequence is None else SequenceCheck()
        #: Further fields of the record.
        self._findings: dict[str, Any] = {}

    def begin_response(self, head: Head) -> None:
        """Keep the head of the last response."""
        self.head = head

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
        settle = None if self._found is self._format else self._settle
        return BodyReader(self._plan, head, self._found, framing, self._stats, self.timer, self._sequence, settle)

    def end_body(self, body: BodyReader) -> None:
        """Add a body that is not read any further."""
        body.settle()
        self._bytes += body.bytes
        self._heartbeats += body.heartbeats
        self._findings = body.checks.findings()
        if body.quoted:
            self._findings["quoted"] = body.quoted

    def end(self, ending: Ending, end_ns: int, reconnects: int) -> StreamRecord:
        """Return the record of the stream, which ended at ``end_ns`` (monotonic)."""
        self._settle(self._found)
        timer, head = self.timer, self.head
        outcome, reason = ending
        return StreamRecord(
            name=self._plan.name,
            protocol=self._format.name,
            outcome=outcome,
            start_s=timer.start_ns / 1e9,
            duration_s=max(0, end_ns - timer.start_ns) / 1e9,
            status=head.status if head else None,
            headers=head.fields if head else {},
            time_to_first_chunk_s=None if timer.first_ns is None else (timer.first_ns - timer.start_ns) / 1e9,
            time_to_first_chunk_range_s=_first_chunk_range_s(timer),
            chunks=timer.chunks,
            bytes=self._bytes,
            heartbeats=self._heartbeats,
            stalls=timer.stalls,
            coalesced=timer.coalesced,
            max_chunk_interval_s=timer.max_interval_ns / 1e9 if timer.chunks > 1 else None,
            reconnects=reconnects,
            reason=reason,
            **self._findings,
        )

    def count(self, record: StreamRecord) -> None:
        """Count the stream as ended so."""
        self._process_stats.end(self._stats, record)


def _first_chunk_range_s(timer: ChunkTimer) -> tuple[float, float] | None:
    range_ns = timer.first_chunk_range_ns
    return None if range_ns is None else (range_ns[0] / 1e9, range_ns[1] / 1e9)
