"""Judges a run by its SLO rules.

A figure may be known only as a range. A rule passes if it holds for the whole range, and fails if it holds for no part
of it; in between, the value decides, and the judgement is marked as uncertain.
"""

import difflib
from collections.abc import Iterable
from typing import TypedDict

from streamgauge.stats.uncertainty import MARKED
from streamgauge.verdict.slo.rule import Rule
from streamgauge.verdict.slo.run_figures import RunFigures

#: A reason lists so many names.
_MOST_NAMES = 20


class JudgedRule(TypedDict):
    """One rule and what the run says about it, as ``result.json`` holds it."""

    rule: str
    observed: float | None
    """In the base unit: seconds, a share of one, bytes, a number; None if nothing fed the rule, which then failed."""
    passed: bool
    limit: float
    unit: str
    """What ``observed`` and ``limit`` are: a :class:`streamgauge.verdict.slo.ruled_metrics.Kind`."""
    range: tuple[float, float | None] | None
    """The least and the most that the observed figure can be, if it is uncertain or marked in tables as well; None as
    the most if there is no upper limit."""
    uncertain: bool
    """Whether the limit lies within that range, so that the value alone decided."""
    reason: str
    """Why there is nothing to observe; empty if there is."""


def judge(rules: Iterable[Rule], figures: RunFigures) -> list[JudgedRule]:
    """Judge a run by each rule, in their order."""
    return [_judged(rule, figures) for rule in rules]


def _judged(rule: Rule, figures: RunFigures) -> JudgedRule:
    found = figures.figure(rule.name, rule.metric, rule.stat)
    judged = JudgedRule(
        rule=rule.text, observed=None, passed=False, limit=rule.limit, unit=rule.kind.value, range=None,
        uncertain=False, reason="",
    )  # fmt: skip
    if found is None:
        return {**judged, "reason": _unfed(rule, figures)}
    always, never = rule.always_holds(found.least, found.most), rule.never_holds(found.least, found.most)
    uncertain = not (always or never)
    ranged = uncertain or MARKED.exceeded(found.value, found.least, found.most)
    return {
        **judged,
        "observed": found.value,
        "passed": always or (not never and rule.holds(found.value)),
        "range": (found.least, None if found.most == float("inf") else found.most) if ranged else None,
        "uncertain": uncertain,
    }


def _unfed(rule: Rule, figures: RunFigures) -> str:
    """Say why nothing fed ``rule``, and list the names that there are."""
    names = figures.names
    if not names:
        return "no stream was counted"
    if rule.name is not None and rule.name not in names:
        near = difflib.get_close_matches(rule.name, names, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        return f"no stream has the name {rule.name!r}{hint} Names of this run: {_listed(names)}"
    whose = "no stream" if rule.name is None else f"no stream of the name {rule.name!r}"
    fed = [name for name in names if figures.figure(name, rule.metric, rule.stat) is not None]
    others = f"; names that have it: {_listed(fed)}" if fed else ""
    return f"{whose} has a value of {rule.metric}{others}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(map(repr, names[:_MOST_NAMES])) + more
