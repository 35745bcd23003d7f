from collections.abc import Callable

import pytest

from streamgauge.report import sums
from streamgauge.report.result import Result


def test_censored_streams_are_neither_success_nor_failure() -> None:
    outcomes = {"completed": 6, "aborted": 2, "censored": 90, "stalled": 2}
    assert sums.failure_ratio(outcomes) == pytest.approx(0.2)
    assert sums.failure_ratio({"censored": 3}) is None


def test_failures_come_with_the_most_frequent_first() -> None:
    outcomes = {"completed": 1, "stalled": 2, "truncated": 5, "http_error": 0}
    assert list(sums.failures(outcomes).items()) == [("truncated", 5), ("stalled", 2)]
    assert sums.failed(outcomes) == 7


def test_totals_weigh_the_coalesced_share_by_chunks(make_result: Callable[..., Result]) -> None:
    streams = make_result(seconds=2)["streams"][:2]
    streams[0].update(chunks=300, coalesced_share=0.1)
    streams[1].update(chunks=100, coalesced_share=0.5)
    assert sums.totals(streams)["coalesced_share"] == pytest.approx(0.2)
    assert sums.totals([])["coalesced_share"] == 0


def test_outcomes_are_listed_in_one_order() -> None:
    assert list(sums.ordered({"odd": 1, "truncated": 1, "censored": 0, "completed": 4})) == [
        "completed",
        "truncated",
        "odd",
    ]


@pytest.mark.parametrize(("run", "per_s"), [({}, 5.0), ({"counted_s": 0.5}, 20.0), ({"counted_s": 0.0}, None)])
def test_a_rate_is_over_the_time_that_was_counted(
    make_result: Callable[..., Result], run: dict[str, float], per_s: float | None
) -> None:
    result = make_result(seconds=2)
    result["run"].update(duration_s=2.0, **run)  # type: ignore[typeddict-item]
    assert sums.per_second(10, result) == per_s


def test_streams_are_judged_unless_they_are_censored() -> None:
    assert sums.judged({"completed": 3, "stalled": 2}) == 5
    assert sums.judged({"completed": 3, "stalled": 2, "censored": 7}) == 5
