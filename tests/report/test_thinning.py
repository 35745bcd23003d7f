"""A long timeline: fewer points, the worst of which are still the worst."""

from collections.abc import Callable

import pytest

from streamgauge.report.charts import over_time
from streamgauge.report.result import Result
from streamgauge.report.thinning import MOST_POINTS, seconds_per_point, thinned

MIX = (("a", "sse", 0.01, 0.05), ("b", "raw", 0.02, 0.03))


@pytest.fixture
def result(make_result: Callable[..., Result]) -> Result:
    return make_result(mix=MIX, seconds=12, per_second=3, failing=0.2)


@pytest.mark.parametrize(("seconds", "step_s"), [(1, 1), (MOST_POINTS, 1), (MOST_POINTS + 1, 2), (MOST_POINTS * 4, 4)])
def test_no_chart_has_more_points_than_it_can_show(result: Result, seconds: int, step_s: int) -> None:
    assert seconds_per_point(result["timeline"][:1] * seconds) == step_s


def test_a_point_for_each_second_is_the_timeline_itself(result: Result) -> None:
    assert thinned(result["timeline"], 1) == result["timeline"]


def test_a_point_has_mean_counts_the_most_streams_the_middle_p50_and_the_highest_p99(result: Result) -> None:
    seconds, point = result["timeline"][4:8], thinned(result["timeline"], 4)[1]
    assert point["t_s"] == 4
    assert point["active"] == max(second["active"] for second in seconds)
    for position in range(len(MIX)):
        of = [second["streams"][position] for second in seconds]
        found = point["streams"][position]
        for count in ("started", "finished", "failed", "chunks", "bytes"):
            assert found[count] == pytest.approx(sum(each[count] for each in of) / 4, rel=1e-3)
        for metric in ("time_to_first_chunk", "chunk_interval"):
            assert found[metric]["p99"] == max(each[metric]["p99"] or 0 for each in of)
            assert found[metric]["p50"] == sorted(each[metric]["p50"] for each in of if each[metric]["p50"])[1]


def test_the_range_is_that_of_the_second_that_is_shown(result: Result) -> None:
    for t_s, p99 in enumerate((0.1, 0.4, 0.2)):
        result["timeline"][t_s]["chunk_interval"]["p99"] = p99
        result["timeline"][t_s]["uncertain"] = {"chunk_interval": {"p99": (p99 / 2, p99 * 2)}}
    assert thinned(result["timeline"], 3)[0]["uncertain"] == {"chunk_interval": {"p99": (0.2, 0.8)}}


def test_a_name_that_did_nothing_in_some_seconds_has_its_mean_over_all_of_them(result: Result) -> None:
    for point in result["timeline"][1:4]:
        point["streams"] = point["streams"][1:]
    found = next(each for each in thinned(result["timeline"], 4)[0]["streams"] if each["name"] == "a")
    assert found["chunks"] == pytest.approx(result["timeline"][0]["streams"][0]["chunks"] / 4, rel=1e-3)


def test_seconds_that_the_timeline_left_out_break_the_lines_of_a_long_run(make_result: Callable[..., Result]) -> None:
    result = make_result(mix=MIX, seconds=3 * MOST_POINTS, per_second=1)
    del result["timeline"][300:330]
    charts = {chart["key"]: chart for chart in over_time(result)}
    (active,) = charts["active"]["figure"]["data"]
    assert active["y"].count(None) == 1
    assert len(active["y"]) <= MOST_POINTS + 1
    assert "Each point is the maximum of 3 s" in charts["active"]["caption"]
    assert "Each point is the mean of 3 s" in charts["chunks"]["caption"]
    assert "the highest p99 and the median p50" in charts["chunk_interval_over_time"]["caption"]


def test_seconds_without_values_have_none_when_they_are_joined(result: Result) -> None:
    quiet = {"p50": None, "p99": None}
    for point in result["timeline"][:3]:
        point["chunk_interval"] = dict(quiet)
        del point["streams"]
    result["timeline"][1]["time_to_first_chunk"] = dict(quiet)
    (joined, *_) = thinned(result["timeline"], 3)
    assert joined["chunk_interval"] == quiet
    assert joined["time_to_first_chunk"]["p99"] is not None
    assert joined["uncertain"] == {}
    assert "streams" not in joined


def test_each_percentile_has_the_range_of_its_own_second(result: Result) -> None:
    for t_s, (p50, p99) in enumerate(((0.03, 0.4), (0.01, 0.1), (0.02, 0.2))):
        point = result["timeline"][t_s]
        point["time_to_first_chunk"] = {"p50": p50, "p99": p99}
        point["uncertain"] = {"time_to_first_chunk": {"p50": (p50 / 2, p50 * 2), "p99": (p99 / 2, p99 * 2)}}
    (joined, *_) = thinned(result["timeline"], 3)
    assert joined["time_to_first_chunk"] == {"p50": 0.02, "p99": 0.4}
    assert joined["uncertain"] == {"time_to_first_chunk": {"p50": (0.01, 0.04), "p99": (0.2, 0.8)}}


def test_a_name_keeps_its_protocol_and_each_step_its_first_second(result: Result) -> None:
    points = thinned(result["timeline"], 5)
    assert [point["t_s"] for point in points] == [0, 5, 10]
    for point in points:
        assert [(each["name"], each["protocol"]) for each in point["streams"]] == [("a", "sse"), ("b", "raw")]


def test_a_mean_is_kept_to_four_digits(result: Result) -> None:
    for t_s, chunks in enumerate((100_000, 3, 1)):
        result["timeline"][t_s]["chunks"] = chunks
    assert thinned(result["timeline"], 3)[0]["chunks"] == 33_330.0
