import json
from collections.abc import Callable

import plotly.graph_objects as go
import pytest

from streamgauge.report.charts import Chart, over_time
from streamgauge.report.distribution import SHOWN, distributions, percentile_curve
from streamgauge.report.result import Result
from streamgauge.stats.histogram import Histogram

MIX = (
    ("/stream/sse", "sse", 0.004, 0.05),
    ("/stream/ndjson", "ndjson", 0.009, 0.02),
    ("chat", "openai", 0.31, 0.031),
)


def by_key(charts: list[Chart]) -> dict[str, Chart]:
    return {chart["key"]: chart for chart in charts}


def column(chart: Chart, name: str) -> list[float | None]:
    return next(list(trace["y"]) for trace in chart["figure"]["data"] if trace["name"] == name)


def test_plotly_knows_every_property_that_a_figure_sets(make_result: Callable[..., Result]) -> None:
    result = make_result()
    charts = over_time(result) + distributions(result)
    assert len(charts) == 9
    for chart in charts:
        go.Figure(chart["figure"])
        json.dumps(chart["figure"], allow_nan=False)


def test_an_older_timeline_is_drawn_over_all_names(make_older: Callable[..., Result]) -> None:
    result = make_older()
    charts = by_key(over_time(result))
    assert column(charts["active"], "active") == [point["active"] for point in result["timeline"]]
    assert column(charts["streams"], "failed") == [point["failed"] for point in result["timeline"]]
    assert column(charts["chunk_interval_over_time"], "p99") == [
        point["chunk_interval"]["p99"] for point in result["timeline"]
    ]


def test_each_name_has_lines_of_its_own(make_result: Callable[..., Result]) -> None:
    result = make_result(mix=MIX, failing=0.2)
    charts = by_key(over_time(result))
    for key, count in (("chunks", "chunks"), ("bytes", "bytes"), ("failed", "failed")):
        assert len(charts[key]["figure"]["data"]) == len(MIX)
        for position, (name, *_) in enumerate(MIX):
            assert column(charts[key], name) == [point["streams"][position][count] for point in result["timeline"]]
    for metric in ("time_to_first_chunk", "chunk_interval"):
        assert len(charts[f"{metric}_over_time"]["figure"]["data"]) == 2 * len(MIX)
        for position, (name, *_) in enumerate(MIX):
            for percentile in ("p50", "p99"):
                assert column(charts[f"{metric}_over_time"], f"{name} {percentile}") == [
                    point["streams"][position][metric][percentile] for point in result["timeline"]
                ]


def test_a_name_has_one_colour_in_all_charts_and_its_percentiles_differ_by_their_dashes(
    make_result: Callable[..., Result],
) -> None:
    result = make_result(mix=MIX)
    colours: dict[str, set[str]] = {}
    for chart in over_time(result) + distributions(result):
        if chart["key"] not in ("active", "streams"):
            for trace in chart["figure"]["data"]:
                colours.setdefault(trace["meta"], set()).add(trace["line"]["color"])
    assert all(len(each) == 1 for each in colours.values())
    assert len(set.union(*colours.values())) == len(colours) == len(MIX)
    lines = by_key(over_time(result))["chunk_interval_over_time"]["figure"]["data"]
    assert {(trace["name"][-3:], trace["line"]["dash"]) for trace in lines} == {("p99", "solid"), ("p50", "dash")}


def test_a_second_in_which_a_name_did_nothing_has_no_chunks_and_no_percentile(
    make_result: Callable[..., Result],
) -> None:
    result = make_result(mix=MIX, seconds=5)
    result["timeline"][2]["streams"] = [each for each in result["timeline"][2]["streams"] if each["name"] != MIX[0][0]]
    charts = by_key(over_time(result))
    assert column(charts["chunks"], MIX[0][0])[2] == 0
    assert column(charts["chunk_interval_over_time"], f"{MIX[0][0]} p99")[2] is None
    assert column(charts["chunk_interval_over_time"], f"{MIX[1][0]} p99")[2] is not None


def test_names_without_a_line_of_their_own_share_one(make_result: Callable[..., Result]) -> None:
    result = make_result(mix=tuple((f"name {n}", "sse", 0.01, 0.05) for n in range(20)), seconds=4)
    lines = by_key(over_time(result))["chunks"]["figure"]["data"]
    assert len(lines) == 9
    assert lines[-1]["name"] == "other names"
    for point, *columns in zip(result["timeline"], *(line["y"] for line in lines), strict=True):
        assert sum(columns) == point["chunks"]


def test_a_second_without_values_is_a_gap(make_older: Callable[..., Result]) -> None:
    result = make_older(seconds=5)
    result["timeline"][2]["chunk_interval"] = {"p50": None, "p99": None}
    chart = by_key(over_time(result))["chunk_interval_over_time"]
    assert column(chart, "p50")[2] is None
    assert "A gap is a second without values" in chart["caption"]


