"""Of any times, however they were recorded, merged and shifted: least ≤ value ≤ most, in every statistic."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.report.summary import times_summary
from streamgauge.stats.bounded_times import BoundedTimes, FirstChunkTimes
from streamgauge.stats.run_second import Times
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.stats.uncertainty import QUANTILES, Tolerance, statistics, uncertain_statistics

ANY = Tolerance(0.0, 0.0)
QS = {f"p{number}": number / 100 for number in range(0, 101, 5)} | QUANTILES
QS = dict(sorted(QS.items(), key=lambda item: item[1]))
NS = st.one_of(st.integers(0, 2_000), st.integers(0, 300_000_000), st.integers(0, 4_000_000_000_000))
#: A time with its range, the number of times, and whether its stream failed; a single value is exactly known.
TIMES = st.lists(
    st.tuples(st.lists(NS, min_size=1, max_size=3).map(sorted), st.integers(1, 3), st.booleans()), max_size=20
)


def recorded(times, kind=BoundedTimes):
    found = kind()
    for bounds_ns, count, failed in times:
        for part in (found, *([found.failed] if failed and kind is FirstChunkTimes else [])):
            if len(bounds_ns) == 1:
                part.record_ns(bounds_ns[0], count)
            else:
                part.record_between_ns(bounds_ns[len(bounds_ns) // 2], bounds_ns[0], bounds_ns[-1], count)
    return found


def check(found: BoundedTimes) -> None:
    least, most = found.bounds()
    lows, values, highs = (statistics(each, QS) for each in (least, found.values, most))
    for name, value_s in values.items():
        if value_s is None:
            assert (lows[name], highs[name]) == (None, None)
        else:
            assert lows[name] <= value_s <= highs[name], name
    for name, (low_s, high_s) in uncertain_statistics(found, QS, ANY).items():
        assert low_s <= values[name] <= high_s
        assert low_s < high_s


@pytest.mark.parametrize("kind", [BoundedTimes, FirstChunkTimes])
@given(parts=st.lists(TIMES, min_size=1, max_size=3))
def test_a_statistic_lies_in_its_range_after_merges_and_messages(kind, parts):
    merged = kind()
    for part in parts:
        merged.merge(kind.from_dict(json.loads(json.dumps(recorded(part, kind).to_dict()))))
    check(merged)


@given(TIMES, TIMES, st.integers(-400_000_000, 400_000_000))
def test_it_does_so_after_a_shift(times, others, shift_ns):
    found = recorded(times).shifted(shift_ns)
    found.merge(recorded(others))
    check(found)


@given(TIMES)
def test_results_and_seconds_state_the_value_inside_its_range(times):
    stats = StreamStats()
    stats.time_to_first_chunk = recorded(times, FirstChunkTimes)
    stats.chunk_interval = recorded(times)
    for summary in (times_summary(stats.time_to_first_chunk), times_summary(stats.chunk_interval)):
        assert all(low_s <= summary[name] <= high_s for name, (low_s, high_s) in summary["uncertain"].items())
    second = Times.of(stats)
    for metric, ranges_s in second.ranges_s.items():
        assert all(low_s <= second.to_dict()[metric][name] <= high_s for name, (low_s, high_s) in ranges_s.items())
