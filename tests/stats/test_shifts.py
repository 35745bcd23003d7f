"""Raw delays at their edges: what moves with a floor, what bounds it, and delays that no clock can mean."""

import pytest

from streamgauge.stats.bounded_times import shifted
from streamgauge.stats.clocks.raw_delays import RISE_NS, RawDelays
from streamgauge.stats.histogram import HIGHEST_NS, Histogram

OFFSET_NS, MS, SECOND_NS = -1_700_000_000_000_000_000, 1_000_000, 10**9


def histogram_of(*values_ns: int) -> Histogram:
    histogram = Histogram()
    histogram.record_all_ns(values_ns)
    return histogram


def statistics(histogram: Histogram) -> tuple[int, int, int | None, int | None, int]:
    return histogram.count, histogram.sum_ns, histogram.min_ns, histogram.max_ns, histogram.clipped


@pytest.mark.parametrize("shift_ns", [-1_234_567, -1_000_000, 0, 1, 999_999, 7 * MS])
def test_a_shift_that_leaves_nothing_below_nought_is_exact_but_for_the_buckets(shift_ns):
    values_ns = (1_234_567, 2_345_678, 987_654_321)
    moved, true = shifted(histogram_of(*values_ns), shift_ns), histogram_of(*(each + shift_ns for each in values_ns))
    assert statistics(moved) == statistics(true)
    assert moved.quantiles_s((0.5, 1.0)) == pytest.approx(true.quantiles_s((0.5, 1.0)), rel=0.01)


def test_a_shift_that_moves_values_below_nought_counts_them_there():
    moved = shifted(histogram_of(1_000_500, 2_000_500, 9_000_500), -2_500_000)
    assert (moved.count, moved.min_ns, moved.max_ns, moved.clipped) == (3, 0, 6_500_500, 0)
    assert moved.quantiles_s((0.3, 0.6, 1.0)) == pytest.approx([0.0, 0.0, 0.0065], rel=0.01, abs=1e-6)
    assert moved.sum_ns == pytest.approx(6_500_500, rel=0.01)
    gone = shifted(histogram_of(MS, 2 * MS), -5 * MS)
    assert statistics(gone) == (2, 0, 0, 0, 0)
    assert statistics(shifted(Histogram(), 5 * MS)) == statistics(Histogram())


@pytest.mark.parametrize("shift_ns", [HIGHEST_NS + 1, HIGHEST_NS + 2, 50 * HIGHEST_NS])
def test_a_shift_of_more_than_an_hour_is_one_of_an_hour(shift_ns):
    moved = shifted(histogram_of(3 * MS, 5 * MS), shift_ns)
    assert moved.sum_ns == 8 * MS + 2 * (HIGHEST_NS + 1)
    assert moved.quantile_s(0.5) == pytest.approx(3600, rel=0.01)
    assert moved.count == 2


@pytest.mark.parametrize("delay_ns", [HIGHEST_NS + 2, 10**19])
def test_a_delay_that_no_clock_can_mean_counts_as_just_above_an_hour(delay_ns):
    raw = RawDelays(same_clock=False)
    raw.chunk(SECOND_NS, SECOND_NS - OFFSET_NS)
    raw.chunk(SECOND_NS + delay_ns, SECOND_NS - OFFSET_NS)
    raw.coalesced_chunk(SECOND_NS + delay_ns, SECOND_NS + delay_ns, SECOND_NS - OFFSET_NS)
    for histogram, times in ((raw.delays.all, 2), (raw.delays.least, 1), (raw.delays.most, 1)):
        assert histogram.max_ns == HIGHEST_NS + 1
        assert (histogram.clipped, histogram.sum_ns) == (times, times * (HIGHEST_NS + 1))


def coalesced(least_ns: int, most_ns: int) -> RawDelays:
    """A chunk known as a range, after one whose delay, 0, is the floor."""
    raw = RawDelays(same_clock=False)
    raw.chunk(SECOND_NS, SECOND_NS - OFFSET_NS)
    raw.coalesced_chunk(SECOND_NS + least_ns, SECOND_NS + most_ns, SECOND_NS - OFFSET_NS)
    return raw


