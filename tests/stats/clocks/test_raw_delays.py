"""Raw delays of one slice: counted above a floor, and the same whatever the floor."""

import json
import random

import pytest

from streamgauge.stats.bounded_times import shifted
from streamgauge.stats.clocks.raw_delays import RawDelays
from streamgauge.stats.histogram import Histogram

OFFSET_NS = -1_700_000_000_000_000_000


def raw_delays(values_ns):
    raw = RawDelays(same_clock=False)
    for at, value_ns in enumerate(values_ns):
        raw.chunk(at, at - value_ns - OFFSET_NS)
    return raw


def test_the_smallest_is_the_floor_and_its_moment_is_known():
    raw = raw_delays([5_000_000, 2_000_000, 3_000_000])
    assert raw.low == (1, 2_000_000 + OFFSET_NS)
    assert raw.floor_ns == 2_000_000 + OFFSET_NS
    assert raw.delays.all.max_ns == 3_000_000


def test_a_floor_that_falls_moves_what_was_counted():
    values_ns = [random.Random(1).randrange(10**6, 10**8) - 40_000 * at for at in range(2000)]
    raw = raw_delays(values_ns)
    true = sorted(value_ns - min(values_ns) for value_ns in values_ns)
    assert raw.delays.all.count == 2000
    assert raw.delays.all.quantile_s(0.5) == pytest.approx(true[999] / 1e9, rel=0.02)
    assert raw.delays.all.sum_ns == sum(true)


def test_coalesced_chunks_are_counted_at_an_estimate_and_at_their_bounds():
    raw = raw_delays([1_000_000] * 3)
    raw.coalesced_chunk(10_000_000, 14_000_000, 9_000_000 - 1_000_000 - OFFSET_NS)
    least, most = raw.delays.bounds()
    assert (least.max_ns, most.max_ns) == (pytest.approx(1_000_000, rel=0.01), pytest.approx(5_000_000, rel=0.01))
    assert raw.delays.all.count == least.count == most.count == 4
    assert raw.delays.uncertain.max_ns == 3_000_000


def test_coalesced_chunks_count_once_however_many_came_before():
    raw = RawDelays(same_clock=False)
    for at in range(3_000):
        raw.chunk(at, at - OFFSET_NS - 1_000_000)
        raw.coalesced_chunk(at, at, at - OFFSET_NS - 1_000_000)
    assert (raw.delays.all.count, raw.delays.uncertain.count) == (6_000, 3_000)


def test_the_floor_of_the_next_slice_stays_near():
    raw = raw_delays([1_000_000, 2_000_000])
    follower = raw.successor()
    follower.chunk(0, -3_000_000 - OFFSET_NS)
    assert follower.floor_ns == raw.floor_ns
    assert raw.successor().low is None


def test_one_clocks_delays_are_counted_from_nought_on():
    raw = RawDelays(same_clock=True, hint_ns=OFFSET_NS)
    for delay_ns in (7_000_000, 3_000_000, -2_000):
        raw.chunk(0, -delay_ns - OFFSET_NS)
    assert raw.floor_ns == OFFSET_NS
    assert (raw.delays.all.min_ns, raw.delays.all.max_ns) == (0, 7_000_000)
    assert raw.successor() is None


@pytest.mark.parametrize(("off_ns", "asked_ns"), [(-(10**9), 0), (10**9, 10**9)], ids=["ahead", "behind"])
def test_a_clock_that_is_another_ones_is_counted_above_its_smallest_delay(off_ns, asked_ns):
    raw = RawDelays(same_clock=True, hint_ns=OFFSET_NS)
    raw.note_request(asked_ns, -OFFSET_NS)
    for delay_ns in (3_000_000, 7_000_000):
        raw.chunk(off_ns + delay_ns, -OFFSET_NS)
    assert raw.floor_ns == OFFSET_NS + off_ns + 3_000_000
    assert raw.delays.all.max_ns == 4_000_000


def test_asking_keeps_the_largest_bound():
    raw = raw_delays([1])
    for asked_ns, received_ns in ((10, 50), (20, 25), (30, 90)):
        raw.note_request(asked_ns, received_ns)
    assert raw.high == (20, -5)


def test_what_is_written_is_read_again():
    raw = raw_delays([random.Random(2).randrange(10**9) for _ in range(1000)])
    raw.coalesced_chunk(0, 10**6, -OFFSET_NS)
    raw.note_request(1, 2)
    plain = json.loads(json.dumps(raw.to_dict()))
    assert RawDelays.from_dict(plain).to_dict() == raw.to_dict()


def test_a_shift_moves_every_statistic():
    histogram = Histogram()
    for value_us in (3, 700, 90_000):
        histogram.record_ns(value_us * 1000)
    moved = shifted(histogram, 1_000_000)
    assert (moved.min_ns, moved.max_ns) == (1_003_000, 91_000_000)
    assert moved.mean_s == pytest.approx(histogram.mean_s + 0.001)
    assert shifted(histogram, -5_000).min_ns == 0
