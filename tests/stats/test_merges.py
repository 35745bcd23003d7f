"""Whatever a class counts merges, is taken and is sent: a field that one of these does not know of fails its test."""

import json
from functools import partial

import pytest

from streamgauge.stats.bounded_times import BoundedTimes, FirstChunkTimes
from streamgauge.stats.clocks.raw_delays import RawDelays
from streamgauge.stats.histogram import Histogram
from streamgauge.stats.run_second import Sums, Times
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.sizes import Sizes
from streamgauge.stats.stream_stats import StreamStats
from tests.stats.filled import bounded_times, fields_of, filled, histogram, plain, raw_delays, sizes

#: What a process knows of its streams for itself.
ITS_OWN = {"typical_chunks", "late_ends"}
#: What counts only where clocks are compared, before tallies of several slices are merged.
NEVER_MERGED = {*ITS_OWN, "delays"}
MERGED = [name for name in fields_of(StreamStats) if name not in NEVER_MERGED]
MAKERS = {
    Histogram: histogram,
    Sizes: sizes,
    BoundedTimes: bounded_times,
    FirstChunkTimes: partial(bounded_times, kind=FirstChunkTimes),
}
CLASSES = pytest.mark.parametrize("kind", [StreamStats, *MAKERS], ids=lambda kind: kind.__name__)


def make(kind, *parts):
    return MAKERS[kind](*parts) if kind in MAKERS else filled(kind, *parts)


def over_the_wire(kind, value):
    return kind.from_dict(json.loads(json.dumps(value.to_dict())))


def different(one, other, leave_out=()):
    """The fields in which two objects differ."""
    mine, others = plain(one), plain(other)
    return [name for name in mine if name not in leave_out and mine[name] != others[name]]


@pytest.mark.parametrize(
    "value", [filled(StreamStats, 1), filled(SecondReport, 1), bounded_times(1), histogram(1), sizes(1)]
)
def test_no_field_is_left_at_its_default(value):
    empty = SecondReport(0, 0) if isinstance(value, SecondReport) else type(value)()
    assert set(different(value, empty)) == set(fields_of(type(value))) - {"_batch"}


@CLASSES
@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_a_merge_adds_up_every_field(kind, order):
    merged, other = (make(kind, part) for part in order)
    before = plain(other)
    merged.merge(other)
    assert different(merged, make(kind, *order), leave_out=NEVER_MERGED if kind is StreamStats else ()) == []
    assert plain(other) == before


@CLASSES
def test_a_merge_into_nothing_is_the_same_again(kind):
    merged = kind()
    merged.merge(make(kind, 1))
    assert different(merged, make(kind, 1), leave_out=NEVER_MERGED if kind is StreamStats else ()) == []


def test_what_a_process_knows_for_itself_does_not_merge():
    merged = filled(StreamStats, 1)
    merged.merge(filled(StreamStats, 2))
    assert different(merged, filled(StreamStats, 1)) == MERGED


def test_what_is_taken_has_every_field_and_leaves_none():
    stats = filled(StreamStats, 1)
    taken = stats.take()
    assert different(taken, filled(StreamStats, 1), leave_out=ITS_OWN) == []
    assert different(taken, StreamStats()) == [name for name in fields_of(StreamStats) if name not in ITS_OWN]
    assert different(stats, StreamStats()) == [name for name in fields_of(StreamStats) if name in ITS_OWN]


@CLASSES
def test_every_field_is_sent(kind):
    value = make(kind, 1)
    assert different(over_the_wire(kind, value), value, leave_out={*ITS_OWN, "delays"}) == []


def test_of_a_slice_every_field_is_sent():
    sent, part = over_the_wire(SecondReport, filled(SecondReport, 1)), filled(SecondReport, 1)
    for stats in part.all_stats.values():
        stats.typical_chunks, stats.late_ends = None, 0.0
        stats.delays = {clock: over_the_wire(RawDelays, raw) for clock, raw in stats.delays.items()}
    assert different(sent, part) == []


@pytest.mark.parametrize("same_clock", [False, True])
def test_of_raw_delays_every_field_is_sent(same_clock):
    raw = raw_delays(5, same_clock=same_clock)
    sent = over_the_wire(RawDelays, raw)
    empty = RawDelays(same_clock=not same_clock)
    for_itself = {"_hint_ns", "_batch", "_open"}
    assert [plain(getattr(sent, name)) for name in ("low", "high")] == [plain(raw.low), plain(raw.high)]
    assert different(sent, raw, leave_out=for_itself) == []
    assert set(different(sent, empty)) == set(fields_of(RawDelays)) - for_itself
    assert all(isinstance(point, tuple) for point in (sent.low, sent.high))


def test_the_delays_of_a_tally_are_sent_by_clock():
    stats = filled(StreamStats, 1)
    sent = over_the_wire(StreamStats, stats).delays
    assert plain(sent) == {clock: plain(over_the_wire(RawDelays, raw)) for clock, raw in stats.delays.items()}
    assert set(sent) == {"one", "other"}


def read_of(use):
    """The fields that ``use`` reads of a tally."""
    found = set()

    class Watched(StreamStats):
        __slots__ = ()

        def __getattribute__(self, name):
            if name in fields_of(StreamStats):
                found.add(name)
            return super().__getattribute__(name)

    stats = Watched()
    stats.merge(filled(StreamStats, 1))
    found.clear()
    use(stats)
    return found


TIMES = read_of(Times.of)
COUNTS = read_of(lambda stats: Sums().count(stats))


@pytest.mark.parametrize(
    ("merge", "read"),
    [(StreamStats.merge_times, TIMES), (StreamStats.merge_second, TIMES | COUNTS)],
    ids=["times", "second"],
)
def test_a_second_merges_what_is_read_of_it_and_nothing_else(merge, read):
    merged, whole = filled(StreamStats, 1), filled(StreamStats, 1, 2)
    merge(merged, filled(StreamStats, 2))
    assert set(different(merged, filled(StreamStats, 1))) == read
    # A second's percentiles are those of all streams, of failed ones too: it does not ask which failed.
    whole.time_to_first_chunk.failed = filled(StreamStats, 1).time_to_first_chunk.failed
    assert different(merged, whole, leave_out=set(fields_of(StreamStats)) - read) == []


def test_plus_and_minus_have_every_field():
    one, two, both = histogram(1), histogram(2), histogram(1, 2)
    assert different(one.plus(two), both) == []
    rest = both.minus(one)
    assert different(rest, two, leave_out={"_min_ns", "_max_ns"}) == []
    assert both.minus(histogram(1)).min_ns == pytest.approx(two.min_ns, rel=0.01)
    assert rest.max_ns == two.max_ns


def test_two_histograms_are_equal_only_if_every_field_is():
    for name in set(fields_of(Histogram)) - {"_batch"}:
        one, other = histogram(1), histogram(1)
        assert one == other
        plain(other)
        setattr(other, name, histogram(2, 3).counts if name == "_counts" else getattr(other, name) + 1)
        assert one != other, name


def test_moved_delays_have_every_part():
    moved = bounded_times(1).shifted(5_000_000)
    for name in fields_of(BoundedTimes):
        was, now = getattr(bounded_times(1), name), getattr(moved, name)
        assert (now.count, now.clipped) == (was.count, was.clipped)
        assert now.sum_ns == was.sum_ns + 5_000_000 * was.count
        assert (now.min_ns, now.max_ns) == (was.min_ns + 5_000_000, was.max_ns + 5_000_000)
