"""Tokens per second in a result, and in the reports of it."""

import io
import json
import re

import pytest
from rich.console import Console

from streamgauge.report.console import print_table
from streamgauge.report.html import render
from streamgauge.report.summary import summary
from streamgauge.report.tokens import token_rate, token_words
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.stream_stats import StreamStats


def tally_of(*streams: tuple[int, float], outcome: Outcome = Outcome.COMPLETED) -> StreamStats:
    stats = StreamStats()
    for tokens, duration_s in streams:
        stats.end(StreamRecord("chat", "openai", outcome, 0.0, duration_s, tokens=tokens, time_per_output_token_s=0.02))
    return stats


def test_all_tokens_count_over_the_run_and_each_streams_over_its_own_duration() -> None:
    rates = token_rate(tally_of(*[(100, 2.0)] * 8, *[(100, 10.0)] * 2), run_s=10.0)
    assert rates is not None
    assert rates["in_all"] == 100.0
    assert (rates["p50"], rates["p10"], rates["p1"]) == tuple(pytest.approx(each, rel=0.01) for each in (50, 10, 10))


def test_streams_that_failed_have_tokens_and_no_rate_of_their_own() -> None:
    rates = token_rate(tally_of((100, 2.0), outcome=Outcome.TRUNCATED), run_s=10.0)
    assert rates == {"in_all": 10.0, "p50": None, "p10": None, "p1": None}


def test_streams_without_tokens_have_no_rate() -> None:
    assert token_rate(tally_of((0, 2.0)), run_s=10.0) is None


def test_rates_merge_exactly() -> None:
    streams = [(at + 1, 0.1 * (at + 3)) for at in range(100)]
    whole, parts = tally_of(*streams), StreamStats()
    for part in (streams[::2], streams[1::2]):
        parts.merge(StreamStats.from_dict(json.loads(json.dumps(tally_of(*part).to_dict()))))
    assert parts.duration_per_token == whole.duration_per_token
    assert token_rate(parts, 5.0) == token_rate(whole, 5.0)


def test_a_time_per_token_that_is_known_as_a_range_is_marked(make_result) -> None:
    result = make_result()
    stats = tally_of((1234, 10.0))
    chat = result["streams"][-1]
    chat["time_per_output_token"] = summary(stats.time_per_output_token.all, {"p99": (0.01, 0.03)})
    out = io.StringIO()
    print_table(result, console=Console(file=out, width=200))
    assert f"≈ {chat['name']}, per token p99: 10.0–30.0 ms" in out.getvalue()
    assert "≈ 20.0 ms" in render(result)


def test_the_reports_say_how_fast_tokens_came(make_result) -> None:
    result = make_result()
    chat = result["streams"][-1]
    stats = tally_of((1234, 10.0))
    chat["tokens"], chat["tokens_per_second"] = 1234, token_rate(stats, run_s=20.0)
    chat["time_per_output_token"] = summary(stats.time_per_output_token.all)
    out = io.StringIO()
    print_table(result, console=Console(file=out, width=200))
    assert "1,234 tokens, 61.7 per s in total; per stream p50 123 per s" in token_words(chat)
    assert re.search(rf"^{chat['name']} .* °20\.0 ms +°20\.0 ms +1,234 +40\.9$", out.getvalue(), re.MULTILINE)
    assert token_words(chat) in " ".join(out.getvalue().split())
    assert token_words(chat) in render(result)


def test_a_run_that_took_no_time_has_no_rate_over_it() -> None:
    rates = token_rate(tally_of((100, 2.0)), run_s=0.0)
    assert rates is not None
    assert (rates["in_all"], rates["p50"]) == (None, pytest.approx(50, rel=0.01))
    short = token_rate(tally_of((100, 2.0)), run_s=0.5)
    assert short is not None
    assert short["in_all"] == 200.0


def test_each_rate_is_reached_by_its_share_of_the_streams() -> None:
    streams = [(100, seconds) for seconds, times in ((1.0, 50), (2.0, 40), (5.0, 9), (10.0, 1)) for _ in range(times)]
    rates = token_rate(tally_of(*streams), run_s=10.0)
    assert rates is not None
    assert [rates[each] for each in ("p50", "p10", "p1")] == pytest.approx([100, 50, 20], rel=0.01)


def test_the_words_leave_out_what_is_not_known(make_result) -> None:
    chat = make_result(seconds=2)["streams"][-1]
    assert token_words(chat) == ""
    chat |= {"tokens": 1234, "time_per_output_token": None}
    chat["tokens_per_second"] = {"in_all": 61.7, "p50": None, "p10": None, "p1": None}
    assert token_words(chat) == "1,234 tokens, 61.7 per s in total"
    chat["tokens_per_second"] = {"in_all": 61.7, "p50": 41.0, "p10": 12.0, "p1": 1.0}
    of_a_stream = "per stream p50 41.0 per s, and at least 12.0 per s in 90 % of streams"
    assert token_words(chat) == f"1,234 tokens, 61.7 per s in total; {of_a_stream}"
