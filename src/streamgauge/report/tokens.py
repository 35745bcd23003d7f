"""Tokens per second of language models' streams: of each over its whole duration, and of all of them together."""

from typing import Literal

from streamgauge.report.result import MetricSummary, NamedStreams, TokenRate
from streamgauge.report.units import duration, interval, number, rate
from streamgauge.stats.stream_stats import StreamStats

#: Which share of the streams was at least so fast, by the quantile of their durations per token.
_AT_LEAST = {"p50": 0.5, "p10": 0.9, "p1": 0.99}


def token_rate(stats: StreamStats, run_s: float) -> TokenRate | None:
    """The rates of one name's streams in a run of ``run_s`` seconds; None where no stream had tokens."""
    if not stats.tokens:
        return None
    slow_s = dict(zip(_AT_LEAST, stats.duration_per_token.quantiles_s(_AT_LEAST.values()), strict=True))
    p50, p10, p1 = (1 / value_s if value_s else None for value_s in slow_s.values())
    return TokenRate(in_all=stats.tokens / run_s if run_s > 0 else None, p50=p50, p10=p10, p1=p1)


def token_words(streams: NamedStreams) -> str:
    """The tokens of ``streams`` in a few words; empty where they have none."""
    found = streams.get("tokens_per_second")
    if found is None:
        return ""
    parts = [f"{number(streams['tokens'])} tokens, {rate(found['in_all'])} per s in all"]
    if found["p50"] is not None:
        parts.append(f"of a stream {rate(found['p50'])} per s (p50) and {rate(found['p10'])} or more of nine in ten")
    if each := streams["time_per_output_token"]:
        p50, p99 = (_percentile_words(each, percentile) for percentile in ("p50", "p99"))
        parts.append(f"time per output token {p50}, {p99}")
    return "; ".join(parts)


def _percentile_words(found: MetricSummary, percentile: Literal["p50", "p99"]) -> str:
    value = duration(found[percentile])
    if between := found["uncertain"].get(percentile):
        return f"{percentile} ≈{value} ({interval(*between)}, since chunks shared a read)"
    return f"{percentile} {value}"
