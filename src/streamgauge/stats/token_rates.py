"""Tokens per second of single streams, from the duration of each stream divided by its tokens."""

from streamgauge.stats.histogram import Histogram

#: For each rate, the quantile of the durations per token that it comes from: ``p10`` is what 90 % of streams reach.
AT_LEAST = {"p50": 0.5, "p10": 0.9, "p1": 0.99}


def token_rates(duration_per_token: Histogram) -> dict[str, float | None]:
    """Return each of ``AT_LEAST`` in tokens per second; None if no stream had tokens."""
    slow_s = dict(zip(AT_LEAST, duration_per_token.quantiles_s(AT_LEAST.values()), strict=True))
    return {name: 1 / value_s if value_s else None for name, value_s in slow_s.items()}
