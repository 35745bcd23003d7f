"""Writes judged SLO rules in words: what was observed, how far that is from the limit, and what follows."""

from collections.abc import Callable, Iterable, Sequence

from streamgauge.report.units import NONE, duration, interval, number, rate, share, significant, size, some
from streamgauge.verdict.slo.judgement import JudgedRule
from streamgauge.verdict.slo.ruled_metrics import Kind

_WRITTEN: dict[str, Callable[[float], str]] = {
    Kind.SECONDS: duration,
    Kind.RATIO: share,
    Kind.COUNT: lambda value: number(round(value)),
    Kind.PER_STREAM: significant,
    Kind.RATE: lambda value: f"{rate(value)}/s",
    Kind.BYTES: size,
    Kind.BYTES_PER_STREAM: size,
    Kind.BYTES_RATE: lambda value: f"{size(value)}/s",
}
#: Marks and words of a rule by its ``state``: while the run goes on, and in the end.
_SO_FAR = {"passed": "✓ holds so far", "failed": "✗ fails so far", "no data": "… no data so far"}
_ENDED = {"passed": "✓ passed", "failed": "✗ failed", "no data": "✗ failed: no data"}
#: Explains the state of a rule that only the value decided.
UNCERTAIN_MEANS = "The observed value is known only as a range that holds the limit: the value alone decided."


def observed(rule: JudgedRule) -> str:
    """Return the observed value in the unit of its metric, with a mark if it is known only as a range."""
    if rule["observed"] is None:
        return NONE
    return ("≈ " if rule["range"] else "") + _WRITTEN[rule["unit"]](rule["observed"])


def margin(rule: JudgedRule) -> str:
    """Return how far the observed value is from the limit: ``148 ms below``."""
    value = rule["observed"]
    if value is None:
        return NONE
    if value == rule["limit"]:
        return "at the limit"
    side, written = "below" if value < rule["limit"] else "above", _WRITTEN[rule["unit"]](abs(value - rule["limit"]))
    if rule["unit"] == Kind.RATIO:
        written = written.removesuffix("%") + "percentage points"
    return f"{written} {side}"


def state(rule: JudgedRule) -> str:
    """Return ``passed``, ``failed`` or ``no data``, which is a failure at the end of a run."""
    return "passed" if rule["passed"] else "no data" if rule["observed"] is None else "failed"


def marked(rule: JudgedRule) -> str:
    """Return what a finished run says, with a mark: ``✓ passed``, ``✗ failed``, ``✗ failed: no data``."""
    words = _ENDED[state(rule)]
    return f"{words}, within the uncertainty" if rule["uncertain"] else words


def marked_so_far(rule: JudgedRule) -> str:
    """Return how a rule stands while the run goes on, with a mark."""
    return _SO_FAR[state(rule)]


def in_the_end(rules: Sequence[JudgedRule]) -> str:
    """Return how many rules passed or failed: ``1 of 3 SLO rules failed``; empty without rules."""
    broken = sum(not rule["passed"] for rule in rules)
    every = some(len(rules), "SLO rule")
    return "" if not rules else f"{number(broken)} of {every} failed" if broken else f"{every} passed"


def range_words(rule: JudgedRule) -> str:
    """Return the range of a value that is known only as one; empty for other values."""
    if rule["range"] is None:
        return ""
    least, most = rule["range"]
    write = _WRITTEN[rule["unit"]]
    if most is None:
        return f"{write(least)} or more"
    return interval(least, most) if rule["unit"] == Kind.SECONDS else f"{write(least)} – {write(most)}"


def so_far(rules: Iterable[JudgedRule]) -> str:
    """Return how the rules stand while the run goes on: ``1 of 3 SLO rules fails so far``; empty without rules."""
    states = [state(rule) for rule in rules]
    failing, waiting = states.count("failed"), states.count("no data")
    if not states:
        return ""
    if failing:
        return f"{failing} of {some(len(states), 'SLO rule')} {'fails' if failing == 1 else 'fail'} so far"
    unfed = f", {some(waiting, 'rule')} without data" if waiting else ""
    held = len(states) - waiting
    return f"{held} of {some(len(states), 'SLO rule')} {'holds' if held == 1 else 'hold'} so far{unfed}"


def failing(rules: Iterable[JudgedRule]) -> list[str]:
    """Return each rule that fails so far, with what was observed."""
    return [f"{rule['rule']}: {observed(rule)}" for rule in rules if state(rule) == "failed"]
