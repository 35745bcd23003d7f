"""Which words say that a figure did not keep its level, and what the tests of level do at their limits."""

import math
import random

import pytest

from streamgauge.verdict.steady.autocorrelation import inflation
from streamgauge.verdict.steady.level_tests import Change, shift, trend, wave
from streamgauge.verdict.steady.run_series import Series
from streamgauge.verdict.steady.search import search

LENGTH_S = 60


def turns(t_s):
    return math.cos(t_s * 2 * math.pi / LENGTH_S)


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        (lambda t_s: 0.3 * t_s / LENGTH_S, "first chunk p50 rose by 21 % from 20 s to 60 s"),
        (lambda t_s: -0.3 * t_s / LENGTH_S, "first chunk p50 fell by 18 % from 20 s to 60 s"),
        (lambda t_s: 0.3 * (t_s >= 40), "first chunk p50 rose by 35 % at 40 s"),
        (lambda t_s: 0.2 * turns(t_s), "first chunk p50 went up and down by 40 % from 6 s to 60 s"),
        (lambda t_s: 0.6 * turns(t_s), "first chunk p50 went up and down by a factor of 2.8 from 6 s to 60 s"),
    ],
    ids=["rises", "falls", "shifts", "swings", "swings far"],
)
def test_a_change_is_said_in_words(levels, words):
    dice = random.Random(1)
    values = [levels(t_s) + dice.gauss(0, 0.01) for t_s in range(LENGTH_S)]
    assert search([Series("first", "first chunk p50", range(LENGTH_S), values, 0.05)], 0, LENGTH_S) == words


@pytest.mark.parametrize(("least", "found"), [(0.625, Change("wave", 0.625, 0)), (0.63, None)])
def test_a_wave_counts_from_its_least_amount_on(least, found):
    """Of five parts of ten seconds, the last lies 40 seconds behind the first."""
    assert wave([t_s / 64 for t_s in range(50)], least) == found


@pytest.mark.parametrize(("values", "significant"), [(6, False), (7, True), (60, True)])
def test_a_trend_without_noise_takes_seven_values(values, significant):
    """By the test of Mann and Kendall, p is 0.0085 for six rising values and 0.0027 for seven."""
    rising = [1 + at / 64 for at in range(values)]
    amount = (values - 1) / 64
    for sign in (1, -1):
        expected = Change("trend", sign * amount, 0) if significant else None
        assert trend([sign * each for each in rising], amount) == expected
    assert trend(rising, amount + 0.001) is None


@pytest.mark.parametrize(("before", "after", "significant"), [(8, 9, False), (9, 9, True), (36, 24, True)])
def test_a_shift_without_noise_takes_eighteen_values(before, after, significant):
    """By Pettitt's test, p is 0.0051 for 17 values whose level shifts in the middle, and 0.0033 for 18."""
    for low, high in ((1.0, 1.25), (1.25, 1.0)):
        expected = Change("shift", high - low, before) if significant else None
        assert shift([low] * before + [high] * after, 0.25) == expected
        assert shift([low] * before + [high] * after, 0.26) is None


def test_equal_values_tell_as_much_as_independent_ones():
    assert inflation([0.5] * 20, 2) == 1


def test_the_variance_grows_with_the_autocorrelation_of_the_ranks():
    """Of the ranks 1 to 8, whose only lag has 26.25 / 42 = 0.625: 1 + 2 * 7/8 * 0.625 = 2.09375 before levels count.

    Taking out one level has taken 2.09375 / 8 of the variance with it: 0.625 becomes 0.7231, and the factor 2.2655.
    """
    assert inflation([0.1, 0.2, 0.4, 0.5, 0.7, 0.8, 0.9, 2.0], 1) == pytest.approx(2.2655, abs=1e-4)