@pytest.mark.parametrize(
    ("least_ns", "most_ns", "shown"),
    [
        (2 * MS, 5 * MS, (2 * MS, 3_500_000, 5 * MS)),
        (0, 5 * MS, (0, 2_500_000, 5 * MS)),
        (-3 * MS, 5 * MS, (0, 2_500_000, 5 * MS)),
        (3, 4, (3, 3, 4)),
    ],
)
def test_a_coalesced_chunk_is_counted_in_the_middle_of_what_it_can_be(least_ns, most_ns, shown):
    delays = coalesced(least_ns, most_ns).delays
    found = delays.least.sum_ns, delays.uncertain.sum_ns, delays.most.sum_ns
    assert found == shown
    assert (delays.all.count, delays.all.sum_ns) == (2, shown[1])
    assert [each.count for each in (delays.least, delays.uncertain, delays.most)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("low_ns", "high_ns", "known"),
    [
        (1, None, True),
        (-49_999, None, True),
        (-50_000, None, False),
        (-50_001, None, False),
        (MS, 49_999, True),
        (MS, 50_000, False),
        (MS, 50_001, False),
        (MS, -3600 * SECOND_NS, True),
    ],
)
def test_an_offset_that_is_known_is_the_floor_unless_an_effect_came_before_its_cause(low_ns, high_ns, known):
    raw = RawDelays(same_clock=True, hint_ns=OFFSET_NS)
    if high_ns is not None:
        raw.note_request(SECOND_NS + high_ns, SECOND_NS - OFFSET_NS)
    raw.chunk(SECOND_NS + low_ns, SECOND_NS - OFFSET_NS)
    assert raw.floor_ns == OFFSET_NS + (0 if known else low_ns)


@pytest.mark.parametrize(("same_clock", "hint_ns"), [(True, None), (False, OFFSET_NS + 5 * MS), (False, None)])
def test_where_the_offset_is_not_known_the_smallest_delay_is_the_floor(same_clock, hint_ns):
    raw = RawDelays(same_clock=same_clock, hint_ns=hint_ns)
    raw.chunk(SECOND_NS + 3 * MS, SECOND_NS - OFFSET_NS)
    assert raw.floor_ns == OFFSET_NS + 3 * MS
    assert raw.successor() is not None


def test_a_floor_that_a_slice_begins_with_stays_until_a_smaller_delay_comes():
    raw = RawDelays(same_clock=False, hint_ns=OFFSET_NS + 2 * MS)
    assert raw.floor_ns is None
    for delay_ns, floor_ns, sum_ns, min_ns in (
        (5 * MS, 2 * MS, 3 * MS, 3 * MS),
        (3 * MS, 2 * MS, 4 * MS, MS),
        (MS, MS, 6 * MS, 0),
    ):
        raw.chunk(SECOND_NS + delay_ns, SECOND_NS - OFFSET_NS)
        assert raw.floor_ns == OFFSET_NS + floor_ns
        assert (raw.delays.all.sum_ns, raw.delays.all.min_ns) == (sum_ns, min_ns)


@pytest.mark.parametrize(
    ("low_ns", "floor_ns"),
    [(0, 0), (900_000, 900_000), (1_100_000, 1_100_000), (MS + RISE_NS, MS + RISE_NS), (9 * MS, MS + RISE_NS)],
)
def test_a_floor_rises_from_one_slice_to_the_next_by_no_more_than_clocks_drift(low_ns, floor_ns):
    raw = RawDelays(same_clock=False, hint_ns=OFFSET_NS + MS)
    raw.chunk(SECOND_NS + low_ns, SECOND_NS - OFFSET_NS)
    following = raw.successor()
    assert following is not None
    following.chunk(2 * SECOND_NS, SECOND_NS - OFFSET_NS)
    assert following.floor_ns == OFFSET_NS + floor_ns


def test_a_slice_knows_its_first_and_its_last_arrival_and_that_of_its_smallest_delay():
    raw = RawDelays(same_clock=False)
    for arrival_ns, delay_ns in ((700, 30), (800, 10), (600, 20), (900, 40)):
        raw.chunk(arrival_ns, arrival_ns - delay_ns)
    assert (raw.first_ns, raw.last_ns, raw.low) == (700, 900, (800, 10))
    sent = RawDelays.from_dict(raw.to_dict())
    assert (sent.first_ns, sent.last_ns, sent.low, sent.high) == (700, 900, (800, 10), None)


@pytest.mark.parametrize("same_clock", [True, False])
def test_a_slice_that_saw_requests_alone_has_no_floor_and_hands_none_on(same_clock):
    raw = RawDelays(same_clock=same_clock)
    raw.note_request(SECOND_NS, SECOND_NS - OFFSET_NS)
    assert (raw.floor_ns, raw.delays.all.count) == (None, 0)
    following = raw.successor()
    assert following is not None
    assert (following.same_clock, following.low, following.high) == (same_clock, None, None)
    following.chunk(SECOND_NS + 8 * MS, SECOND_NS - OFFSET_NS)
    assert following.floor_ns == OFFSET_NS + 8 * MS
