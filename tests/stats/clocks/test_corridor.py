"""How far the line between two clocks may be off, against every corner of what the points leave possible."""

import itertools
import random
from fractions import Fraction

import pytest

from streamgauge.stats.clocks.corridor import deviation_ns
from streamgauge.stats.clocks.envelope import MAX_DRIFT, Line

SECOND_NS = 10**9
Points = list[tuple[int, int]]


def by_corners(line: Line, above: Points, below: Points) -> float | None:
    """The same by trying all corners of the possible: lines by their value at 0 and their slope, in exact numbers."""
    slopes = [(Fraction(0), Fraction(1), Fraction(sign * MAX_DRIFT)) for sign in (-1, 1)]
    bounds = [(Fraction(1), Fraction(t_ns), Fraction(value_ns)) for t_ns, value_ns in above]
    bounds += [(Fraction(1), Fraction(t_ns), Fraction(-value_ns)) for t_ns, value_ns in below]
    possible = []
    for (a, b, c), (d, e, f) in itertools.combinations(slopes + bounds, 2):
        if determinant := a * e - b * d:
            value, slope = (c * e - b * f) / determinant, (a * f - c * d) / determinant
            if (
                abs(slope) <= MAX_DRIFT
                and all(value + slope * t_ns <= most for t_ns, most in above)
                and all(value + slope * t_ns >= -least for t_ns, least in below)
            ):
                possible.append((value, slope))
    ends = min(t_ns for t_ns, _ in below), max(t_ns for t_ns, _ in below)
    off = [abs(float(value + slope * t_ns) - line.at(t_ns)) for value, slope in possible for t_ns in ends]
    return max(off, default=None)


def clocks(seed: int) -> tuple[Line, Points, Points]:
    """Points beside an invented offset, and a line that somebody took for it."""
    dice = random.Random(seed)
    offset_ns, drift = dice.uniform(-5, 5) * SECOND_NS, dice.uniform(-MAX_DRIFT, MAX_DRIFT)
    noise_ns, start_ns, span_ns = dice.choice([1e4, 1e6, 3e7]), dice.randrange(100), dice.choice([5, 60])

    def points(sign: int) -> Points:
        times = [round((start_ns + dice.uniform(0, span_ns)) * SECOND_NS) for _ in range(dice.randrange(2, 9))]
        return [(t, round(sign * (offset_ns + drift * t) + 100 + dice.expovariate(1 / noise_ns))) for t in times]

    above, below = points(1), points(-1)
    middle_ns = round((start_ns + span_ns * dice.random()) * SECOND_NS)
    off_ns = dice.uniform(-noise_ns, noise_ns)
    taken = Line(middle_ns, offset_ns + drift * middle_ns + off_ns, dice.uniform(-MAX_DRIFT, MAX_DRIFT))
    return taken, above, below


@pytest.mark.parametrize("seed", range(60))
def test_it_is_the_farthest_that_a_possible_line_is_from_the_one_taken(seed):
    line, above, below = clocks(seed)
    expected = by_corners(line, above, below)
    assert expected is not None
    assert deviation_ns(line, above, below) == pytest.approx(expected, rel=1e-9, abs=2)


def test_a_point_that_bounds_both_ways_leaves_one_value_at_its_time():
    assert deviation_ns(Line(7, 300, 0.0), [(7, 300)], [(7, -300)]) == pytest.approx(0, abs=1e-6)
    assert deviation_ns(Line(7, 100, 0.0), [(7, 300)], [(7, -300)]) == pytest.approx(200)


@pytest.mark.parametrize("gap_ns", [1, 1000])
def test_between_points_that_are_out_of_order_there_is_no_line(gap_ns):
    assert deviation_ns(Line(7, 300, 0.0), [(7, 300)], [(7, -300 - gap_ns)]) is None


@pytest.mark.parametrize(("ppm", "possible"), [(199, True), (201, False), (-199, True), (-201, False)])
def test_clocks_do_not_drift_apart_by_more_than_200_ppm(ppm, possible):
    ends = [(0, 0), (10 * SECOND_NS, ppm * 10_000)]
    above, below = [(t, value + 10) for t, value in ends], [(t, -value + 10) for t, value in ends]
    for taken_ppm in (-150, 0, 150):
        found = deviation_ns(Line(0, 0, taken_ppm * 1e-6), above, below)
        assert (found is not None) is possible
        if found is not None:
            assert found == pytest.approx(abs(ppm - taken_ppm) * 10_000 + 10, abs=2)
