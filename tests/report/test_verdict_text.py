"""The verdict in words: passed or not, and why."""

from collections.abc import Callable

import pytest

from streamgauge.report.result import Result
from streamgauge.report.verdict_text import judgement, judgement_reason
from tests.report.test_slo_text import judged

MIX = (("quick", "sse", 0.01, 0.05), ("slow", "sse", 0.01, 0.05))


@pytest.fixture
def result(make_result: Callable[..., Result]) -> Result:
    return make_result(mix=MIX, seconds=1)


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [(0, "passed"), (1, "failed"), (2, "ended with status 2"), (3, "ended with status 3"), (9, "ended with status 9")],
)
def test_each_exit_status_has_its_word(exit_code: int, words: str) -> None:
    assert judgement({"trust": "trusted", "reasons": [], "slo": [], "exit_code": exit_code}) == words


def test_only_a_run_that_cannot_be_trusted_is_not_judged() -> None:
    assert judgement({"trust": "invalid", "reasons": [], "slo": [], "exit_code": 3}) == "not judged"


@pytest.mark.parametrize(
    ("outcomes", "sentence"),
    [
        (({}, {}), "No stream ended."),
        (({"completed": 0}, {"truncated": 0}), "No stream ended."),
        (({"completed": 1}, {}), "None of 1 stream failed."),
        (({"completed": 5}, {"completed": 7}), "None of 12 streams failed."),
        (({"truncated": 1}, {}), "1 of 1 stream failed."),
        (({"completed": 1}, {"stalled": 1}), "1 of 2 streams failed."),
        (({"completed": 9_000, "truncated": 1_200}, {"stalled": 34}), "1,234 of 10,234 streams failed."),
        (({"completed": 3, "censored": 1}, {}), "None of 4 streams failed; the end of the run cut 1 stream short."),
        (({"censored": 1_000}, {}), "None of 1,000 streams failed; the end of the run cut 1,000 streams short."),
        (
            ({"completed": 3, "censored": 1}, {"stalled": 1, "censored": 1}),
            "1 of 6 streams failed; the end of the run cut 2 streams short.",
        ),
    ],
)
def test_without_rules_the_streams_of_all_names_are_the_reason(
    result: Result, outcomes: tuple[dict[str, int], ...], sentence: str
) -> None:
    for each, ended in zip(result["streams"], outcomes, strict=True):
        each["outcomes"] = ended
    assert judgement_reason(result) == sentence


@pytest.mark.parametrize(
    ("by_shape", "sentence"),
    [
        (1, "the falling shape cut 1 stream short, and the end of the run 3."),
        (4, "the falling shape cut 4 streams short."),
        (5, "the falling shape cut 4 streams short."),  # of a stream that ended in the warm-up
    ],
)
def test_streams_that_a_falling_shape_cut_are_not_the_end_s(result: Result, by_shape: int, sentence: str) -> None:
    for each in result["streams"]:
        each["outcomes"] = {"completed": 3, "censored": 2}
    result["generator"]["cut_by_shape"] = by_shape
    assert judgement_reason(result) == f"None of {5 * len(result['streams'])} streams failed; {sentence}"


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ([True], "1 SLO rule passed."),
        ([True] * 3, "3 SLO rules passed."),
        ([False], "1 of 1 SLO rule failed."),
        ([True, False, True], "1 of 3 SLO rules failed."),
        ([False, False], "2 of 2 SLO rules failed."),
        ([False] * 1_001 + [True], "1,001 of 1,002 SLO rules failed."),
    ],
)
def test_with_rules_they_are_the_reason_whatever_the_streams_did(
    result: Result, rules: list[bool], sentence: str
) -> None:
    result["streams"][0]["outcomes"] = {"truncated": 7}
    result["verdict"]["slo"] = [judged(passed=passed) for passed in rules]
    assert judgement_reason(result) == sentence
