"""Says in words whether the numbers can be trusted, whether the run passed, and why."""

import re
from typing import Any

from streamgauge.report.result import Result, Verdict
from streamgauge.report.sums import failed, totals
from streamgauge.report.units import NONE, duration, number, share, significant, some
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.stream_quantities import DISTRIBUTIONS
from streamgauge.verdict.exit_status import ExitStatus
from streamgauge.verdict.trust import Trust

TRUST_MEANS: dict[Trust, str] = {
    "trusted": "The load generator kept up: these numbers show what the service did.",
    "degraded": "The measurement was disturbed; do not rely on small differences.",
    "invalid": "This run was not measured well enough to judge the service; do not use these numbers.",
}
#: Explains the mark before a percentile.
UNCERTAIN_MEANS = (
    "≈ marks a percentile that is known only as a range: chunks shared a read with other data, the generator waited "
    "for a CPU before it sent requests, or a closed connection ended the stream."
)
_JUDGEMENTS: dict[int, str] = {
    ExitStatus.PASSED: "passed",
    ExitStatus.FAILED: "failed",
    ExitStatus.USAGE: "not run",
    ExitStatus.UNTRUSTED: "not judged",
}
_SECONDS = re.compile(rf"({'|'.join(each.key for each in DISTRIBUTIONS.values() if not each.internal)}|lag)\b")
_SHARES = re.compile(r"(\.ratio|_share)\b")


def judgement(verdict: Verdict) -> str:
    """Return ``passed``, ``failed``, or ``not judged`` if the run cannot be trusted."""
    code = verdict["exit_code"]
    return _JUDGEMENTS.get(code, f"ended with status {code}")


def judgement_reason(result: Result) -> str:
    """Return a sentence that says why the run passed or failed: by its rules or, without rules, by its streams."""
    rules = result["verdict"]["slo"]
    if rules:
        broken = sum(not rule.get("passed") for rule in rules)
        held = (
            f"{number(broken)} of {some(len(rules), 'rule')} failed" if broken else f"{some(len(rules), 'rule')} passed"
        )
        return f"{held}."
    return _streams_reason(totals(result["streams"])["outcomes"])


def _streams_reason(outcomes: dict[str, int]) -> str:
    ended, bad, censored = sum(outcomes.values()), failed(outcomes), outcomes.get(Outcome.CENSORED, 0)
    if not ended:
        return "No stream ended."
    cut = f"; the end of the run cut {some(censored, 'stream')} short" if censored else ""
    if bad:
        return f"{number(bad)} of {some(ended, 'stream')} failed{cut}."
    return f"None of {some(ended, 'stream')} failed{cut}."


def observed(rule: dict[str, Any]) -> str:
    """Return the value that a rule observed, in the unit of its metric."""
    value, text = rule.get("observed"), str(rule.get("rule", ""))
    if value is None:
        return NONE
    if not isinstance(value, int | float):
        return str(value)
    if _SHARES.search(text):
        return share(value)
    return duration(value) if _SECONDS.search(text) else significant(value)
