"""Tokens per second of language models' streams: of each stream over its duration, and of all streams together."""

from streamgauge.report.result import NamedStreams
from streamgauge.report.stream_facts import TokenRate
from streamgauge.report.units import number, rate
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.stats.token_rates import token_rates


def token_rate(stats: StreamStats, run_s: float) -> TokenRate | None:
    """Return the rates of one name's streams in a run of ``run_s`` seconds; None if no stream had tokens."""
    if not stats.tokens:
        return None
    rates = token_rates(stats.duration_per_token)
    return TokenRate(
        in_all=stats.tokens / run_s if run_s > 0 else None, p50=rates["p50"], p10=rates["p10"], p1=rates["p1"]
    )


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
