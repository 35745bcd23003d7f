"""What a chart says of itself: how many seconds a point stands for, whose lines it has, and what is missing in them."""

import copy
from collections.abc import Callable

import pytest

from streamgauge.report.charts import Chart, over_time
from streamgauge.report.result import Result
from streamgauge.report.thinning import MOST_POINTS

RATES = ("streams", "failed", "chunks", "bytes")
TIMES = ("time_to_first_chunk_over_time", "chunk_interval_over_time")
#: What each chart shows; those over time say too how its two lines are told apart.
SHOWN = {
    "active": "Concurrent streams at the end of each second, all names together.",
    "streams": "Streams that started, finished and failed in each second, all names together.",
    "failed": "Streams that failed in each second{}.",
    "chunks": "Chunks that arrived at the client in each second{}.",
    "bytes": "Body bytes that arrived at the client in each second{}.",
    "time_to_first_chunk_over_time": "Time from the start of a stream to its first chunk{}, second by second.",
    "chunk_interval_over_time": "Time between two chunks of one stream, as they arrived at the client{}, "
    "second by second.",
}
DASHES = " Solid lines are p99, dashed ones p50."
GAP = " A gap is a second without values."
BAR = " A bar is the range of a percentile that is not exactly known."


def of(step_s: int, key: str) -> str:
    """What a chart says of a point that stands for several seconds."""
    if key == "active":
        return f" Each point is the maximum of {step_s} s."
    if key in RATES:
        return f" Each point is the mean of {step_s} s."
    return f" Each point covers {step_s} s: the highest p99 and the median p50 of these seconds."


def captions(result: Result) -> dict[str, str]:
    return {chart["key"]: chart["caption"] for chart in over_time(result)}


def lasting(result: Result, seconds: int) -> Result:
    """The same run for so many seconds, each of them like its first."""
    first = result["timeline"][0]
    result["timeline"] = [copy.copy(first) | {"t_s": float(t_s)} for t_s in range(seconds)]  # type: ignore[misc]
    return result


@pytest.fixture
def result(make_result: Callable[..., Result]) -> Result:
    result = make_result(mix=(("a", "sse", 0.004, 0.05), ("b", "sse", 0.009, 0.02)), seconds=3, failing=0)
    result["timeline"][0]["failed"] = result["timeline"][0]["streams"][0]["failed"] = 1
    return result


@pytest.mark.parametrize("seconds", [1, MOST_POINTS, MOST_POINTS + 1, 2 * MOST_POINTS, 2 * MOST_POINTS + 1])
def test_a_caption_says_how_many_seconds_a_point_stands_for(result: Result, seconds: int) -> None:
    step_s = -(-seconds // MOST_POINTS)
    assert captions(lasting(result, seconds)) == {
        key: shown.format(", by name") + (DASHES if key in TIMES else "") + (of(step_s, key) if step_s > 1 else "")
        for key, shown in SHOWN.items()
    }


def test_a_single_name_is_not_told_apart_and_its_failures_are_among_its_streams(
    make_result: Callable[..., Result],
) -> None:
    result = make_result(mix=(("a", "sse", 0.004, 0.05),), seconds=3, failing=0)
    result["timeline"][0]["failed"] = 1
    assert captions(result) == {
        key: shown.format("") + (DASHES if key in TIMES else "") for key, shown in SHOWN.items() if key != "failed"
    }


@pytest.mark.parametrize("metric", ["time_to_first_chunk", "chunk_interval"])
def test_gaps_and_bars_are_explained_in_the_chart_that_has_them(result: Result, metric: str) -> None:
    before, figures = captions(result), result["timeline"][1]["streams"][1]
    figures["uncertain"] = {metric: {"p50": (0.001, 0.9)}}  # type: ignore[typeddict-item]
    assert captions(result) == before | {f"{metric}_over_time": before[f"{metric}_over_time"] + BAR}
    figures[metric] = {"p50": 0.1, "p99": None}  # type: ignore[literal-required]
    assert captions(result) == before | {f"{metric}_over_time": before[f"{metric}_over_time"] + GAP + BAR}


def test_a_run_without_a_failure_has_no_chart_of_failures(result: Result) -> None:
    assert "failed" in captions(result)
    result["timeline"][0]["failed"] = 0
    assert "failed" not in captions(result)


def charts(result: Result) -> dict[str, Chart]:
    return {chart["key"]: chart for chart in over_time(result)}


@pytest.mark.parametrize(
    ("seconds", "left_out", "gaps"),
    [
        (5, {2}, [2]),
        (5, {1, 3}, [1, 3]),
        (3 * MOST_POINTS, set(range(30, 33)), [10]),
        (2 * MOST_POINTS, {30}, []),
        (3 * MOST_POINTS, {30}, []),
        (3 * MOST_POINTS, {31, 32}, []),
    ],
)
def test_a_line_breaks_where_the_seconds_of_a_whole_point_are_missing(
    result: Result, seconds: int, left_out: set[int], gaps: list[int]
) -> None:
    lasting(result, seconds + len(left_out))
    result["timeline"] = [point for point in result["timeline"] if point["t_s"] not in left_out]
    for key in ("active", "streams", "chunks", "chunk_interval_over_time"):
        for trace in charts(result)[key]["figure"]["data"]:
            assert [at for at, value in enumerate(trace["y"]) if value is None] == gaps


@pytest.mark.parametrize(
    ("values", "mode"),
    [
        ((1, None, None, None, 5), "lines+markers"),
        ((None, 2, None, 4, 5), "lines+markers"),
        ((1, 2, None, None, 5), "lines+markers"),
        ((1, 2, None, 4, 5), "lines"),
        ((None, 2, 3, None, None), "lines"),
    ],
)
def test_a_value_without_a_neighbour_is_marked_wherever_it_is(
    make_older: Callable[..., Result], values: tuple[int | None, ...], mode: str
) -> None:
    result = make_older(seconds=5)
    for point, value in zip(result["timeline"], values, strict=True):
        point["chunk_interval"] = {"p50": 0.5, "p99": value}
    p99, p50 = charts(result)["chunk_interval_over_time"]["figure"]["data"]
    assert (p99["mode"], p50["mode"]) == (mode, "lines")


@pytest.mark.parametrize(("highest_s", "log"), [(0.1, False), (1000.0, True)])
def test_a_duration_of_nought_is_left_out_where_the_axis_is_logarithmic(
    make_older: Callable[..., Result], highest_s: float, log: bool
) -> None:
    result = make_older(seconds=3)
    for point in result["timeline"]:
        point["chunk_interval"] = {"p50": 0.0 if point["t_s"] == 1 else 0.1, "p99": highest_s}
    chart = charts(result)["chunk_interval_over_time"]
    assert (chart["figure"]["layout"]["yaxis"].get("type") == "log") is log
    assert chart["figure"]["data"][1]["y"] == [0.1, None if log else 0.0, 0.1]
    assert (GAP in chart["caption"]) is log


def test_an_axis_reaches_every_line_of_every_name(result: Result) -> None:
    names = result["timeline"][2]["streams"]
    names[0]["chunk_interval"]["p50"], names[1]["chunk_interval"]["p99"] = 0.00001, 90.0
    axis = charts(result)["chunk_interval_over_time"]["figure"]["layout"]["yaxis"]
    assert 10 ** axis["range"][0] < 0.00001
    assert 10 ** axis["range"][1] > 90
