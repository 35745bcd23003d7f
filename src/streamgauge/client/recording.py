"""From what an exchange knows at its end to the record of the stream."""

from streamgauge.client.read.body import BodyReader
from streamgauge.client.read.chunk_checks import Settled
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.stats.record import StreamRecord
from streamgauge.wire.http1_head import Head


def record_of(
    name: str,
    protocol: str,
    ended: Settled,
    end_ns: int,
    timer: ChunkTimer,
    head: Head | None,
    body: BodyReader | None,
) -> StreamRecord:
    """The record of a stream that ended at ``end_ns`` (monotonic), with a head and a body where it got so far."""
    outcome, reason = ended
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
        bytes=body.bytes if body else 0,
        heartbeats=body.heartbeats if body else 0,
        stalls=timer.stalls,
        coalesced=timer.coalesced,
        max_chunk_interval_s=timer.max_interval_ns / 1e9 if timer.chunks > 1 else None,
        reason=reason,
        **(body.checks.findings() if body else {}),
    )


def _first_chunk_range_s(timer: ChunkTimer) -> tuple[float, float] | None:
    range_ns = timer.first_chunk_range_ns
    return None if range_ns is None else (range_ns[0] / 1e9, range_ns[1] / 1e9)
