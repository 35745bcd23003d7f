"""Tokens per second of language models' streams: of each stream over its duration, and of all streams together."""

from streamgauge.report.result import NamedStreams, TokenRate
from streamgauge.report.units import number, rate
from streamgauge.stats.stream_stats import StreamStats

#: For each rate, the quantile of the durations per token that it comes from.
_AT_LEAST = {"p50": 0.5, "p10": 0.9, "p1": 0.99}


def token_rate(stats: StreamStats, run_s: float) -> TokenRate | None:
    """Return the rates of one name's streams in a run of ``run_s`` seconds; None if no stream had tokens."""
    if not stats.tokens:
        return None
    slow_s = dict(zip(_AT_LEAST, stats.duration_per_token.quantiles_s(_AT_LEAST.values()), strict=True))
    p50, p10, p1 = (1 / value_s if value_s else None for value_s in slow_s.values())
    return TokenRate(in_all=stats.tokens / run_s if run_s > 0 else None, p50=p50, p10=p10, p1=p1)


def token_words(streams: NamedStreams) -> str:
    """Return the rates of tokens of ``streams`` in a few words; empty if they have none."""
    found = streams.get("tokens_per_second")
    if found is None:
        return ""
    parts = [f"{number(streams['tokens'])} tokens, {rate(found['in_all'])} per s in total"]
    if found["p50"] is not None:
        parts.append(
            f"per stream p50 {rate(found['p50'])} per s, and at least {rate(found['p10'])} per s in 90 % of streams"
        )
    return "; ".join(parts)
