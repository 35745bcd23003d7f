"""How much less neighbouring values of a series tell than independent ones would.

Latencies of neighbouring seconds resemble each other: a queue or a pause spans several of them. Tests of trend and of
level count each second as if it were independent, and so find a trend in every second series of such noise.
Hamed and Rao, "A modified Mann-Kendall trend test for autocorrelated data", Journal of Hydrology 204 (1998), multiply
the variance by a factor from the autocorrelation of the ranks, once the trend is taken out. So does this module, for
all tests. Pure arithmetic; standard library only.
"""

from collections.abc import Sequence

#: Autocorrelation is summed up to this share of the series: further lags rest on too few pairs.
_LAGS_SHARE = 0.25
#: At most this share of the variance counts as taken out by the levels.
_MOST_TAKEN = 0.5


def ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each value, from 1; equal values share the mean of their ranks."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    at = 0
    while at < len(order):
        beyond = at
        while beyond < len(order) and values[order[beyond]] == values[order[at]]:
            beyond += 1
        for position in order[at:beyond]:
            found[position] = (at + beyond + 1) / 2
        at = beyond
    return found


def inflation(residuals: Sequence[float], levels: int) -> float:
    """Return by which factor autocorrelation multiplies the variance of a mean of ``residuals``; at least 1.

    ``residuals`` are the values without the trend or the levels that are tested, which would pass for autocorrelation.
    Lags are summed while their autocorrelation differs from that of noise, and at most to a quarter of the series.
    Taking out ``levels`` levels has also taken out their part of the noise, which lowers every autocorrelation by about
    the variance of a level's mean. It is added again.
    """
    ranked = ranks(residuals)
    n = len(ranked)
    mean = sum(ranked) / n
    centred = [rank - mean for rank in ranked]
    square = sum(each * each for each in centred)
    if not square:
        return 1.0
    noise, found = 1.0 / n**0.5, []
    for lag in range(1, max(2, int(n * _LAGS_SHARE))):
        correlation = sum(a * b for a, b in zip(centred, centred[lag:], strict=False)) / square
        if correlation <= noise:
            break
        found.append(correlation)
    factor = _factor(found, n, 0.0)
    return _factor(found, n, min(_MOST_TAKEN, factor * levels / n))


def _factor(correlations: Sequence[float], n: int, taken: float) -> float:
    """Return the factor; ``taken`` is the share of the variance that the levels have taken out."""
    return 1 + 2 * sum(
        (1 - lag / n) * (correlation + taken * (1 - correlation)) for lag, correlation in enumerate(correlations, 1)
    )
