"""What a process's wall clock adds to raw delays: the first offset where the server has another clock, else each."""

import pytest

from streamgauge.stats.clocks.alignment import Pair
from streamgauge.stats.clocks.raw_delays import RawDelays

SECOND_NS, MS = 10**9, 1_000_000
KEY = ("a", "sse")


@pytest.mark.parametrize("step_ns", [0, 3600 * SECOND_NS, -3600 * SECOND_NS])
def test_a_step_of_the_wall_clock_moves_no_delay_from_another_clock(step_ns):
    pair = Pair()
    for second in range(40):
        raw = RawDelays(same_clock=False)
        raw.note_request(second * SECOND_NS, second * SECOND_NS + MS)
        raw.chunk(second * SECOND_NS + MS, second * SECOND_NS)
        pair.add(KEY, raw, 5 * SECOND_NS + (step_ns if second >= 20 else 0))
    fit, delays = pair.results()
    assert fit.offset_s == pytest.approx(-5, abs=1e-6)
    assert fit.drift_ppm == pytest.approx(0, abs=1e-3)
    assert delays[KEY].all.max_ns == pytest.approx(MS, abs=1000)


@pytest.mark.parametrize("offset_ns", [0, 2 * MS])
def test_delays_by_one_clock_are_counted_above_its_offset(offset_ns):
    pair, raw = Pair(), RawDelays(same_clock=True, hint_ns=0)
    raw.chunk(SECOND_NS + MS, SECOND_NS)
    pair.add(KEY, raw, offset_ns)
    fit, delays = pair.results()
    assert fit.method == "same_clock"
    assert delays[KEY].all.max_ns == MS + offset_ns
