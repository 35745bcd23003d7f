"""What a warm-up left out and what the steady window held, in sentences."""

from collections.abc import Callable
from typing import Any

import pytest

from streamgauge.report.result import Result
from streamgauge.report.steady_text import p99_words, steady_words, warm_up_words


def streams(name: str, first_s: float | None, interval_s: float | None, **more: Any) -> Any:
    summaries = ({"p99": value, "uncertain": {}, "samples_needed": {}} for value in (first_s, interval_s))
    return {"name": name, **dict(zip(("time_to_first_chunk", "chunk_interval"), summaries, strict=True)), **more}


@pytest.fixture
def result(make_result: Callable[..., Result]) -> Result:
    return make_result()


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ([streams("a", 0.02, 0.05)], "TTFC p99 20.0 ms, interval p99 50.0 ms"),
        (
            [streams("a", 0.02, 0.05), streams("b", 0.01, 0.06)],
            "TTFC p99 20.0 ms (a, the slowest), interval p99 60.0 ms (b, the slowest)",
        ),
        ([streams("a", None, None), streams("b", 0.01, None)], "TTFC p99 10.0 ms"),
        ([{"name": "a", "time_to_first_chunk": None, "chunk_interval": None}], "no chunk came"),
        ([streams("a", 0.0, None)], "TTFC p99 0 s"),
        ([], "no chunk came"),
    ],
    ids=["one name", "two names", "no value", "an older result", "no time", "no name"],
)
def test_of_several_names_the_slowest_counts(named: Any, words: str) -> None:
    assert p99_words(named) == words


def test_a_p99_shows_what_is_uncertain_and_what_rests_on_few_values() -> None:
    found = streams("a", 0.02, None)
    found["time_to_first_chunk"] |= {"samples_needed": {"p99": 5}, "uncertain": {"p99": (0.01, 0.03)}}
    assert p99_words([found]) == "TTFC p99 °≈ 20.0 ms"


def test_a_warm_up_says_what_is_left_out(result: Result) -> None:
    assert (warm_up_words(result), steady_words(result)) == ([], "")
    result["warm_up"] = {"asked": "10s", "until_s": 10, "failures": {}}
    assert warm_up_words(result) == ["the first 10 s, the warm-up, are not in these figures"]
    result["whole_run"] = {"streams": [streams("a", 0.02, 0.05)]}
    result["warm_up"]["failures"] = {"truncated": 1200, "http_error": 3}
    assert warm_up_words(result) == [
        "the first 10 s, the warm-up, are not in these figures; with them: TTFC p99 20.0 ms, interval p99 50.0 ms",
        "in the warm-up, which is not judged, 1,203 streams failed: 1,200 truncated, 3 http_error",
    ]


@pytest.mark.parametrize(
    ("steady", "words"),
    [
        (None, "no warm-up was left out, because the run was not steady"),
        (False, "no warm-up was left out, because the run was not steady"),
        (True, "no warm-up was left out, because the run was steady from its start"),
    ],
)
def test_a_warm_up_that_left_nothing_out_says_why(result: Result, steady: bool | None, words: str) -> None:
    result["warm_up"] = {"asked": "auto", "until_s": 0, "failures": {}}
    if steady is not None:
        result["steady"] = {"found": steady, "reason": "", "series": [], "slice_s": 1}
    assert warm_up_words(result) == [words]


def test_the_steady_window_has_its_figures_or_its_reason(result: Result) -> None:
    result["steady"] = {"found": False, "reason": "too few chunks came to tell", "series": [], "slice_s": 1}
    assert steady_words(result) == "no steady state: too few chunks came to tell"
    result["steady_window"] = {"from_s": 5, "to_s": 60, "streams": [streams("a", 0.02, 0.05)]}
    assert steady_words(result) == "steady from 5 s to 60 s: TTFC p99 20.0 ms, interval p99 50.0 ms"
