"""Send stamps read: which chunks have a raw delay, and against which clock."""

import msgpack
import pytest

from streamgauge.asgi import stamps as server_side
from streamgauge.client.blocking import run_streams
from streamgauge.client.read import send_stamps
from streamgauge.client.read.send_stamps import StampReader
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.stats.stream_stats import StreamStats

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
ORIGIN = b": clock=0123456789abcdef received=1700000000000000000\n"
SENT = b": sent=1700000000000000500"
FIRST = b"data: 1\n" + ORIGIN + SENT
NEXT = b"id: 2\ndata: 2\n" + SENT
CLOCK = "0123456789abcdef"


def raw_delays(*reads, start_ns=1000):
    """What is counted of reads of one stream, the n-th of which arrives at 1000 + n µs."""
    stats = StreamStats()
    timer = ChunkTimer(stats, start_ns, 10**9)
    reader = StampReader(timer)
    for number, chunks in enumerate(reads):
        arrival_ns = 1000 + number * 1000
        if len(chunks) == 1:
            timer.chunk(arrival_ns)
        else:
            timer.coalesced_chunks(len(chunks), 0, arrival_ns, last_is_exact=True)
        reader.measure(chunks)
    return stats.delays


def test_both_sides_spell_stamps_alike():
    assert server_side.clock_name() == send_stamps.clock_name()
    assert [name.lower().encode() for name in send_stamps.REQUEST_FIELDS] == [server_side.FIELD]
    assert server_side.Stamper.for_request(
        {"headers": [(name.lower().encode(), value.encode()) for name, value in send_stamps.REQUEST_FIELDS.items()]}
    )


def test_each_stamped_chunk_has_a_delay_and_the_stream_a_beginning():
    raw = raw_delays([FIRST], [NEXT], [NEXT])[CLOCK]
    assert raw.delays.all.count == 3
    assert raw.low == (1000, 500 - 1_700_000_000_000_000_000)
    assert raw.high == (1000, 1000 - 1_700_000_000_000_000_000)
    assert not raw.same_clock


def test_chunks_of_one_read_are_uncertain_but_for_the_last():
    raw = raw_delays([FIRST], [NEXT, NEXT, NEXT])[CLOCK]
    assert raw.delays.all.count == 4
    assert raw.delays.uncertain.count == 2
    assert raw.delays.most.max_ns - raw.delays.least.max_ns == 1000


@pytest.mark.parametrize(
    "chunk",
    [b"data: 1", b"data: 1\n: sent=soon", b"data: sent=1700000000000000500", b": sent=1700000000000000500", NEXT],
    ids=["none", "no number", "data", "before the data", "no clock"],
)
def test_what_is_no_stamp_of_a_known_clock_measures_nothing(chunk):
    assert raw_delays([chunk], [chunk]) == {}


MADE_UP = [b"0000000000000000000", b"8999999999999999999", b"9999999999999999999", b"1000000000000000000"]


@pytest.mark.parametrize("received", MADE_UP)
def test_what_a_server_makes_up_fits_into_a_report(received):
    origin = ORIGIN.replace(b"1700000000000000000", received)
    chunks = [b"data: 1\n: sent=" + stamp for stamp in [SENT[-19:], *MADE_UP] * 200]
    delays = raw_delays([b"data: 1\n" + origin + SENT], *([chunk] for chunk in chunks), chunks)
    assert msgpack.packb({clock: raw.to_dict() for clock, raw in delays.items()})


def test_a_stream_under_way_counts_on_after_its_counts_were_taken():
    stats = StreamStats()
    timer = ChunkTimer(stats, 0, 10**9)
    reader = StampReader(timer)
    for number in range(3):
        timer.chunk(number)
        reader.measure([NEXT if number else FIRST])
        taken = stats.take().delays[CLOCK]
        assert (taken.delays.all.count, taken.high) == (1, (0, -1_700_000_000_000_000_000))


@pytest.mark.parametrize("stamped", [True, False])
@pytest.mark.parametrize("protocol", ["sse", "auto"])
def test_only_a_plan_that_asks_reads_stamps(plan, stamped, protocol):
    body = FIRST + b"\n\n", "read", b": ping\n\n", "read", NEXT + b"\n\n", "fin"
    process_stats = ProcessStats()
    (record,) = run_streams([plan([HEAD, "read", *body], protocol=protocol, stamped=stamped)], process_stats)
    assert (record.outcome, record.chunks) == ("completed", 2)
    delays = process_stats.stats("stream", "sse").delays
    assert {clock: raw.delays.all.count for clock, raw in delays.items()} == ({CLOCK: 2} if stamped else {})


def test_stamped_events_still_end_and_fail_as_others_do(plan):
    end = b"event: done\ndata: {}\n" + SENT + b"\n\n"
    plans = [
        plan([HEAD, FIRST + b"\n\n", "read", end, "fin"], "/a", end="event:done", stamped=True),
        plan([HEAD, FIRST + b"\n\n", "read", end.replace(b"done", b"error")], "/b", stamped=True),
    ]
    assert [record.outcome for record in run_streams(plans)] == ["completed", "in_band_error"]
