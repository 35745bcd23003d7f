"""Each line of a chart is drawn from the figures that its chart, its name and its percentile say."""

from collections.abc import Callable
from typing import Any

import pytest

from streamgauge.report.charts import Chart, over_time
from streamgauge.report.distribution import distributions
from streamgauge.report.result import Result
from streamgauge.report.thinning import thinned

TITLES = {
    "active": "Streams under way",
    "streams": "Streams per second",
    "arrivals": "Arrivals per second",
    "failed": "Failures per second",
    "chunks": "Chunks per second",
    "bytes": "Bytes per second",
    "tokens": "Output tokens per second",
    "time_to_first_chunk_over_time": "Time to first chunk over time",
    "chunk_interval_over_time": "Chunk interval over time",
    "time_per_output_token_over_time": "Time per output token over time",
}
METRICS = ("time_to_first_chunk", "chunk_interval", "time_per_output_token")
COUNTS = ("started", "finished", "failed", "chunks", "bytes", "tokens")


def named(chart: Chart) -> dict[str, Any]:
    """The lines of a chart by their name in the tooltip."""
    lines = {trace["name"].replace("&quot;", '"'): trace for trace in chart["figure"]["data"]}
    assert len(lines) == len(chart["figure"]["data"])
    return lines


@pytest.fixture
def charts(distinct: Result) -> dict[str, Chart]:
    return {chart["key"]: chart for chart in over_time(distinct)}


def test_each_chart_has_its_title_and_the_time_on_its_axis(charts: dict[str, Chart]) -> None:
    assert {key: chart["title"] for key, chart in charts.items()} == TITLES
    for chart in charts.values():
        layout = chart["figure"]["layout"]
        assert layout["hovermode"] == "x unified"
        assert (layout["xaxis"]["title"]["text"], layout["xaxis"]["ticksuffix"]) == ("time into the run", " s")
        assert all(trace["x"] == [0, 1, 2] for trace in chart["figure"]["data"])


@pytest.mark.parametrize(
    ("key", "suffix", "format_", "hover"),
    [
        ("active", "", ",~f", ",~f"),
        ("streams", "/s", ",~f", ",~f"),
        ("arrivals", "/s", ",~f", ",~f"),
        ("failed", "/s", ",~f", ",~f"),
        ("chunks", "/s", ",~f", ",~f"),
        ("bytes", " B/s", ",~f", ",~f"),
        ("tokens", "/s", ",~f", ",~f"),
        ("time_per_output_token_over_time", "s", None, ".3~s"),
        ("time_to_first_chunk_over_time", "s", "~s", ".3~s"),
        ("chunk_interval_over_time", "s", None, ".3~s"),
    ],
)
def test_ticks_and_tooltips_have_the_unit_of_what_is_drawn(
    charts: dict[str, Chart], key: str, suffix: str, format_: str | None, hover: str
) -> None:
    axis = charts[key]["figure"]["layout"]["yaxis"]
    assert (axis["ticksuffix"], axis["hoverformat"]) == (suffix, hover)
    assert format_ is None or axis["tickformat"] == format_


def test_the_lines_of_all_names_are_those_of_the_whole_timeline(distinct: Result, charts: dict[str, Chart]) -> None:
    timeline: Any = distinct["timeline"]
    (active,) = named(charts["active"]).values()
    assert (active["name"], active["y"]) == ("active", [point["active"] for point in timeline])
    lines = named(charts["streams"])
    assert {name: line["y"] for name, line in lines.items()} == {
        count: [point[count] for point in timeline] for count in ("started", "finished", "failed")
    }
    assert len({(line["line"]["color"], line["line"]["dash"]) for line in lines.values()}) == 3


def test_the_chart_of_arrivals_sets_the_schedule_beside_what_started_late_and_never(
    distinct: Result, charts: dict[str, Chart]
) -> None:
    counts = {"scheduled_arrivals": "scheduled", "started": "started", "late_starts": "late"}
    counts["dropped_arrivals"] = "dropped"
    timeline: Any = distinct["timeline"]
    assert {name: line["y"] for name, line in named(charts["arrivals"]).items()} == {
        name: [point[count] for point in timeline] for count, name in counts.items()
    }


def test_a_run_of_the_closed_model_has_no_chart_of_arrivals(make_result: Any) -> None:
    assert "arrivals" not in {chart["key"] for chart in over_time(make_result())}


@pytest.mark.parametrize("count", ["failed", "chunks", "bytes", "tokens"])
def test_the_lines_of_a_count_are_each_names_own(distinct: Result, charts: dict[str, Chart], count: str) -> None:
    assert {name: (line["meta"], line["y"]) for name, line in named(charts[count]).items()} == {
        each["name"]: (each["name"], [point["streams"][at][count] for point in distinct["timeline"]])
        for at, each in enumerate(distinct["streams"])
    }


