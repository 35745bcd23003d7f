"""What a result says of its warm-up and its steady window, and how reports show it."""

import io
import json
import random
import re

import pytest
from rich.console import Console

from streamgauge.report.build import build_result
from streamgauge.report.charts import over_time
from streamgauge.report.console import print_table
from streamgauge.report.enough_text import scarce_notes
from streamgauge.report.history_charts import history_charts
from streamgauge.report.html import render
from streamgauge.report.result import Run
from streamgauge.report.spans import FILLS, spans_words
from streamgauge.report.steady_text import steady_words, warm_up_words
from streamgauge.report.sums import whole_streams
from streamgauge.stats.clocks.raw_delays import RawDelays
from streamgauge.stats.run_history import RunHistory
from streamgauge.stats.run_stats import RunStats
from streamgauge.verdict.steady.measured_run import MeasuredRun
from streamgauge.verdict.steady.warm_up import read_warm_up
from tests.verdict.steady.measured import measured, second_of

COUNTED = {
    "id": "r", "started_at": "2026-03-01T10:15:00+00:00", "host": "h", "locustfile": "f", "users": 1,
    "spawn_rate": 1.0, "workers": 1, "load_model": "closed", "interrupted": False, "versions": {},
}  # fmt: skip


def settles(t_s):
    return 0.2 if t_s < 10 else 0.02


def result_of(seconds=70, first_s=settles, **options):
    whole, found = measured(seconds, first_s, **options)
    found.conclude()
    history, dice = RunHistory(whole.lines), random.Random(1)
    for t_s in range(seconds):
        part = second_of(t_s, 20, first_s(t_s), dice)
        history.add(part, part.all_stats.items())
    run = Run(**COUNTED, duration_s=float(seconds), counted_s=float(seconds - found.from_s))
    return json.loads(json.dumps(build_result(run, whole, history=history, measured_run=found)))


def printed(result, width=200):
    return " ".join(lines_of(result, width).split())


def lines_of(result, width):
    out = io.StringIO()
    print_table(result, None, Console(file=out, width=width))
    return out.getvalue()


@pytest.fixture(scope="module")
def warmed():
    return result_of(warm_up="10s", failing=lambda t_s: 2 * (t_s < 5))


def test_both_figures_stand_in_the_result(warmed):
    (after,), (whole,), (steady,) = (
        warmed["streams"],
        warmed["whole_run"]["streams"],
        warmed["steady_window"]["streams"],
    )
    assert (after["started"], whole["started"]) == (1200, 1400)
    assert after["time_to_first_chunk"]["max"] < 0.1 < whole["time_to_first_chunk"]["max"]
    assert warmed["warm_up"] == {"asked": "10s", "until_s": 10, "failures": {"truncated": 10}}
    assert warmed["steady"] == {
        "found": True,
        "reason": "",
        "series": ["time_to_first_chunk", "chunk_interval", "chunks"],
        "slice_s": 1,
    }
    assert warmed["steady_window"]["to_s"] == 70
    assert steady["started"] == 20 * (70 - warmed["steady_window"]["from_s"])
    assert whole_streams(warmed) == warmed["whole_run"]["streams"]
    assert [point["t_s"] for point in warmed["timeline"]] == list(range(70))


def test_a_blank_line_follows_the_note_on_columns_before_the_next_table(warmed):
    first, *_ = lines_of(warmed, 60).partition("left out at this width")[2].split("\n\n")
    assert len(first.splitlines()) <= 3
    assert first.rstrip().endswith("have them")


def test_token_rates_of_the_whole_run_are_over_the_time_since_a_reset():
    whole, found = measured(70, settles, warm_up="10s")
    found.conclude()
    for stats in whole.all_stats.values():
        stats.tokens = 700
    run = Run(**COUNTED, duration_s=1000.0, counted_s=60.0)
    part = build_result(run, whole, measured_run=found, whole_s=70.2)["whole_run"]
    assert part["streams"][0]["tokens_per_second"]["in_all"] == pytest.approx(700 / 70.2)
    assert (part["from_s"], part["to_s"]) == (930, None)


def test_failures_in_the_warm_up_do_not_fail_the_run_and_are_named(warmed):
    assert (warmed["verdict"]["exit_code"], after_failed(warmed)) == (0, {})
    named = "in the warm-up, which is not judged, 10 streams failed: 10 truncated"
    assert named in warm_up_words(warmed)
    assert named in printed(warmed)
    assert named[1:] in render(warmed)


def after_failed(result):
    return {
        name: times for each in result["streams"] for name, times in each["outcomes"].items() if name == "truncated"
    }


def test_a_failure_after_the_warm_up_fails_the_run():
    result = result_of(warm_up="10s", failing=lambda t_s: int(t_s == 20))
    assert (result["verdict"]["exit_code"], result["warm_up"]["failures"]) == (1, {})


def test_the_steady_window_is_said_in_one_line(warmed):
    begins = warmed["steady_window"]["from_s"]
    words = steady_words(warmed)
    assert re.fullmatch(rf"steady from {begins} s to 70 s: TTFC p99 [\d.]+ ms, interval p99 [\d.]+ ms", words)
    assert words in printed(warmed)
    assert words[1:] in render(warmed)


