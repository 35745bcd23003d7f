import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from streamgauge.report.console import print_table
from streamgauge.report.html import render
from streamgauge.report.result import Result
from streamgauge.report.server_view import ServerView, server_view
from streamgauge.report.summary import summary
from streamgauge.stats.histogram import Histogram
from tests.report.test_slo_text import judged


def printed(result: Result, server: ServerView | None = None, width: int = 140, **options: Any) -> str:
    out = io.StringIO()
    print_table(result, server, Console(file=out, width=width, highlight=False, **options))
    return out.getvalue()


def test_failures_stand_by_outcome_and_with_their_reasons(make_result: Callable[..., Result]) -> None:
    result = make_result(seconds=3, failing=0)
    result["streams"][0]["outcomes"]["truncated"] = 7
    result["streams"][0]["reasons"] = {"truncated: the connection ended": 7}
    text = printed(result)
    assert re.search(r"^ +7 truncated", text, re.MULTILINE)
    assert "✗ 7 × /stream/sse: truncated: the connection ended" in text


def test_a_name_with_several_protocols_is_told_apart(make_result: Callable[..., Result]) -> None:
    result = make_result(seconds=3)
    first = result["streams"][0]
    result["streams"].append({**first, "protocol": "auto"})
    text = printed(result)
    assert len(re.findall(rf"^{first['name']} \({first['protocol']}\) ", text, re.MULTILINE)) == 2  # in both tables
    assert len(re.findall(rf"^{first['name']} \(auto\) ", text, re.MULTILINE)) == 2


def test_pauses_of_refused_users_are_said_where_there_were_any(make_result: Callable[..., Result]) -> None:
    result = make_result(seconds=3)
    assert "refused users" not in printed(result)
    assert "Refusal pauses" not in render(result)
    result["generator"].update(refusal_pauses=1_234, refusal_pause_s=5.5)
    assert "refused users paused 1,234 times, 5.50 s in total" in " ".join(printed(result).split())
    assert "Refusal pauses" in render(result)


def test_reconnects_are_said_where_there_were_any(make_result: Callable[..., Result]) -> None:
    result = make_result(seconds=3)
    assert "reconnected" not in printed(result) + render(result)
    result["streams"][0]["reconnects"] = 1_234
    said = "/stream/sse: streams that broke off reconnected 1,234 times"
    assert said in printed(result)
    assert said in render(result)


def test_sequence_numbers_are_said_where_any_did_not_come_in_order(make_result: Callable[..., Result]) -> None:
    result = make_result(seconds=3)
    result["streams"][0] |= {"lost": 0, "repeated": 0, "out_of_order": 0, "beyond_window": 0}
    before = (printed(result) + render(result)).count("/stream/sse: sequence numbers")
    result["streams"][0] |= {"lost": 1_234, "repeated": 5}
    said = "sequence numbers: 1,234 lost, 5 repeated"
    assert before == 0
    assert f"/stream/sse: {said}" in printed(result)
    assert f"/stream/sse: {said}." in render(result)


def test_what_is_piped_has_no_colour(make_result: Callable[..., Result]) -> None:
    assert "\x1b" not in printed(make_result(seconds=2))
    assert "\x1b" in printed(make_result(seconds=2), force_terminal=True)


def test_an_undetermined_percentile_is_marked_and_its_range_given(make_result: Callable[..., Result]) -> None:
    text = printed(make_result())
    assert re.search(r"≈\d+ µs", text)
    assert "≈ /stream/file/{name}, interval p50: 320–440 µs" in text


@pytest.mark.parametrize(
    ("trust", "exit_code", "words"),
    [
        ("trusted", 0, "✓ trusted, passed"),
        ("degraded", 1, "✗ degraded, failed"),
        ("invalid", 3, "✗ invalid, not judged"),
    ],
)
def test_the_verdict_comes_last_with_its_reasons(
    make_result: Callable[..., Result], trust: Any, exit_code: int, words: str
) -> None:
    result = make_result(seconds=2)
    result["verdict"].update(trust=trust, exit_code=exit_code, reasons=["lag p99 was 9 ms, more than 2 ms"])
    last = printed(result).rpartition("\n\n")[2]
    assert words in last
    assert "- lag p99 was 9 ms" in last


def test_warnings_about_the_run_come_below_the_verdict(make_result: Callable[..., Result]) -> None:
    result = make_result(seconds=2)
    assert "!" not in printed(result)
    result["run"]["warnings"] = ["--stream-end 'event:done' was used by no scenario."]
    verdict, _, warning = printed(result).rpartition("\n\n")[2].rpartition("\n! ")
    assert "trusted" in verdict
    assert warning == "--stream-end 'event:done' was used by no scenario.\n"


