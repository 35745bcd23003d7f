"""Which percentiles rest on too few values, in one note for all that rest on as many."""

from collections.abc import Callable
from typing import Any

import pytest

from streamgauge.report.enough_text import mark, scarce_notes
from streamgauge.report.result import Result

MIX = (("a", "sse", 0.01, 0.05), ("b", "sse", 0.02, 0.05))
PERCENTILES = ("p50", "p99")


def few(count: int, **needed: int) -> dict[str, Any]:
    """A distribution of so many values, of whose percentiles some need more."""
    return {"count": count, "samples_needed": needed}


@pytest.fixture
def result(make_result: Callable[..., Result]) -> Result:
    """Two names, each of whose percentiles rest on enough values, in a run of 10 s."""
    result = make_result(mix=MIX)
    result["run"]["duration_s"] = 10.0
    result["run"].pop("counted_s", None)
    return result


def changed(result: Result, name: int, **distributions: Any) -> None:
    for key, summary in distributions.items():
        result["streams"][name][key] = summary  # type: ignore[literal-required]


def test_percentiles_with_enough_values_are_not_named(result: Result) -> None:
    assert scarce_notes(result, PERCENTILES) == []
    assert mark({"samples_needed": {"p99": 1}}, "p50") == mark({}, "p50") == ""
    assert mark({"samples_needed": {"p99": 1}}, "p99") == "°"


def test_percentiles_of_as_many_values_share_a_note_and_others_have_their_own(result: Result) -> None:
    changed(result, 0, time_to_first_chunk=few(500, p99=500), duration=few(500, p99=500, p50=1),
            chunk_interval=few(900, p99=100))  # fmt: skip
    changed(result, 1, duration=few(1, p50=19))
    assert scarce_notes(result, PERCENTILES) == [
        "a, TTFC p99 and duration p99 rest on 500 streams; it takes 500 more, about 10.0 s more of this load",
        "a, interval p99 rests on 900 intervals; it takes 100 more, about 1.11 s more of this load",
        "b, duration p50 rests on 1 stream; it takes 19 more, about 3 min 10 s more of this load",
    ]


def test_three_percentiles_are_listed_and_a_short_while_is_a_second(result: Result) -> None:
    scarce = few(1990, p99=10)
    changed(result, 0, time_to_first_chunk=scarce, duration=scarce, time_per_output_token=scarce,
            chunk_delay=few(1990, p99=10))  # fmt: skip
    more = "it takes 10 more, about 1.00 s more of this load"
    assert scarce_notes(result, PERCENTILES) == [
        f"a, TTFC p99, duration p99 and per token p99 rest on 1,990 streams; {more}",
        f"a, chunk delay p99 rests on 1,990 chunks; {more}",
    ]


def test_only_the_percentiles_that_are_asked_for_are_named(result: Result) -> None:
    changed(result, 0, duration=few(15, p50=5, p99=985))
    assert scarce_notes(result, ("p50",)) == [
        "a, duration p50 rests on 15 streams; it takes 5 more, about 3.33 s more of this load"
    ]


def test_values_without_a_count_and_a_run_without_a_length_have_no_forecast(result: Result) -> None:
    changed(result, 0, duration=few(0), time_to_first_chunk=few(5, p99=995))
    result["run"]["duration_s"] = 0.0
    assert scarce_notes(result, PERCENTILES) == ["a, TTFC p99 rests on 5 streams; it takes 995 more"]
