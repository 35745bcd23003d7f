"""Whether a percentile rests on enough values: at least ten lie beyond it.

A percentile is a rank. With ten values beyond it, a 95 % confidence interval by order statistics (ranks within 1.96
standard deviations of the binomial distribution) reaches from about the 4th to the 17th value from the end, so for p99
of 1,000 values from p98.3 to p99.6. With fewer than four beyond it, the interval has no upper end: the percentile is
little more than the largest value that happened to come.
"""

from collections.abc import Mapping
from math import ceil

#: So many values have to lie beyond a percentile.
BEYOND = 10


def needed(q: float) -> int:
    """Return how many values the quantile ``q``, from 0 to 1, takes: 20 for 0.5, 1000 for 0.99."""
    return ceil(BEYOND / min(q, 1 - q) - 1e-6)


def missing(count: int, quantiles: Mapping[str, float]) -> dict[str, int]:
    """Return by name how many more values than ``count`` each quantile needs; those that have enough are left out.

    Without any value there is no quantile, and nothing is said of it.
    """
    return {name: needed(q) - count for name, q in quantiles.items() if 0 < count < needed(q)}
