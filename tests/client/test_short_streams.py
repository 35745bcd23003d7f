"""A response that is a single segment: its chunks share a read, and their times are exact."""

import pytest

from streamgauge.client.connect.stamped_socket import HAS_KERNEL_STAMPS

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 27\r\n\r\n" + b"data: 1\n\n" * 3


@pytest.mark.usefixtures("cpu_to_spare")
@pytest.mark.skipif(not HAS_KERNEL_STAMPS, reason="the kernel's count of segments is Linux's")
def test_the_chunks_of_one_segment_have_exact_times(talk, plan):
    for _ in range(2):  # the second on the connection of the first
        record = talk.stream(plan([0.02, WHOLE]))
        assert (record.outcome, record.chunks, record.coalesced) == ("completed", 3, 3)
        assert record.time_to_first_chunk_range_s is None
        assert 0.02 <= record.time_to_first_chunk_s <= record.duration_s
        assert record.max_chunk_interval_s == 0.0
