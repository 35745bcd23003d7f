"""The series of a run: which points they have, what a point says, and from when on a change of them matters."""

import math

import pytest

from streamgauge.stats.run_part import RunPart
from streamgauge.verdict.steady.run_series import LEAST_POINTS, series_of

FIRST_S, INTERVAL_S = 0.5, 0.25


def slice_of(times, *, first_s=FIRST_S, chunks=0, name="a"):
    """So many times of one name, and chunks."""
    part = RunPart()
    stats = part.all_stats[name, "sse"]
    stats.chunks = chunks
    stats.time_to_first_chunk.record_ns(round(first_s * 1e9), times)
    stats.chunk_interval.record_ns(round(INTERVAL_S * 1e9), times)
    return part


def series(slices, key="time_to_first_chunk", width_s=1):
    """The series of a key; None if it has too few values."""
    every = series_of([(at * width_s, part) for at, part in enumerate(slices)], width_s)
    return {each.key: each for each in every}.get(key)


def test_a_level_run_has_three_series_that_stay_at_their_level():
    found = series_of([(at, slice_of(8, chunks=100)) for at in range(60)], 1)
    assert [(each.key, each.title) for each in found] == [
        ("time_to_first_chunk", "time to first chunk p50"),
        ("chunk_interval", "chunk interval p50"),
        ("chunks", "chunks per second"),
    ]
    assert [list(each.starts_s) for each in found] == [list(range(60))] * 3
    assert [list(each.values) for each in found] == [[0.0] * 60, [0.0] * 60, [pytest.approx(math.log(100.5))] * 60]
    assert (found[0].since(57), found[0].start_s(57, 1)) == ([0.0] * 3, 58)


def test_a_second_without_a_chunk_is_a_point_of_half_a_chunk():
    slices = [slice_of(0, chunks=0 if at == 30 else 8) for at in range(60)]
    assert series(slices, "chunks").values[30] == pytest.approx(math.log(0.5))


@pytest.mark.parametrize(
    ("times", "slices", "starts_s"),
    [
        (8, LEAST_POINTS, range(LEAST_POINTS)),
        (8, LEAST_POINTS - 1, None),
        (4, 150, range(0, 150, 2)),
        (4, 151, range(0, 150, 2)),
        (4, 100, range(0, 100, 2)),
        (4, 99, None),
        (7, 100, range(0, 100, 2)),
        (3, 150, range(0, 150, 3)),
    ],
)
def test_neighbours_are_joined_until_a_point_has_eight_values(times, slices, starts_s):
    every = [slice_of(times, chunks=times) for _ in range(slices)]
    for key in ("time_to_first_chunk", "chunks"):
        found = series(every, key, width_s=2)
        assert (found and list(found.starts_s)) == (starts_s and [2 * each for each in starts_s])
    if found:
        joined = starts_s.step
        assert found.values == [pytest.approx(math.log((times * joined + 0.5) / (joined * 2)))] * len(starts_s)


@pytest.mark.parametrize(
    ("poor", "times", "points"),
    [(10, 0, 90), (10, 3, 90), (10, 4, 100), (11, 4, 50), (50, 0, 50)],
    ids=["no value", "three values", "four values", "too many poor slices", "half of them"],
)
def test_a_tenth_of_the_points_may_have_fewer_values_and_none_of_them_fewer_than_four(poor, times, points):
    slices = [slice_of(times if at % 2 and at < 2 * poor else 8) for at in range(100)]
    assert len(series(slices).values) == points


@pytest.mark.parametrize(
    ("first_s", "least"),
    [(0.5, 0.05), (0.002, 0.05), (0.0005, math.log1p(0.2)), (0.0, math.log1p(100))],
    ids=["half a second", "2 ms", "0.5 ms", "0"],
)
def test_a_change_matters_from_five_percent_or_a_tenth_of_a_millisecond_on(first_s, least):
    found = series([slice_of(8, first_s=first_s) for _ in range(50)])
    assert found.least == pytest.approx(least, rel=0.01)
    assert list(found.values) == [0.0] * 50


def test_names_count_by_their_values_and_relative_to_their_own_level():
    """Half the values are of each name; one name doubles its time, so that the logarithm rises by half of log 2."""
    slices = []
    for at in range(99):
        part = slice_of(10, first_s=0.5)
        part.merge(slice_of(10, first_s=0.002 if at < 66 else 0.004, name="b"))
        slices.append(part)
    values = series(slices).values
    assert values[:66] == [0.0] * 66
    assert values[66:] == [pytest.approx(math.log(2) / 2, rel=0.02)] * 33


def test_names_beyond_the_eight_with_the_most_values_change_nothing():
    slices = []
    for at in range(60):
        part = slice_of(8, first_s=0.02 * (1 + at), name="few")
        for number in range(8):
            part.merge(slice_of(9, name=f"name {number}"))
        slices.append(part)
    assert series(slices).values == [pytest.approx(0.0, abs=1e-12)] * 60
