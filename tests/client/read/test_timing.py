"""What reads can know of arrivals: the truth lies between the least and the most that they record."""

from dataclasses import dataclass
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.client.connect.target import target_of
from streamgauge.client.http.request import Request
from streamgauge.client.plan import StreamPlan
from streamgauge.client.read.body import BodyReader
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.stats.histogram import RELATIVE_ERROR
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.wire.formats import FORMATS
from streamgauge.wire.http1_body import framing_of
from streamgauge.wire.http1_head import HeadParser

START_NS = 1_000_000
US = 1_000
GAPS_NS = st.one_of(st.integers(1, 5 * US), st.integers(1, 300_000 * US))


@dataclass
class FakeClock:
    floor_ns: int = 0


def timer(stats: StreamStats, stall_ns: int = 10**12) -> ChunkTimer:
    return ChunkTimer(stats, START_NS, stall_ns)


def check(stats: StreamStats, arrivals_ns: list[int]) -> None:
    """The statistics agree with these arrivals."""
    intervals_ns = [later - earlier for earlier, later in pairwise(arrivals_ns)]
    assert stats.chunks == len(arrivals_ns)
    assert stats.chunk_interval.all.count == len(intervals_ns)
    assert stats.time_to_first_chunk.all.count == min(1, len(arrivals_ns))
    assert stats.chunk_interval.uncertain.count == stats.chunk_interval.least.count == stats.chunk_interval.most.count
    if arrivals_ns:
        least, most = stats.time_to_first_chunk.bounds()
        assert least.min_ns <= arrivals_ns[0] - START_NS <= most.max_ns
        assert least.min_ns <= stats.time_to_first_chunk.all.min_ns <= most.max_ns
    if intervals_ns:
        ranks = [(rank + 0.5) / len(intervals_ns) for rank in range(len(intervals_ns))]
        least, most = (bound.quantiles_s(ranks) for bound in stats.chunk_interval.bounds())
        for true_ns, low_s, high_s in zip(sorted(intervals_ns), least, most, strict=True):
            true_s = true_ns / 1e9
            slack_s = true_s * RELATIVE_ERROR + 1e-6
            assert low_s - slack_s <= true_s <= high_s + slack_s


@given(st.lists(st.tuples(GAPS_NS, st.booleans(), st.booleans(), st.floats(0, 1)), max_size=40))
def test_the_truth_lies_between_least_and_most_however_segments_are_read(segments):
    """Segments: the gap before each, whether it ends a chunk, whether a read ends with it, how tight the floor is."""
    stats, now_ns, read_before_ns = StreamStats(), START_NS, START_NS
    chunk_timer, arrivals_ns, unread, first_ns = timer(stats), [], 0, None
    for gap_ns, ends_chunk, ends_read, tightness in segments:
        now_ns += gap_ns
        first_ns = first_ns or now_ns
        if ends_chunk:
            arrivals_ns.append(now_ns)
            unread += 1
        if ends_read:
            floor_ns = read_before_ns + int((first_ns - read_before_ns) * tightness)
            if unread == 1 and ends_chunk:
                chunk_timer.chunk(now_ns)
            elif unread:
                chunk_timer.coalesced_chunks(unread, floor_ns, now_ns, last_is_exact=ends_chunk)
            read_before_ns, unread, first_ns = now_ns, 0, None
    read_ns = arrivals_ns[: len(arrivals_ns) - unread]
    check(stats, read_ns)
    if read_ns:
        for moment, true_ns in ((chunk_timer.first, read_ns[0]), (chunk_timer.last, read_ns[-1])):
            assert moment.earliest_ns <= true_ns <= moment.latest_ns
            assert moment.earliest_ns <= moment.estimate_ns <= moment.latest_ns


@dataclass
class Wire:
    """A body as a server sends it: the bytes, and the offset of the last byte of each chunk."""

    protocol: str
    head: bytes
    data: bytes
    ends: list[int]
    closes: bool = False

    def cuts(self, points: list[int]) -> list[int]:
        """Where segments end; the CRLF after a transfer chunk travels with what it closes."""
        inside = {end + more for end in self.ends for more in (1, 2)} if b"chunked" in self.head else set()
        return [*sorted({p % len(self.data) for p in points} - inside - {0}), len(self.data)]


def wire(protocol: str, parts: list[tuple[bytes, bool]], framing: str) -> Wire:
    """``parts`` of a body, each with whether its last byte ends a chunk."""
    type_ = {"sse": b"text/event-stream", "ndjson": b"application/jsonl", "raw": b"text/plain"}[protocol]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: " + type_ + b"\r\n"
    data, ends = b"", []
    for part, ends_chunk in parts:
        if framing == "chunked":
            data += b"%x\r\n" % len(part)
        data += part
        if ends_chunk:
            ends.append(len(data) - 1)
        if framing == "chunked":
            data += b"\r\n"
    if framing == "chunked":
        return Wire(protocol, head + b"Transfer-Encoding: chunked\r\n\r\n", data + b"0\r\n\r\n", ends)
    if framing == "length":
        return Wire(protocol, head + b"Content-Length: %d\r\n\r\n" % len(data), data, ends)
    return Wire(protocol, head + b"\r\n", data, ends, closes=True)