def test_rules_are_a_table_with_words_and_reasons(make_result: Callable[..., Result]) -> None:
    result = make_result(seconds=2)
    result["verdict"]["slo"] = [
        judged(rule="chunk_interval.p99 < 20ms", observed=0.0412, limit=0.02, passed=False),
        judged(rule="failed.ratio < 1%", observed=0.001, limit=0.01, unit="ratio"),
        judged(rule="x/failed == 0", observed=None, passed=False, reason="no stream has the name 'x'"),
        judged(rule="duration.p99 < 2s", observed=1.9, limit=2, uncertain=True, range=(1.5, 2.5)),
    ]
    result["run"]["slo_source"] = "--stream-slo"
    text = printed(result)
    lines = [re.sub(" +", " ", line).strip() for line in text.splitlines()]
    assert "chunk_interval.p99 < 20ms ✗ failed 41.2 ms 21.2 ms above" in lines
    assert "failed.ratio < 1% ✓ passed 0.10 % 0.90 percentage points below" in lines
    assert "x/failed == 0 ✗ failed: no data – –" in lines
    assert "✗ x/failed == 0: no stream has the name 'x'" in lines
    assert "duration.p99 < 2s ✓ passed, within the uncertainty ≈ 1.90 s 100 ms below" in lines
    assert "≈ duration.p99 < 2s: 1.50–2.50 s." in text
    assert "· rules from --stream-slo" in lines
    assert "2 of 4 SLO rules failed" in text


def test_the_server_agrees_or_the_difference_is_explained(make_result: Callable[..., Result], server: Any) -> None:
    result = make_result(seconds=2)
    server.serve(result)
    assert "≠" not in printed(result, server_view("", server.scrape()))
    server.streamed("/stream/sse", "sse", streams=0, chunks=5, size=0)
    text = printed(result, server_view("", server.scrape()))
    assert "≠ /stream/sse chunks" in text
    assert "did not complete" in text


def test_a_server_that_counted_nothing_is_said_to(make_result: Callable[..., Result]) -> None:
    assert "no stream counted" in printed(make_result(seconds=1), server_view("", ""))


def test_words_of_others_cannot_steer_the_terminal(make_result: Callable[..., Result]) -> None:
    result = make_result(seconds=1, failing=0)
    result["streams"][0]["name"] = "[red]a\x1b[2J\nb"
    result["streams"][0]["reasons"] = {"http_error: \x1b]0;owned\x07": 1}
    text = printed(result)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert r"[red]a\x1b[2J\nb" in text


def test_a_run_without_streams_prints_too(make_result: Callable[..., Result]) -> None:
    result = make_result(mix=(), seconds=1)
    text = printed(result, width=100)
    assert "no stream started" in text
    assert "No stream ended." in text


def test_a_percentile_that_coalesced_reads_leave_open_comes_with_its_range(make_result: Callable[..., Result]) -> None:
    result = make_result(mix=(("/stream/sse", "sse", 0.004, 0.05),), seconds=2)
    (streams,) = result["streams"]
    for metric in ("time_to_first_chunk", "chunk_interval"):
        streams[metric]["uncertain"] = {"p99": (0.01, 0.25)}  # type: ignore[literal-required]
    streams["chunk_delay"] = {**streams["chunk_interval"], "uncertain": {"p50": (0.001, 0.002)}}
    text = printed(result, width=120)
    assert "≈ /stream/sse, TTFC p99: 10.0–250 ms" in text
    assert "marks a percentile that is known only as a range" in " ".join(text.split())
    assert "≈ /stream/sse, interval p99: 10.0–250 ms" in text
    assert "≈ /stream/sse, chunk delay p50: 1.00–2.00 ms" in text


def test_a_lag_that_nothing_tells_is_unknown(make_result: Callable[..., Result]) -> None:
    result = make_result(seconds=2)
    result["generator"].update(timestamps="read", lag=summary(Histogram()))
    assert "· generator lag unknown · read timestamps · CPU max 42.0 %" in printed(result)
    assert "lag is part of every number above" in render(result)


def test_a_generator_that_read_nothing_has_no_lag_and_no_timestamps(make_result: Callable[..., Result]) -> None:
    result = make_result(mix=(), seconds=1)
    text = printed(result, width=100)
    assert "· the generator read nothing · CPU max 42.0 %" in text
    assert "lag" not in text
    assert "timestamps" not in text


def test_reasons_beyond_the_most_frequent_are_counted(make_result: Callable[..., Result]) -> None:
    result = make_result(seconds=1, failing=0)
    result["streams"][0]["reasons"] = {f"stalled: reason {n}": n for n in range(1, 41)}
    assert "✗ and 30 more reasons" in printed(result)


def test_what_the_terminals_encoding_lacks_is_no_error(make_result: Callable[..., Result], monkeypatch: Any) -> None:
    out = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(out, encoding="ascii", write_through=True))
    print_table(make_result())
    assert b"trusted" in out.getvalue()
