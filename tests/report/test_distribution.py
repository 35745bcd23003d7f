"""Percentile curves: which names have one, which are shown at first, and what their caption says."""

from collections.abc import Callable

import pytest

from streamgauge.report.charts import Chart
from streamgauge.report.distribution import distributions, percentile_curve
from streamgauge.report.result import Result
from streamgauge.report.summary import summary
from streamgauge.stats.histogram import Histogram


@pytest.fixture
def interval_chart(make_result: Callable[..., Result]) -> Callable[..., Chart]:
    """A function that draws the chunk intervals of many names: ``n1`` has the fewest values, and so on."""

    def make(names: int, **uncertain: tuple[float, float]) -> Chart:
        result = make_result(mix=tuple((f"n{at}", "sse", 0.01, 0.05) for at in range(1, names + 1)), seconds=1)
        for at, each in enumerate(result["streams"], 1):
            histogram = Histogram()
            histogram.record_ns(50_000_000, at)
            each["chunk_interval"] = summary(histogram, uncertain)
            each["time_to_first_chunk"] = summary(Histogram())
        (chart,) = distributions(result)
        return chart

    return make


@pytest.mark.parametrize(
    ("names", "curves", "hidden", "left_out"),
    [(1, 1, 0, 0), (8, 8, 0, 0), (9, 9, 1, 0), (40, 40, 32, 0), (41, 40, 32, 1), (45, 40, 32, 5)],
)
def test_names_with_the_most_values_have_a_curve_and_are_shown(
    interval_chart: Callable[..., Chart], names: int, curves: int, hidden: int, left_out: int
) -> None:
    chart = interval_chart(names)
    drawn = chart["figure"]["data"]
    visible = [trace["visible"] for trace in drawn]
    assert visible == [True] * (curves - hidden) + ["legendonly"] * hidden
    at_last = range(names, names - curves, -1)
    assert {trace["name"] for trace in drawn} == {f"n{at}" for at in at_last}
    assert {trace["name"] for trace in drawn if trace["visible"] is True} == {f"n{at}" for at in at_last[:8]}
    assert ("The 8 names with the most values are shown; click a name" in chart["caption"]) == (hidden > 0)
    left = f" Only in the table: {left_out} {'name' if left_out == 1 else 'names'} with fewer values."
    assert (left in chart["caption"]) == (left_out > 0)
    assert ("Only in the table" in chart["caption"]) == (left_out > 0)


def test_the_axis_reaches_to_the_name_with_the_most_values(interval_chart: Callable[..., Chart]) -> None:
    layout = interval_chart(45)["figure"]["layout"]
    assert 45 < 10 ** layout["xaxis"]["range"][1] < 60
    assert layout["xaxis"]["title"]["text"] == "percentile"
    assert layout["yaxis"]["ticksuffix"] == "s"


def test_a_caption_says_where_curves_are_not_exactly_known(interval_chart: Callable[..., Chart]) -> None:
    assert "known only as a range" not in interval_chart(2)["caption"]
    assert "Some percentiles are known only as a range" in interval_chart(2, p99=(0.01, 0.02))["caption"]


def test_a_metric_that_no_stream_has_is_not_drawn(make_result: Callable[..., Result]) -> None:
    result = make_result(mix=(("a", "sse", 0.01, 0.05), ("b", "sse", 0.01, 0.05)), seconds=2)
    assert [chart["title"] for chart in distributions(result)] == [
        "Time to first chunk by percentile",
        "Chunk interval by percentile",
    ]
    result["streams"][1]["chunk_delay"] = result["streams"][1]["chunk_interval"]
    *_, delay = distributions(result)
    assert delay["key"] == "chunk_delay_distribution"
    assert [trace["name"] for trace in delay["figure"]["data"]] == ["b"]


def curve(*values: tuple[int, int]) -> tuple[list[float], list[float]]:
    histogram = Histogram()
    for value_ms, times in values:
        histogram.record_ns(value_ms * 1_000_000, times)
    return percentile_curve(histogram)


def test_points_that_lie_close_are_one_but_the_last_has_its_own() -> None:
    ones_in, values_s = curve((1, 1000), (2, 1), (4, 1000))
    assert ones_in == pytest.approx([1, 2001 / 1001, 2001], rel=1e-4)
    assert values_s == pytest.approx([0.001, 0.001, 0.004], rel=0.01)
    ones_in, values_s = curve((1, 1000), (2, 40), (4, 960))
    assert ones_in == pytest.approx([1, 2, 2000 / 960, 2000], rel=1e-4)
    assert values_s == pytest.approx([0.001, 0.001, 0.002, 0.004], rel=0.01)


def test_one_value_is_a_curve_of_its_own() -> None:
    ones_in, values_s = curve((7, 1))
    assert ones_in == [1, 1]
    assert values_s == pytest.approx([0.007, 0.007], rel=0.01)
    assert percentile_curve(Histogram()) == ([], [])


def test_a_curve_goes_in_steps_and_its_tooltip_says_what_a_point_means(interval_chart: Callable[..., Chart]) -> None:
    figure = interval_chart(3)["figure"]
    assert figure["layout"]["hovermode"] == "closest"
    for trace in figure["data"]:
        assert (trace["type"], trace["mode"], trace["line"]["shape"]) == ("scatter", "lines", "vh")
        assert trace["meta"] == trace["name"]
        assert trace["x"] == [1, int(trace["name"].removeprefix("n"))], "one in so many"
        assert trace["y"] == pytest.approx([0.05, 0.05], rel=0.01)
        said = trace["hovertemplate"]
        assert said.startswith("1 in %{x:,.3~r} took about %{y} or longer")
        assert said.endswith("<extra>%{fullData.name}</extra>")


def test_each_name_has_a_look_of_its_own(interval_chart: Callable[..., Chart]) -> None:
    drawn = interval_chart(32)["figure"]["data"]
    looks = {(trace["line"]["color"], trace["line"]["dash"]) for trace in drawn}
    assert len(looks) == 32
    assert {dash for _, dash in looks} == {"solid", "dash", "dot", "dashdot"}


def test_a_caption_has_all_that_is_to_be_said(interval_chart: Callable[..., Chart]) -> None:
    caption = interval_chart(41, p99=(0.01, 0.02))["caption"]
    said = ["Each point shows which", " The 8 names with", " Only in the table: 1 name", " Some percentiles"]
    places = [caption.find(f"{'.' if at else ''}{words}") for at, words in enumerate(said)]
    assert places[0] == 0
    assert places == sorted(places)
    assert -1 not in places
    assert caption.endswith(" these ranges.")
