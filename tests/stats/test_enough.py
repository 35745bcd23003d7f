"""A percentile rests on enough values if ten lie beyond it."""

import pytest

from streamgauge.stats.enough import missing, needed

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


@pytest.mark.parametrize(
    ("q", "values"), [(0.5, 20), (0.9, 100), (0.95, 200), (0.99, 1000), (0.999, 10_000), (0.1, 100)]
)
def test_ten_values_lie_beyond_a_percentile_that_has_enough(q, values):
    assert needed(q) == values


def test_a_percentile_without_enough_values_needs_more():
    assert missing(150, QUANTILES) == {"p95": 50, "p99": 850, "p999": 9850}
    assert missing(10_000, QUANTILES) == {}
    assert missing(9_999, QUANTILES) == {"p999": 1}
    assert missing(1, {"p50": 0.5}) == {"p50": 19}


def test_nothing_is_said_of_a_distribution_without_values():
    assert missing(0, QUANTILES) == {}
