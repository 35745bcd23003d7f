"""What a stream holds does not grow with its chunks: they are counted and dropped."""

import random
import tracemalloc
from dataclasses import dataclass

import pytest

from streamgauge.client.connect.target import target_of
from streamgauge.client.http.request import Request
from streamgauge.client.plan import StreamPlan
from streamgauge.client.read.body import BodyReader
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.wire.formats import FORMATS
from streamgauge.wire.http1_body import framing_of
from streamgauge.wire.http1_head import HeadParser
from streamgauge.wire.sequence import SequenceCheck, read_numbering

TYPES = {"sse": b"text/event-stream", "ndjson": b"application/jsonl", "raw": b"text/plain"}
READS, WARM_READS = 16_000, 4_000
#: A list of the chunks would hold more for each, its reference alone. What the histograms gather comes and goes.
LESS_THAN_A_CHUNK_BYTES = 8


@dataclass
class FakeClock:
    floor_ns: int = 0


def event(protocol: str, number: int) -> bytes:
    data = b'{"n":%d}\n' % number
    framed = b"id: %d\ndata: %b\n" % (number, data) if protocol == "sse" else data
    return b"%x\r\n%b\r\n" % (len(framed), framed)


def feed(body: BodyReader, protocol: str, reads: range, dice: random.Random) -> None:
    """Reads of one event or of three, some milliseconds apart."""
    for read in reads:
        numbers = range(4 * read, 4 * read + (3 if read % 4 == 0 else 1))
        data, at_ns = b"".join(event(protocol, number) for number in numbers), read * 10_000_000
        assert body.feed(data, at_ns + dice.randrange(5_000_000), FakeClock(at_ns - 5_000_000)) is None


@pytest.mark.parametrize("protocol", TYPES)
def test_a_long_stream_holds_no_more_than_a_short_one(protocol):
    head = HeadParser().feed(
        b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nTransfer-Encoding: chunked\r\n\r\n" % TYPES[protocol]
    )
    assert head is not None
    wire_format, sequence = FORMATS[protocol], read_numbering({"sse": "id", "ndjson": "json:n"}.get(protocol))
    check = SequenceCheck() if sequence else None
    plan = StreamPlan("a", Request("GET", target_of("http://localhost/"), {}), wire_format, sequence=sequence)
    stats, dice = StreamStats(), random.Random(1)
    body = BodyReader(plan, head, wire_format, framing_of(head, "GET"), stats, ChunkTimer(stats, 0, 10**9), check)
    tracemalloc.start()
    try:
        feed(body, protocol, range(WARM_READS), dice)
        before = tracemalloc.get_traced_memory()[0]
        feed(body, protocol, range(WARM_READS, WARM_READS + READS), dice)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert stats.chunks == (WARM_READS + READS) * 3 // 2
    assert grown < LESS_THAN_A_CHUNK_BYTES * READS * 3 // 2
