"""What a stream has received over all its connections, and the record that it ends with."""

from typing import Any

from streamgauge.client.plan import StreamPlan
from streamgauge.client.read.body import BodyReader
from streamgauge.client.read.chunk_checks import Ending
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.stats.record import StreamRecord
from streamgauge.wire.http1_head import Head
from streamgauge.wire.sequence import SequenceCheck


class Received:
    """The last response's head, and the sums over all bodies that were read."""

    __slots__ = ("bytes", "findings", "head", "heartbeats", "sequence")

    def __init__(self, plan: StreamPlan) -> None:
        #: None if no response came.
        self.head: Head | None = None
        self.bytes = self.heartbeats = 0
        #: Goes on over all connections; None if the plan checks no numbers.
        self.sequence = None if plan.sequence is None else SequenceCheck()
        #: Further fields of the record.
        self.findings: dict[str, Any] = {}

    def add(self, body: BodyReader) -> None:
        """Add a body that is not read any further."""
        self.bytes += body.bytes
        self.heartbeats += body.heartbeats
        self.findings = body.checks.findings()


def record_of(
    name: str, protocol: str, ending: Ending, end_ns: int, timer: ChunkTimer, received: Received, reconnects: int
) -> StreamRecord:
    """Make the record of a stream that ended at ``end_ns`` (monotonic)."""
    outcome, reason = ending
    head = received.head
    return StreamRecord(
        name=name,
        protocol=protocol,
        outcome=outcome,
        start_s=timer.start_ns / 1e9,
        duration_s=max(0, end_ns - timer.start_ns) / 1e9,
        status=head.status if head else None,
        headers=head.fields if head else {},
        time_to_first_chunk_s=None if timer.first_ns is None else (timer.first_ns - timer.start_ns) / 1e9,
        time_to_first_chunk_range_s=_first_chunk_range_s(timer),
        chunks=timer.chunks,
        bytes=received.bytes,
        heartbeats=received.heartbeats,
        stalls=timer.stalls,
        coalesced=timer.coalesced,
        max_chunk_interval_s=timer.max_interval_ns / 1e9 if timer.chunks > 1 else None,
        reconnects=reconnects,
        reason=reason,
        **received.findings,
    )


def _first_chunk_range_s(timer: ChunkTimer) -> tuple[float, float] | None:
    range_ns = timer.first_chunk_range_ns
    return None if range_ns is None else (range_ns[0] / 1e9, range_ns[1] / 1e9)