WIRES = {
    "events": wire("sse", [(b"data: %d\n\n" % n, True) for n in range(8)], "chunked"),
    "events with heartbeats between": wire("sse", [(b"data: 1\n\n", True), (b": hush\n\n", False)] * 5, "chunked"),
    "several events a transfer chunk": wire("sse", [(b"data: 1\n\n: x\n\ndata: 2\n\n", True)], "chunked"),
    "an event over transfer chunks": wire("sse", [(b"data: ", False), (b"1\n\n", True)] * 4, "chunked"),
    "events until close": wire("sse", [(b"data: 1\n\n", True)] * 6, "close"),
    "lines": wire("ndjson", [(b"{}\n", True)] * 6, "chunked"),
    "a last line that nothing ends": wire("ndjson", [(b"{}\n", True)] * 3 + [(b"123", True)], "chunked"),
    "the same of a known length": wire("ndjson", [(b"{}\n", True)] * 3 + [(b"123", True)], "length"),
    "the same until close": wire("ndjson", [(b"{}\n", True)] * 3 + [(b"123", True)], "close"),
    "transfer chunks": wire("raw", [(b"0123456789", True)] * 6, "chunked"),
    "a body of a known length": wire("raw", [(b"0123456789", True)], "length"),
    "a body until close": wire("raw", [(b"0123456789", True)], "close"),
}
WIRES["several events a transfer chunk"].ends.insert(0, 4 + 8)


def read_all(each: Wire, reads: list[tuple[bytes, int, int]], stats: StreamStats) -> tuple[Outcome, str]:
    """Take in reads of data, arrival and floor; how the stream ended."""
    body, ending = read_some(each, reads, stats)
    return ending or body.close()


def read_some(
    each: Wire, reads: list[tuple[bytes, int, int]], stats: StreamStats
) -> tuple[BodyReader, tuple[Outcome, str] | None]:
    request = Request("GET", target_of("http://localhost/"), {})
    head = HeadParser().feed(each.head)
    assert head is not None
    plan = StreamPlan("a", request, FORMATS[each.protocol])
    body = BodyReader(plan, head, plan.format, framing_of(head, "GET"), stats, timer(stats), None)
    ending = None
    for data, arrival_ns, floor_ns in reads:
        assert ending is None
        ending = body.feed(data, arrival_ns, FakeClock(floor_ns))
    return body, ending


@pytest.mark.parametrize("each", WIRES.values(), ids=WIRES)
@given(
    points=st.lists(st.integers(0, 10_000), max_size=20),
    gaps_ns=st.lists(GAPS_NS, min_size=21, max_size=21),
    joins=st.lists(st.booleans(), min_size=21, max_size=21),
    tightness=st.floats(0, 1),
)
def test_the_truth_lies_between_least_and_most_on_the_wire(each, points, gaps_ns, joins, tightness):
    cuts = each.cuts(points)
    moments_ns = list(accumulate(gaps_ns[: len(cuts)], initial=START_NS))[1:]
    arrivals_ns = [next(t for cut, t in zip(cuts, moments_ns, strict=True) if end < cut) for end in each.ends]
    reads, begin, read_before_ns, first_ns = [], 0, START_NS, None
    for cut, moment_ns, joined in zip(cuts, moments_ns, joins, strict=False):
        first_ns = first_ns or moment_ns
        if joined and cut != len(each.data):
            continue
        floor_ns = read_before_ns + int((first_ns - read_before_ns) * tightness)
        reads.append((each.data[begin:cut], moment_ns, floor_ns))
        begin, read_before_ns, first_ns = cut, moment_ns, None
    stats = StreamStats()
    stats.late_ends = 1.0  # else a last chunk that shares its read with the end counts as having come with it
    assert read_all(each, reads, stats)[0] is Outcome.COMPLETED
    check(stats, arrivals_ns)


def test_single_chunks_are_timed_exactly():
    stats = StreamStats()
    chunk_timer = timer(stats)
    for arrival_ns in (START_NS + 500, START_NS + 10_500, START_NS + 5_010_500):
        chunk_timer.chunk(arrival_ns)
    assert (chunk_timer.first_ns, chunk_timer.last_ns) == (START_NS + 500, START_NS + 5_010_500)
    assert (stats.chunk_interval.all.sum_ns, stats.chunk_interval.all.min_ns) == (5_010_000, 10_000)
    assert (stats.coalesced, stats.chunk_interval.uncertain.count, chunk_timer.max_interval_ns) == (0, 0, 5_000_000)