def test_what_coalesced_reads_leave_open_of_a_second_is_a_bar(make_older: Callable[..., Result]) -> None:
    result = make_older(seconds=5)
    point = result["timeline"][2]
    point["chunk_interval"]["p99"] = 0.05
    point["uncertain"] = {"chunk_interval": {"p99": (0.02, 0.07)}}
    charts = by_key(over_time(result))
    p99, p50 = charts["chunk_interval_over_time"]["figure"]["data"]
    bars = [None, None, pytest.approx(0.02), None, None], [None, None, pytest.approx(0.03), None, None]
    assert (p99["error_y"]["array"], p99["error_y"]["arrayminus"]) == bars
    assert p99["error_y"]["symmetric"] is False  # or plotly would draw the upper half on both sides
    assert "error_y" not in p50
    assert "range of a percentile that is not exactly known" in charts["chunk_interval_over_time"]["caption"]
    assert "coalesced" not in charts["time_to_first_chunk_over_time"]["caption"]
    go.Figure(charts["chunk_interval_over_time"]["figure"])


def test_an_axis_reaches_the_upper_ends_of_its_bars(make_older: Callable[..., Result]) -> None:
    result = make_older(seconds=5)
    result["timeline"][2]["uncertain"] = {"chunk_interval": {"p99": (0.02, 900.0)}}
    axis = by_key(over_time(result))["chunk_interval_over_time"]["figure"]["layout"]["yaxis"]
    assert 10 ** axis["range"][1] > 900


def test_a_metric_without_values_has_no_chart(make_result: Callable[..., Result]) -> None:
    result = make_result(failing=1.0)
    keys = by_key(over_time(result) + distributions(result))
    assert not [key for key in keys if key.startswith("time_to_first_chunk")]
    assert "chunk_interval_over_time" in keys


def test_a_second_that_the_timeline_left_out_breaks_the_lines(make_older: Callable[..., Result]) -> None:
    result = make_older(seconds=5)
    del result["timeline"][2]
    chunks = column(by_key(over_time(result))["chunks"], "chunks")
    assert [value is None for value in chunks] == [False, False, True, False, False]


def test_a_value_between_two_gaps_is_marked_so_that_it_shows(make_older: Callable[..., Result]) -> None:
    result = make_older(seconds=5)
    for second in (1, 3):
        result["timeline"][second]["chunk_interval"] = {"p50": None, "p99": None}
    charts = by_key(over_time(result))
    assert charts["chunk_interval_over_time"]["figure"]["data"][1]["mode"] == "lines+markers"
    assert charts["chunks"]["figure"]["data"][0]["mode"] == "lines"


def test_a_long_run_counts_minutes(make_result: Callable[..., Result]) -> None:
    (chart, *_) = over_time(make_result(seconds=900, per_second=1))
    assert chart["figure"]["layout"]["xaxis"]["ticksuffix"] == " min"
    assert chart["figure"]["data"][0]["x"][-1] == pytest.approx(899 / 60, abs=0.001)


def test_a_curve_holds_each_value_up_to_its_share() -> None:
    histogram = Histogram()
    histogram.record_ns(1_000_000, times=90)
    histogram.record_ns(10_000_000, times=9)
    histogram.record_ns(100_000_000, times=1)
    ones_in, values_s = percentile_curve(histogram)
    assert ones_in == pytest.approx([1, 10, 100, 100])
    assert values_s == pytest.approx([0.001, 0.001, 0.01, 0.1], rel=0.01)


def test_many_names_start_with_the_largest_shown(make_result: Callable[..., Result]) -> None:
    mix = tuple((f"name {n}", "sse", 0.01, 0.05) for n in range(20))
    for chart in distributions(make_result(mix=mix, seconds=2)):
        shown = [trace["visible"] is True for trace in chart["figure"]["data"]]
        assert shown == [True] * SHOWN + [False] * (20 - SHOWN)
        assert "click a name" in chart["caption"]


def test_one_name_with_two_protocols_is_two_curves(make_result: Callable[..., Result]) -> None:
    mix = (("/x", "sse", 0.01, 0.05), ("/x", "ndjson", 0.01, 0.05))
    (chart, _) = distributions(make_result(mix=mix, seconds=2))
    assert [trace["name"] for trace in chart["figure"]["data"]] == ["/x (sse)", "/x (ndjson)"]


def test_a_name_is_no_markup_to_plotly(make_result: Callable[..., Result]) -> None:
    (chart, _) = distributions(make_result(mix=(('<a href="x">b</a>', "sse", 0.01, 0.05),), seconds=2))
    assert chart["figure"]["data"][0]["name"] == "&lt;a href=&quot;x&quot;&gt;b&lt;/a&gt;"


@pytest.mark.parametrize(("unit", "key"), [("users", "active"), ("streams/s", "streams")])
def test_a_shape_stands_beside_what_it_is_a_shape_of(make_result, unit, key):
    result = make_result()
    counted = 5 if unit == "users" else None
    seconds = [{"t_s": t_s, "wanted": t_s + 1.0, "users": counted} for t_s in range(3)]
    result["run"]["shape"] = {"text": "ramp:to=9", "unit": unit, "end_s": 3.0, "seconds": seconds}
    charts = by_key(over_time(result))
    lines = {line["name"]: line["y"] for line in charts[key]["figure"]["data"]}
    wanted = lines["users wanted" if unit == "users" else "wanted"]
    assert wanted[:4] == [1.0, 2.0, 3.0, None]
    assert len(wanted) == len(charts[key]["figure"]["data"][0]["y"])
    assert lines.get("users", [None])[0] == counted
    assert charts[key]["caption"].count("shape") == 1
    assert "shape" not in charts["streams" if key == "active" else "active"]["caption"]
