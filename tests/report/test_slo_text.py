"""Judged SLO rules in words: what was observed, the margin, and what follows, now and in the end."""

from typing import Any

import pytest

from streamgauge.report import slo_text
from streamgauge.verdict.slo.judgement import JudgedRule


def judged(**parts: Any) -> JudgedRule:
    empty = JudgedRule(
        rule="r", observed=0.1, passed=True, limit=0.2, unit="seconds", range=None, uncertain=False, reason=""
    )
    return {**empty, **parts}


@pytest.mark.parametrize(
    ("unit", "value", "limit", "observed", "margin"),
    [
        ("seconds", 0.0521, 0.2, "52.1 ms", "148 ms below"),
        ("seconds", 0.25, 0.2, "250 ms", "50.0 ms above"),
        ("seconds", 0.2, 0.2, "200 ms", "at the limit"),
        ("seconds", 125, 600, "2 min 05 s", "7 min 55 s below"),
        ("ratio", 0.0123, 0.001, "1.23 %", "1.13 percentage points above"),
        ("ratio", 0, 0.01, "0 %", "1.00 percentage points below"),
        ("count", 12_345, 10_000, "12,345", "2,345 above"),
        ("per_second", 52, 50, "52.0/s", "2.00/s above"),
        ("per_stream", 0.52, 1, "0.520", "0.480 below"),
        ("bytes", 1_200_000, 1_000_000, "1.20 MB", "200 kB above"),
        ("bytes_per_stream", 640, 1000, "640 B", "360 B below"),
        ("bytes_per_second", 21_200, 1000, "21.2 kB/s", "20.2 kB/s above"),
    ],
)
def test_what_a_rule_found_is_in_the_unit_of_its_metric(
    unit: str, value: float, limit: float, observed: str, margin: str
) -> None:
    rule = judged(unit=unit, observed=value, limit=limit)
    assert (slo_text.observed(rule), slo_text.margin(rule)) == (observed, margin)


UNFED = judged(observed=None, passed=False, reason="no stream was counted")


@pytest.mark.parametrize(
    ("rule", "now", "ended"),
    [
        (judged(), "✓ holds so far", "✓ passed"),
        (judged(passed=False), "✗ fails so far", "✗ failed"),
        (UNFED, "… no data so far", "✗ failed: no data"),
        (judged(uncertain=True, range=(0.05, 0.3)), "✓ holds so far", "✓ passed, within the uncertainty"),
    ],
)
def test_a_rule_has_words_beside_its_mark(rule: JudgedRule, now: str, ended: str) -> None:
    assert (slo_text.marked_so_far(rule), slo_text.marked(rule)) == (now, ended)


def test_a_rule_without_data_has_no_figures() -> None:
    assert (slo_text.observed(UNFED), slo_text.margin(UNFED), slo_text.range_words(UNFED)) == ("–", "–", "")


@pytest.mark.parametrize(
    ("unit", "between", "written"),
    [
        ("seconds", (0.05, 0.3), "50.0–300 ms"),
        ("seconds", (0.05, None), "50.0 ms or more"),
        ("count", (5, 7), "5 – 7"),
    ],
)
def test_a_value_that_is_known_as_a_range_shows_it(unit: str, between: Any, written: str) -> None:
    rule = judged(unit=unit, range=between)
    assert slo_text.range_words(rule) == written
    assert slo_text.observed(rule).startswith("≈ ")


@pytest.mark.parametrize(
    ("states", "now", "ended"),
    [
        ("", "", ""),
        ("p", "1 of 1 SLO rule holds so far", "1 SLO rule passed"),
        ("ppn", "2 of 3 SLO rules hold so far, 1 rule without data", "1 of 3 SLO rules failed"),
        ("pfn", "1 of 3 SLO rules fails so far", "2 of 3 SLO rules failed"),
        ("ffp", "2 of 3 SLO rules fail so far", "2 of 3 SLO rules failed"),
        ("nn", "0 of 2 SLO rules hold so far, 2 rules without data", "2 of 2 SLO rules failed"),
    ],
)
def test_all_rules_have_one_sentence(states: str, now: str, ended: str) -> None:
    kinds = {"p": judged(), "f": judged(passed=False, rule="a < 1"), "n": UNFED}
    rules = [kinds[each] for each in states]
    assert (slo_text.so_far(rules), slo_text.in_the_end(rules)) == (now, ended)
    assert slo_text.failing(rules) == ["a < 1: 100 ms"] * states.count("f")
