"""Slices of a long measurement that become one part: each delay stays what it was, wherever its slice's floor lay."""

import pytest

from streamgauge.stats.clocks.alignment import MAX_PARTS, Fit, Pair
from streamgauge.stats.clocks.raw_delays import RawDelays

SECOND_NS, MS = 10**9, 1_000_000
KEY = ("a", "sse")


def pair_of(delays_ns: list[list[int]], *, ppm: int = 0, offset_ns: int = 0, round_trip_ns: int = 2 * MS) -> Pair:
    """A slice each second, with chunks so long under way: none of its delays is in the floor of another slice.

    The first slice knows the smallest delay, and each knows a request.
    """
    pair = Pair()
    for second, own_ns in enumerate(delays_ns):
        raw, now_ns = RawDelays(same_clock=False), second * SECOND_NS

        def server_ns(t_ns: int) -> int:
            return t_ns + offset_ns + t_ns * ppm // 10**6

        raw.note_request(now_ns, server_ns(now_ns + round_trip_ns - MS))
        for delay_ns in own_ns:
            raw.chunk(now_ns, server_ns(now_ns - delay_ns))
        pair.add(KEY, raw, 0)
    return pair


@pytest.mark.parametrize("ppm", [-200, -50, 0, 50, 200])
@pytest.mark.parametrize("second_reports", [MAX_PARTS, MAX_PARTS + 1, 4 * MAX_PARTS + 3, 200])
@pytest.mark.parametrize("high_first", [False, True])
def test_delays_above_several_floors_add_up_to_those_that_they_were(ppm, second_reports, high_first):
    """Slices whose floor is high stand before, between and after those whose floor is low."""
    own_ns = [
        [[MS, 3 * MS], [50 * MS] * 7 + [90 * MS]][(second % 3 == 1) is not high_first]
        for second in range(second_reports)
    ]
    own_ns[0], own_ns[-1] = [MS, 3 * MS], [MS, 3 * MS]
    fit, delays = pair_of(own_ns, ppm=ppm, offset_ns=-60 * SECOND_NS).results()
    found, true = delays[KEY].all, sorted(each for part in own_ns for each in part)
    assert fit.drift_ppm == pytest.approx(ppm, abs=0.01)
    assert found.count == len(true)
    for rank, true_ns in enumerate(true):
        assert found.quantile_s((rank + 0.5) / len(true)) == pytest.approx(true_ns / 1e9, rel=0.03, abs=5e-6)
    assert found.sum_ns == pytest.approx(sum(true), rel=0.01)
    assert (found.min_ns, found.max_ns) == (pytest.approx(MS, abs=20_000), pytest.approx(90 * MS, rel=0.01))


@pytest.mark.parametrize(("off_ns", "shift_ns"), [(5_000, 0), (5_001, 5_001), (-5_000, 0), (-5_001, -5_001)])
def test_an_offset_of_one_clock_that_is_not_measured_better_moves_no_delay(off_ns, shift_ns):
    pair, raw = Pair(), RawDelays(same_clock=True, hint_ns=0)
    raw.chunk(SECOND_NS + 8 * MS, SECOND_NS)
    pair.add(KEY, raw, off_ns)
    fit, delays = pair.results()
    assert fit == Fit("same_clock", offset_s=0.0, drift_ppm=0.0, uncertainty_s=5e-6)
    assert delays[KEY].all.max_ns == 8 * MS + shift_ns


@pytest.mark.parametrize(
    ("round_trip_ns", "smallest_ns"), [(2 * MS, MS), (8 * MS, 4 * MS), (MS, MS // 2), (0, 0), (-3 * MS, 0)]
)
def test_the_smallest_delay_is_half_of_the_smallest_round_trip_and_never_below_nought(round_trip_ns, smallest_ns):
    pair = pair_of([[MS, 21 * MS]] * 20, round_trip_ns=round_trip_ns)
    _, delays = pair.results()
    for found in (delays[KEY].all, pair.newest(KEY).all):
        assert found.min_ns == pytest.approx(smallest_ns, abs=1)
        assert found.max_ns == pytest.approx(20 * MS + smallest_ns, abs=1)


@pytest.mark.parametrize("ppm", [-100, 0, 100])
def test_the_newest_slice_is_moved_as_its_own_floor_asks(ppm):
    pair = pair_of([[MS]] * 30 + [[41 * MS, 61 * MS]], ppm=ppm, offset_ns=7 * SECOND_NS)
    found = pair.newest(KEY).all
    assert found.count == 2
    assert (found.min_ns, found.max_ns) == (pytest.approx(41 * MS, abs=9_000), pytest.approx(61 * MS, abs=9_000))
