"""The line below a cloud of points, where it and what is stated of it can be told by hand."""

import itertools
import random

import pytest

from streamgauge.stats.clocks.envelope import MAX_POINTS, Envelope, line_below, lower_hull

SECOND_NS = 10**9
PPM_NS = 1_000
"""What clocks that drift by one part in a million are apart after a second."""


def envelope(*values_ns: int, ppm: int = 0) -> Envelope:
    """A point for each second, so far above a line that has a slope."""
    found = Envelope()
    for second, value_ns in enumerate(values_ns):
        found.add((second * SECOND_NS, value_ns + second * ppm * PPM_NS))
    return found


@pytest.mark.parametrize("ppm", [-200, -30, 0, 30, 200])
def test_points_on_a_line_have_it_as_their_line_and_no_error(ppm):
    found = envelope(*[7_000] * 20, ppm=ppm)
    assert found.line.slope == pytest.approx(ppm * 1e-6)
    assert found.line.at(0) == pytest.approx(7_000)
    assert found.line.at(100 * SECOND_NS) == pytest.approx(7_000 + 100 * ppm * PPM_NS)
    assert (found.error_ns, found.rise_ns) == pytest.approx((0, 0), abs=1e-3)


@pytest.mark.parametrize("ppm", [-201, -1000, 201, 1000])
def test_a_trend_steeper_than_clocks_drift_is_not_theirs(ppm):
    found = envelope(*[7_000] * 20, ppm=ppm)
    assert found.line.slope == pytest.approx(200e-6 if ppm > 0 else -200e-6)
    assert min(value_ns - found.line.at(t_ns) for t_ns, value_ns in found.points) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(("points", "slope"), [(3, 0.0), (4, 100e-6)])
def test_a_drift_is_told_from_four_points_on(points, slope):
    found = envelope(*[7_000] * points, ppm=100)
    assert found.line.slope == pytest.approx(slope)
    assert found.line.at(0) == pytest.approx(7_000)


def test_the_line_is_that_edge_from_below_that_lies_in_the_middle_of_the_time():
    """The points fall, lie level in the middle, and rise; above them is noise."""
    corners = [(0, 50_000), (4 * SECOND_NS, 10_000), (8 * SECOND_NS, 9_200), (12 * SECOND_NS, 60_000)]
    noise = [(second * SECOND_NS, 90_000) for second in range(13)]
    assert lower_hull([*noise, *corners]) == corners
    line = line_below([*noise, *corners])
    assert line.slope == pytest.approx(-800 / (4 * SECOND_NS))
    assert line.at(4 * SECOND_NS) == pytest.approx(10_000)
    assert line.at(8 * SECOND_NS) == pytest.approx(9_200)


@pytest.mark.parametrize("seed", range(3))
def test_no_point_lies_below_the_edges_that_support_them(seed):
    dice = random.Random(seed)
    points = [(dice.randrange(30), dice.randrange(1_000)) for _ in range(60)]
    hull = lower_hull(points)
    assert hull[0] == min(points)
    assert hull[-1][0] == max(points)[0]
    assert set(hull) <= set(points)
    for (t1, v1), (t2, v2) in itertools.pairwise(hull):
        assert t1 < t2
        assert all((v - v1) * (t2 - t1) >= (v2 - v1) * (t - t1) for t, v in points if t1 <= t <= t2)
    slopes = [(v2 - v1) / (t2 - t1) for (t1, v1), (t2, v2) in itertools.pairwise(hull)]
    assert slopes == sorted(set(slopes))


@pytest.mark.parametrize("points", [2, 7])
def test_of_too_few_points_the_error_is_all_that_their_clocks_can_have_drifted_and_their_spread(points):
    found = envelope(*[7_000] * (points - 1), 9_500)
    assert found.error_ns == pytest.approx((points - 1) * 100 * PPM_NS + 2_500)


def test_the_error_is_how_far_every_other_point_tells_another_line():
    found = envelope(*[7_000, 8_000] * 4)
    assert found.error_ns == pytest.approx(1_000 + 500), "the lines' distance, and the middle of what each eighth rises"
    assert found.rise_ns == pytest.approx(1_000)


@pytest.mark.parametrize("ppm", [-150, 0, 150])
def test_the_rise_is_that_of_the_highest_eighth_of_the_time(ppm):
    values_ns = [each for rise_ns in (0, 300, 100, 0, 900, 200, 0, 0) for each in (5_000, rise_ns, 5_000)]
    assert envelope(*values_ns, ppm=ppm).rise_ns == pytest.approx(900, abs=1)


@pytest.mark.parametrize("ppm", [-100, 100])
@pytest.mark.parametrize("raised", [0, 1])
@pytest.mark.parametrize("points", [MAX_POINTS, MAX_POINTS + 1, 5 * MAX_POINTS])
def test_of_neighbours_that_become_one_the_nearer_to_the_line_is_kept(points, raised, ppm):
    found = envelope(*(50_000 * (second % 2 == raised) for second in range(points)), ppm=ppm)
    kept = [value_ns - t_ns * ppm // 10**6 for t_ns, value_ns in found.points]
    assert MAX_POINTS // 2 <= len(kept) <= MAX_POINTS
    if points == MAX_POINTS:
        assert len(kept) == points
    else:
        assert max(kept[: MAX_POINTS // 2 - 1]) == 0
    assert found.line.at(0) == pytest.approx(0, abs=1e-3)
    assert found.line.at(points * SECOND_NS) == pytest.approx(points * ppm * PPM_NS)


def test_the_last_of_an_odd_number_of_points_is_kept_as_it_is():
    found = envelope(*[7_000] * MAX_POINTS, 99_000)
    assert len(found.points) == MAX_POINTS // 2 + 1
    assert found.points[-1] == (MAX_POINTS * SECOND_NS, 99_000)
