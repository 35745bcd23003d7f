"""Says in words whether the numbers can be trusted, whether the run passed, and why."""

from streamgauge.report.result import Result, Verdict
from streamgauge.report.slo_text import in_the_end
from streamgauge.report.sums import failed, totals
from streamgauge.report.units import number, some
from streamgauge.stats.outcome import Outcome
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
    ExitStatus.UNTRUSTED: "not judged",
}


def judgement(verdict: Verdict) -> str:
    """Return ``passed``, ``failed``, or ``not judged`` if the run cannot be trusted."""
    code = verdict["exit_code"]
    ended = f"ended with status {code}"
    if code == ExitStatus.UNTRUSTED and verdict["trust"] != "invalid":  # a status of the test's own
        return ended
    return _JUDGEMENTS.get(code, ended)


def judgement_reason(result: Result) -> str:
    """Return a sentence that says why the run passed or failed: by its rules or, without rules, by its streams."""
    rules = result["verdict"]["slo"]
    dropped = result["generator"]["dropped_arrivals"]
    missed = f" {some(dropped, 'arrival')} never started." if dropped else ""
    if rules:
        return f"{in_the_end(rules)}.{missed}"
    by_shape = result["generator"].get("cut_by_shape", 0)
    return _streams_reason(totals(result["streams"])["outcomes"], by_shape) + missed


def _streams_reason(outcomes: dict[str, int], by_shape: int) -> str:
    ended, bad, censored = sum(outcomes.values()), failed(outcomes), outcomes.get(Outcome.CENSORED, 0)
    if not ended:
        return "No stream ended."
    cut = f"; {_cut(min(by_shape, censored), censored)}" if censored else ""
    if bad:
        return f"{number(bad)} of {some(ended, 'stream')} failed{cut}."
    return f"None of {some(ended, 'stream')} failed{cut}."


def _cut(by_shape: int, censored: int) -> str:
    """Say what cut streams short: a falling shape, which removed their users, or the end of the run."""
    if not by_shape:
        return f"the end of the run cut {some(censored, 'stream')} short"
    by_end = f", and the end of the run {number(censored - by_shape)}" if censored > by_shape else ""
    return f"the falling shape cut {some(by_shape, 'stream')} short{by_end}"
