"""The sizes of chunks are their contents', however they are framed and read."""

import pytest

from streamgauge.client.blocking import run_streams
from streamgauge.stats.process_stats import ProcessStats

READ = "read"
SIZES = (6, 7, 300, 70_000)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def events() -> list[bytes]:
    return [b"data: " + b"x" * (size - 6) + b"\n\n" for size in SIZES]


def lines() -> list[bytes]:
    return [b"1" * size + b"\n" for size in SIZES]


def raw() -> list[bytes]:
    return [b"x" * size for size in SIZES]


@pytest.mark.parametrize("pause", [[READ], []], ids=["a read each", "read together"])
@pytest.mark.parametrize(
    ("protocol", "content_type", "bodies"),
    [
        ("sse", b"text/event-stream", events()),
        ("ndjson", b"application/x-ndjson", [*lines()[:-1], lines()[-1].rstrip()]),
        ("raw", b"application/octet-stream", raw()),
    ],
    ids=["sse", "ndjson", "raw"],
)
def test_each_chunk_counts_with_its_size(plan, protocol, content_type, bodies, pause):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: " + content_type + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    script = [head, *(step for body in (bodies[0], *bodies) for step in (*pause, chunk(body)))]
    process_stats = ProcessStats()
    run_streams([plan([*script, *pause, b"0\r\n\r\n"], protocol=protocol)], process_stats)
    (stats,) = process_stats.all_stats.values()
    assert stats.chunk_sizes.counts == [3, 0, 1, 0, 0, 0, 1, 0, 0]
    assert stats.chunk_sizes.sum_bytes == sum(SIZES) + SIZES[0]
