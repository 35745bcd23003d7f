"""Times that are known as a range: each is counted at its estimate, at its least and at its most."""

import json

import pytest

from streamgauge.stats.bounded_times import BoundedTimes, FirstChunkTimes

MS = 1_000_000


def counts(times):
    return {part: getattr(times, part).count for part in times.PARTS}


@pytest.mark.parametrize("times", [1, 3])
def test_a_time_between_two_bounds_is_in_every_part(times):
    found = BoundedTimes()
    found.record_ns(5 * MS, 2)
    found.record_between_ns(20 * MS, 10 * MS, 40 * MS, times)
    assert counts(found) == {"all": 2 + times, "uncertain": times, "least": times, "most": times}
    sums_ns = {part: getattr(found, part).sum_ns for part in found.PARTS}
    assert sums_ns == {
        "all": (10 + 20 * times) * MS, "uncertain": 20 * times * MS, "least": 10 * times * MS,
        "most": 40 * times * MS,
    }  # fmt: skip
    least, most = found.bounds()
    assert (least.sum_ns, most.sum_ns) == ((10 + 10 * times) * MS, (10 + 40 * times) * MS)


@pytest.mark.parametrize("kind", [BoundedTimes, FirstChunkTimes])
@pytest.mark.parametrize("part", FirstChunkTimes.PARTS)
def test_only_what_has_no_value_in_any_part_is_empty(kind, part):
    found = kind()
    assert (found.empty, found.to_dict()) == (True, {})
    if part in found.PARTS:
        getattr(found, part).record_ns(MS)
        assert not found.empty
        assert counts(kind.from_dict(json.loads(json.dumps(found.to_dict())))) == counts(found)


def test_results_leave_out_the_first_chunks_of_streams_that_failed():
    found = FirstChunkTimes()
    for value_ns in (5 * MS, 900 * MS):
        found.record_ns(value_ns)
    found.failed.record_ns(900 * MS)
    assert (found.values.count, found.values.sum_ns) == (1, 5 * MS)


def test_a_failure_is_merged_even_if_its_first_chunk_was_counted_before():
    found, later = FirstChunkTimes(), FirstChunkTimes()
    found.record_ns(5 * MS)
    later.failed.record_ns(5 * MS)
    found.merge(FirstChunkTimes.from_dict(later.to_dict()))
    assert found.values.count == 0
