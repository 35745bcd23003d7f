"""The verdict in words: passed or not, why, and what each rule found."""

from collections.abc import Callable
from typing import Any

import pytest

from streamgauge.report.result import Result
from streamgauge.report.verdict_text import judgement, judgement_reason, observed

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
    ("rules", "sentence"),
    [
        ([True], "1 rule passed."),
        ([True] * 3, "3 rules passed."),
        ([False], "1 of 1 rule failed."),
        ([True, False, True], "1 of 3 rules failed."),
        ([False, None], "2 of 2 rules failed."),
        ([False] * 1_001 + [True], "1,001 of 1,002 rules failed."),
    ],
)
def test_with_rules_they_are_the_reason_whatever_the_streams_did(
    result: Result, rules: list[bool | None], sentence: str
) -> None:
    result["streams"][0]["outcomes"] = {"truncated": 7}
    result["verdict"]["slo"] = [{"rule": "lag.p99 < 1ms", "passed": passed} for passed in rules]
    assert judgement_reason(result) == sentence


def test_a_rule_that_does_not_say_that_it_passed_is_broken(result: Result) -> None:
    result["verdict"]["slo"] = [{"rule": "lag.p99 < 1ms"}]
    assert judgement_reason(result) == "1 of 1 rule failed."


@pytest.mark.parametrize(
    ("rule", "value", "written"),
    [
        ("time_to_first_chunk.p99 < 100ms", 0.0521, "52.1 ms"),
        ("chunk_interval.p50 < 20ms", 0.00034, "340 µs"),
        ("chunk_delay.p90 < 1s", 1.5, "1.50 s"),
        ("duration.max < 10min", 125, "2 min 05 s"),
        ("stream_duration.max < 10min", 125, "2 min 05 s"),
        ("lag.p99 < 1ms", 0, "0 s"),
        ("failed.ratio < 1%", 0.0123, "1.23 %"),
        ("coalesced_share < 50%", 0.5, "50.0 %"),
        ("stalls.per_stream < 1", 0.52, "0.520"),
        ("chunks.count > 1000", 12_345, "12345"),
        ("chunk_intervals_seen > 5", 7, "7.00"),
        ("failed.ratios > 5", 7, "7.00"),
    ],
)
def test_what_a_rule_found_is_in_the_unit_of_its_metric(rule: str, value: float, written: str) -> None:
    assert observed({"rule": rule, "observed": value}) == written


@pytest.mark.parametrize(
    ("rule", "written"),
    [
        ({"rule": "lag.p99 < 1ms", "observed": None}, "–"),
        ({"rule": "lag.p99 < 1ms"}, "–"),
        ({"rule": "lag.p99 < 1ms", "observed": "no data"}, "no data"),
        ({"rule": "lag.p99 < 1ms", "observed": ["a"]}, "['a']"),
        ({"observed": 3}, "3.00"),
        ({"rule": None, "observed": 0.5}, "0.500"),
    ],
)
def test_a_rule_that_found_no_number_or_has_no_name_is_shown_as_well_as_can_be(
    rule: dict[str, Any], written: str
) -> None:
    assert observed(rule) == written
