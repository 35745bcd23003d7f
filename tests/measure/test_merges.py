"""Whatever a class counts merges, is taken and is sent: a field that one of these does not know of fails its test."""

import json

import pytest

from streamgauge.measure.delay import Delays, RawDelays
from streamgauge.measure.histogram import Histogram
from streamgauge.measure.second import Counts, Times
from streamgauge.measure.sizes import Sizes
from streamgauge.measure.slice import Slice
from streamgauge.measure.tally import Tally
from tests.measure.filled import delays, fields_of, filled, histogram, plain, raw_delays, sizes

#: What a process knows of its streams for itself.
ITS_OWN = {"typical_chunks", "late_ends"}
#: What counts only where clocks are compared, before tallies of several slices are merged.
NEVER_MERGED = {*ITS_OWN, "delays"}
MERGED = [name for name in fields_of(Tally) if name not in NEVER_MERGED]
MAKERS = {Histogram: histogram, Sizes: sizes, Delays: delays}
CLASSES = pytest.mark.parametrize("kind", [Tally, *MAKERS], ids=lambda kind: kind.__name__)


def make(kind, *parts):
    return MAKERS[kind](*parts) if kind in MAKERS else filled(kind, *parts)


def over_the_wire(kind, value):
    return kind.from_dict(json.loads(json.dumps(value.to_dict())))


def different(one, other, leave_out=()):
    """The fields in which two objects differ."""
    mine, others = plain(one), plain(other)
    return [name for name in mine if name not in leave_out and mine[name] != others[name]]


@pytest.mark.parametrize("value", [filled(Tally, 1), filled(Slice, 1), delays(1), histogram(1), sizes(1)])
def test_no_field_is_left_at_its_default(value):
    empty = Slice(0, 0) if isinstance(value, Slice) else type(value)()
    assert set(different(value, empty)) == set(fields_of(type(value))) - {"_batch"}


@CLASSES
@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_a_merge_adds_up_every_field(kind, order):
    merged, other = (make(kind, part) for part in order)
    before = plain(other)
    merged.merge(other)
    assert different(merged, make(kind, *order), leave_out=NEVER_MERGED if kind is Tally else ()) == []
    assert plain(other) == before


@CLASSES
def test_a_merge_into_nothing_is_the_same_again(kind):
    merged = kind()
    merged.merge(make(kind, 1))
    assert different(merged, make(kind, 1), leave_out=NEVER_MERGED if kind is Tally else ()) == []


def test_what_a_process_knows_for_itself_does_not_merge():
    merged = filled(Tally, 1)
    merged.merge(filled(Tally, 2))
    assert different(merged, filled(Tally, 1)) == MERGED


def test_what_is_taken_has_every_field_and_leaves_none():
    tally = filled(Tally, 1)
    taken = tally.take()
    assert different(taken, filled(Tally, 1), leave_out=ITS_OWN) == []
    assert different(taken, Tally()) == [name for name in fields_of(Tally) if name not in ITS_OWN]
    assert different(tally, Tally()) == [name for name in fields_of(Tally) if name in ITS_OWN]


@CLASSES
def test_every_field_is_sent(kind):
    value = make(kind, 1)
    assert different(over_the_wire(kind, value), value, leave_out={*ITS_OWN, "delays"}) == []


def test_of_a_slice_every_field_is_sent():
    sent, part = over_the_wire(Slice, filled(Slice, 1)), filled(Slice, 1)
    for tally in part.tallies.values():
        tally.typical_chunks, tally.late_ends = None, 0.0
        tally.delays = {clock: over_the_wire(RawDelays, raw) for clock, raw in tally.delays.items()}
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
    tally = filled(Tally, 1)
    sent = over_the_wire(Tally, tally).delays
    assert plain(sent) == {clock: plain(over_the_wire(RawDelays, raw)) for clock, raw in tally.delays.items()}
    assert set(sent) == {"one", "other"}


def read_of(use):
    """The fields that ``use`` reads of a tally."""
    found = set()

    class Watched(Tally):
        __slots__ = ()

        def __getattribute__(self, name):
            if name in Tally.__slots__:
                found.add(name)
            return super().__getattribute__(name)

    tally = Watched()
    tally.merge(filled(Tally, 1))
    found.clear()
    use(tally)
    return found


#: A second's percentiles are those of all streams, of failed ones too.
TIMES = read_of(Times.of) - {"failed_time_to_first_chunk"}
COUNTS = read_of(lambda tally: Counts().count(tally))


@pytest.mark.parametrize(
    ("merge", "read"),
    [(Tally.merge_times, TIMES), (Tally.merge_second, TIMES | COUNTS)],
    ids=["times", "second"],
)
def test_a_second_merges_what_is_read_of_it_and_nothing_else(merge, read):
    merged = filled(Tally, 1)
    merge(merged, filled(Tally, 2))
    assert set(different(merged, filled(Tally, 1))) == read
    assert different(merged, filled(Tally, 1, 2), leave_out=set(fields_of(Tally)) - read) == []


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
    moved = delays(1).shifted(5_000_000)
    for name in fields_of(Delays):
        was, now = getattr(delays(1), name), getattr(moved, name)
        assert (now.count, now.clipped) == (was.count, was.clipped)
        assert now.sum_ns == was.sum_ns + 5_000_000 * was.count
        assert (now.min_ns, now.max_ns) == (was.min_ns + 5_000_000, was.max_ns + 5_000_000)