def test_a_run_that_drifts_says_why_it_is_not_steady():
    result = result_of(first_s=lambda t_s: 0.02 * (1 + t_s / 70))
    assert result.keys().isdisjoint({"warm_up", "whole_run", "steady_window"})
    words = steady_words(result)
    assert words.startswith("no steady state: time to first chunk p50 rose by ")
    assert words in printed(result)
    assert (result["verdict"]["trust"], warm_up_words(result)) == ("trusted", [])


def test_an_auto_warm_up_of_a_run_that_drifts_leaves_nothing_out():
    result = result_of(first_s=lambda t_s: 0.02 * (1 + t_s / 70), warm_up="auto")
    assert result["warm_up"] == {"asked": "auto", "until_s": 0, "failures": {}}
    assert warm_up_words(result) == ["no warm-up was left out, because the run was not steady"]


def test_an_auto_warm_up_of_a_run_that_began_steady_leaves_nothing_out():
    result = result_of(warm_up="auto")
    del result["whole_run"]
    result["warm_up"]["until_s"] = 0
    assert warm_up_words(result) == ["no warm-up was left out, because the run was steady from its start"]


def test_the_warm_up_and_the_window_are_shaded_in_every_chart_over_time(warmed):
    begins = warmed["steady_window"]["from_s"]
    charts = [*over_time(warmed), *history_charts(warmed)]
    assert len(charts) > 6
    for chart in charts:
        shapes = chart["figure"]["layout"]["shapes"]
        assert [(each["fillcolor"], each["x0"], each["x1"]) for each in shapes] == [
            (FILLS["warm-up"], 0, 10),
            (FILLS["steady"], begins, 70),
        ]
    assert spans_words(warmed) == "Grey is the warm-up and pale green is the steady window."


def test_minutes_shade_in_minutes():
    result = result_of(seconds=900, first_s=lambda t_s: 0.2 if t_s < 60 else 0.02, warm_up="60s", streams=3)
    shapes = over_time(result)[0]["figure"]["layout"]["shapes"]
    assert (shapes[0]["x0"], shapes[0]["x1"]) == (0, 1)
    assert shapes[1]["x1"] == pytest.approx(15, abs=0.2)


def test_percentiles_of_few_values_are_marked_with_what_they_need():
    result = result_of(seconds=10, streams=6, first_s=lambda _: 0.02)  # 60 streams
    assert result["streams"][0]["time_to_first_chunk"]["samples_needed"] == {
        "p90": 40,
        "p95": 140,
        "p99": 940,
        "p999": 9940,
    }
    note = (
        "/events, TTFC p99 and duration p99 rest on 60 streams; it takes 940 more, about 2 min 37 s more of this load"
    )
    assert note in scarce_notes(result, ("p50", "p99"))
    said = printed(result)
    assert re.search(r"/events 60 0 [\d.]+ ms °[\d.]+ ms", said)
    assert f"° {note}" in said
    page = render(result)
    assert f"{note}." in page
    assert re.search(r"°[\d.]+ ms", page)


def test_percentiles_of_many_values_are_not_marked(warmed):
    (after,) = warmed["streams"]
    assert after["time_to_first_chunk"]["samples_needed"] == {"p999": 8800}
    assert scarce_notes(warmed, ("p50", "p90", "p99")) == []
    assert "°" not in printed(warmed)


@pytest.mark.parametrize("warm_up", ["", "auto"])
def test_a_steady_window_and_what_follows_an_auto_warm_up_have_their_own_chunk_delays(warm_up):
    whole, dice = RunStats(), random.Random(1)
    found = MeasuredRun(whole, read_warm_up(warm_up) if warm_up else None)
    for t_s in range(100):
        part = second_of(t_s, 20, settles(t_s), dice)
        raw = RawDelays(same_clock=True, hint_ns=0)
        for _ in range(10):
            raw.chunk(10**9 + (30_000_000 if t_s < 10 else 3_000_000), 10**9)
        next(iter(part.all_stats.values())).delays["clock"] = raw
        found.add("p", part, 0.95, whole.add("p", part, 0.95))
    found.end_load(100)
    found.conclude()
    result = build_result(Run(**COUNTED, duration_s=100.0, counted_s=100.0), whole, measured_run=found)
    window = result["steady_window"]
    assert window["from_s"] >= 10
    parts = [window["streams"], *([result["streams"]] if warm_up else [])]
    for (streams,), from_s, to_s in zip(parts, (window["from_s"],) * 2, (window["to_s"], 100), strict=False):
        assert streams["chunk_delay"]["count"] == 10 * (to_s - from_s)
        assert streams["chunk_delay"]["max"] == pytest.approx(0.003, rel=0.01)
        assert streams["chunk_delay_clock"]["method"] == "same_clock"
    everything = result["whole_run"]["streams"] if warm_up else result["streams"]
    assert everything[0]["chunk_delay"]["max"] == pytest.approx(0.03, rel=0.01)
