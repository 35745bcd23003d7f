"""The table of the slowest streams in the report."""

import re
from collections.abc import Callable

import pytest

from streamgauge.report import html
from streamgauge.report.result import Result, SlowStream
from tests.report.printed import Shown


def slow(number: int, outcome: str = "completed", *, chunks: int = 3) -> SlowStream:
    return SlowStream(
        t_s=number,
        time_to_first_chunk=number / 10 if chunks else None,
        longest_interval=number / 4 if chunks > 1 else None,
        duration=number * 1.5,
        chunks=chunks,
        outcome=outcome,
    )


@pytest.fixture
def result(make_result: Callable[..., Result]) -> Result:
    result = make_result(mix=(("a", "sse", 0.01, 0.05), ("b", "raw", 0.02, 0.06)))
    first, second = result["streams"]
    first["slowest"] = {"time_to_first_chunk": [slow(9), slow(7, chunks=1)], "chunk_interval": [slow(8, "stalled")]}
    second["slowest"] = {"time_to_first_chunk": [slow(6)], "chunk_interval": []}
    return result


def test_each_stream_stands_with_its_own_figures_below_its_name(result: Result) -> None:
    (table,) = [each for each in Shown(html.render(result)).tables if each and "Slowest by" in each[0]]
    assert [list(row.values()) for row in table] == [
        ["a", "time to first chunk", "900 ms", "2.25 s", "13.5 s", "3", "completed", "9.00 s"],
        ["a", "time to first chunk", "700 ms", "–", "10.5 s", "1", "completed", "7.00 s"],
        ["a", "longest interval", "800 ms", "2.00 s", "12.0 s", "3", "stalled", "8.00 s"],
        ["b", "time to first chunk", "600 ms", "1.50 s", "9.00 s", "3", "completed", "6.00 s"],
    ]


def test_an_outcome_that_is_a_failure_is_marked(result: Result) -> None:
    page = html.render(result)
    assert re.search(r'class="[^"]*mark[^"]*">stalled<', page)
    assert not re.search(r'class="[^"]*mark[^"]*">completed<', page)


@pytest.mark.parametrize("known", [True, False], ids=["none were slow", "an older result"])
def test_a_run_without_such_streams_has_no_empty_table(result: Result, known: bool) -> None:
    for each in result["streams"]:
        del each["slowest"]
        if known:
            each["slowest"] = {"time_to_first_chunk": [], "chunk_interval": []}
    assert "Slowest streams" not in html.render(result)


def test_of_many_names_those_with_the_slowest_streams_are_shown(make_result: Callable[..., Result]) -> None:
    result = make_result(mix=[(f"name {number:02}", "sse", 0.01, 0.05) for number in range(12)])
    for number, each in enumerate(result["streams"]):
        by = {"time_to_first_chunk": [slow(number)], "chunk_interval": [slow(12 - number)]}
        each["slowest"] = by if number else {key: [] for key in by}
    (table,) = [each for each in Shown(html.render(result)).tables if each and "Slowest by" in each[0]]
    shown = list(dict.fromkeys(row["Name"] for row in table))
    assert shown == [f"name {number:02}" for number in (1, 2, 3, 4, 8, 9, 10, 11)]
    assert "The table has the 8 of 12 names with the slowest streams" in html.render(result)
