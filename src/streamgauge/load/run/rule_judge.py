"""Judges a run under way by its SLO rules, again whenever more was counted, at a bounded share of the time."""

import time
from collections.abc import Callable, Sequence

from streamgauge.verdict.slo.judgement import JudgedRule, judge
from streamgauge.verdict.slo.rule import Rule
from streamgauge.verdict.slo.run_figures import RunFigures

#: The largest share of the time that judging takes: with many names, one judgement merges many histograms.
MOST_SHARE = 0.005


class RuleJudge:
    """The last judgement of a run under way. Without rules it costs nothing."""

    def __init__(self, rules: Sequence[Rule], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules
        self._monotonic = monotonic
        self._judged: list[JudgedRule] = []
        self._outdated = bool(rules)
        self._from_s = 0.0

    def outdate(self, *, now: bool = False) -> None:
        """Note that more was counted; with ``now``, that what was counted before is gone."""
        self._outdated = bool(self._rules)
        self._from_s = 0.0 if now else self._from_s

    def judged(self, figures: Callable[[], RunFigures]) -> list[JudgedRule]:
        """Return what the rules say about what has been counted by now, or by the last judgement."""
        begun_s = self._monotonic()
        if self._outdated and begun_s >= self._from_s:
            self._judged, self._outdated = judge(self._rules, figures()), False
            self._from_s = begun_s + (self._monotonic() - begun_s) / MOST_SHARE
        return self._judged
