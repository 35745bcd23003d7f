"""What a record says of its first chunk."""

from streamgauge.stats.record import StreamRecord


def longest_first_chunk_s(record: StreamRecord) -> float:
    """The time to first chunk, at the most where it is a range: after a read of several chunks, or a wait for a CPU."""
    assert record.time_to_first_chunk_s is not None
    return (record.time_to_first_chunk_range_s or (0.0, record.time_to_first_chunk_s))[1]