@pytest.mark.parametrize("metric", METRICS)
def test_the_lines_of_a_metric_are_each_names_own_percentiles(
    distinct: Result, charts: dict[str, Chart], metric: str
) -> None:
    lines, timeline = named(charts[f"{metric}_over_time"]), distinct["timeline"]
    assert len(lines) == 4
    for at, each in enumerate(distinct["streams"]):
        for percentile, dash in (("p50", "dash"), ("p99", "solid")):
            line = lines[f"{each['name']} {percentile}"]
            assert line["y"] == [point["streams"][at][metric][percentile] for point in timeline]
            assert (line["line"]["dash"], line["meta"]) == (dash, each["name"])
            ranges = [point["streams"][at]["uncertain"].get(metric, {}).get(percentile) for point in timeline]
            if metric == "chunk_interval" and percentile == "p99":
                ends = zip(line["y"], line["error_y"]["array"], line["error_y"]["arrayminus"], strict=True)
                assert [(value - below, value + above) for value, above, below in ends] == [
                    pytest.approx(between) for between in ranges
                ]
            else:
                assert "error_y" not in line


def test_lines_of_all_names_together_are_called_by_their_percentile(distinct: Result) -> None:
    for point in distinct["timeline"]:
        del point["streams"]
    charts = {chart["key"]: chart for chart in over_time(distinct)}
    assert "failed" not in charts
    for metric in METRICS:
        lines = named(charts[f"{metric}_over_time"])
        assert {name: (line["meta"], line["y"], line["line"]["dash"]) for name, line in lines.items()} == {
            name: (name, [point[metric][name] for point in distinct["timeline"]], dash)  # type: ignore[literal-required]
            for name, dash in (("p99", "solid"), ("p50", "dash"))
        }
    for count in ("chunks", "bytes", "tokens"):
        (line,) = named(charts[count]).values()
        assert (line["name"], line["y"]) == (count, [point[count] for point in distinct["timeline"]])  # type: ignore[literal-required]


@pytest.mark.parametrize("last_s", [599, 600])
def test_the_time_is_in_minutes_from_ten_of_them(make_result: Callable[..., Result], last_s: int) -> None:
    result = make_result(seconds=2)
    result["timeline"][-1]["t_s"] = last_s
    figure = over_time(result)[0]["figure"]
    unit, last = (" s", 599) if last_s < 600 else (" min", 10)
    assert (figure["layout"]["xaxis"]["ticksuffix"], figure["data"][0]["x"][-1]) == (unit, last)


def test_each_curve_of_a_distribution_is_its_names_own(distinct: Result) -> None:
    charts = {chart["key"]: chart for chart in distributions(distinct)}
    titles = {"time_to_first_chunk": "Time to first chunk", "chunk_interval": "Chunk interval"}
    titles |= {"chunk_delay": "Chunk delay", "time_per_output_token": "Time per output token"}
    assert {key: chart["title"] for key, chart in charts.items()} == {
        f"{metric}_distribution": f"{title} by percentile" for metric, title in titles.items()
    }
    seen = set()
    for metric in titles:
        chart = charts[f"{metric}_distribution"]
        assert chart["figure"]["layout"]["xaxis"]["title"]["text"] == "percentile"
        assert chart["figure"]["layout"]["yaxis"]["ticksuffix"] == "s"
        for each in distinct["streams"]:
            curve = named(chart)[each["name"]]
            # Its histogram holds one value alone, 2 ms below the mean: the fixture takes two numbers between them.
            mean_s = each[metric]["mean"]  # type: ignore[literal-required]
            assert curve["y"] == [pytest.approx(mean_s - 0.002, rel=0.005)] * len(curve["y"])
            assert curve["hovertemplate"].startswith("1 in %{x:,.3~r} took about %{y} or longer")
            seen.add(curve["y"][0])
    assert len(seen) == 8


def test_a_thinned_point_has_each_figures_own_seconds(distinct: Result) -> None:
    seconds: Any = distinct["timeline"]
    seconds[1]["chunk_interval"]["p50"], seconds[2]["chunk_interval"]["p50"] = 0.9, 0.1
    seconds[1]["chunk_interval"]["p99"] = 0.95
    (found,) = thinned(seconds, 3)
    assert (found["t_s"], found["active"]) == (0, seconds[2]["active"])
    for point, own in (
        (found, seconds),
        *((found["streams"][at], [second["streams"][at] for second in seconds]) for at in range(2)),
    ):
        figures: Any = point
        for count in COUNTS:
            assert figures[count] == float(f"{sum(each[count] for each in own) / 3:.4g}")
        for metric in METRICS:
            middle = sorted(each[metric]["p50"] for each in own)[1]
            highest = max(own, key=lambda each: each[metric]["p99"])
            assert figures[metric] == {"p50": middle, "p99": highest[metric]["p99"]}
        shown = max(own, key=lambda each: each["chunk_interval"]["p99"])
        assert figures["uncertain"] == shown["uncertain"]