def test_coalesced_chunks_never_count_as_simultaneous():
    stats = StreamStats()
    chunk_timer = timer(stats)
    chunk_timer.chunk(START_NS)
    chunk_timer.coalesced_chunks(4, START_NS, START_NS + 4_000_000, last_is_exact=True)
    assert (stats.coalesced, stats.chunk_interval.all.count) == (4, 4)
    assert stats.chunk_interval.all.min_ns == 1_000_000
    assert (stats.chunk_interval.least.max_ns, stats.chunk_interval.most.min_ns) == (0, 4_000_000)


def test_an_interval_longer_than_the_threshold_is_a_stall():
    stats = StreamStats()
    chunk_timer = timer(stats, stall_ns=1_000_000)
    for arrival_ns in (5_000_000, 6_000_000, 7_000_001, 9_000_000):
        chunk_timer.chunk(START_NS + arrival_ns)
    assert (chunk_timer.stalls, stats.stalls) == (2, 2)


def test_the_end_of_a_body_times_no_chunk():
    """The last line came with the second read, and the end of the body much later."""
    each, stats = WIRES["a last line that nothing ends"], StreamStats()
    data = each.data
    first, last = data.index(b"3\r\n123"), data.index(b"0\r\n\r\n")
    reads = [
        (data[:first], START_NS, 0),
        (data[first:last], START_NS + 7000, 0),
        (data[last:], START_NS + 10**10, 10**9),
    ]
    read_all(each, reads, stats)
    assert stats.chunk_interval.all.max_ns == 7000


@pytest.mark.parametrize("tail", [b"7\r\n: hush\n\r\n", b"9", b"9\r\n"])
def test_a_chunk_that_is_not_the_last_of_its_read_is_not_timed_by_it(tail):
    each, stats = WIRES["events"], StreamStats()
    one = each.data[: each.data.index(b"9\r\n", 3)]
    settled = [(one, START_NS + 1000, 0), (one + tail, START_NS + 9000, START_NS + 2000)]
    read_some(each, settled, stats)
    assert (stats.coalesced, stats.chunk_interval.least.max_ns, stats.chunk_interval.most.max_ns) == (1, 1000, 8000)


def ended(reads: list[tuple[bytes, int]], stats: StreamStats) -> StreamStats:
    """Four events and the end of the body, in ``reads`` up to an offset that arrived so many us after the start."""
    each, before = wire("sse", [(b"data: 1\n\n", True)] * 4, "chunked"), 0
    steps = []
    for upto, arrival_us in reads:
        steps.append((each.data[before:upto], START_NS + arrival_us * US, START_NS))
        before = upto
    read_all(each, steps, stats)
    return stats


EVENT_BYTES = len(b"9\r\ndata: 1\n\n\r\n")
PACED = [(EVENT_BYTES * n, n * 10_000) for n in (1, 2, 3)]
TOGETHER = [*PACED, (EVENT_BYTES * 4 + 5, 40_000)]


def apart(late_us: int) -> list[tuple[int, int]]:
    """Reads of which the last one holds only the end, so late."""
    return [*PACED, (EVENT_BYTES * 4, 40_000), (EVENT_BYTES * 4 + 5, 40_000 + late_us)]


def test_a_last_chunk_that_shares_its_read_with_the_end_alone_came_with_it():
    stats = ended(TOGETHER, StreamStats())
    assert (stats.chunks, stats.coalesced, stats.chunk_interval.uncertain.count) == (4, 0, 0)
    assert stats.chunk_interval.all.max_ns == 10_000 * US


def test_two_chunks_that_share_their_read_with_the_end_are_coalesced_and_the_last_came_with_it():
    stats = ended([*PACED[:2], (EVENT_BYTES * 4 + 5, 40_000)], StreamStats())
    assert (stats.chunks, stats.coalesced, stats.chunk_interval.uncertain.count) == (4, 2, 2)


@pytest.mark.parametrize(("late_us", "coalesced"), [(490, 0), (510, 1)])
def test_where_ends_come_late_the_chunk_before_one_that_shares_its_read_is_left_open(late_us, coalesced):
    stats = StreamStats()
    for _ in range(2):
        ended(apart(late_us), stats)
    assert ended(TOGETHER, stats).coalesced == coalesced


def test_one_end_that_came_late_says_nothing_of_the_others():
    stats = ended(apart(50_000), StreamStats())
    assert ended(TOGETHER, stats).coalesced == 0


def test_ends_that_come_no_longer_late_are_forgotten():
    stats = StreamStats()
    for _ in range(8):
        ended(apart(5_000), stats)
    for _ in range(20):
        ended(apart(100), stats)
    assert ended(TOGETHER, stats).coalesced == 0


def test_what_a_large_read_may_have_left_behind_came_at_any_time_before():
    """The event loop saw nothing new before the floor, yet the rest of a large read was there long before."""
    each, stats = WIRES["events until close"], StreamStats()
    event = b"data: 1\n\n"
    read_some(each, [(event * 10_000, START_NS + 1000, 0), (event * 2, START_NS + 9000, START_NS + 9000)], stats)
    assert stats.chunk_interval.most.max_ns >= 8000
