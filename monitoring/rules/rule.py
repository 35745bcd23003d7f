"""Rules and groups of rules in Prometheus's form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from monitoring.rules.plan import Plan


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording rule. Its name is ``level:metric:operation``."""

    name: str
    expression: str

    def document(self, plan: Plan) -> dict[str, Any]:
        """Write the rule in Prometheus's form."""
        del plan
        return {"record": self.name, "expr": self.expression}


@dataclass(frozen=True, slots=True)
class Alert:
    """An alerting rule. ``summary`` is one line; ``description`` tells what was measured and what it means."""

    name: str
    severity: str
    expression: str
    summary: str
    description: str
    wait_s: float = 0
    memory_s: float = 0
    labels: Mapping[str, str] = field(default_factory=dict)

    def document(self, plan: Plan) -> dict[str, Any]:
        """Write the rule in Prometheus's form, with the address of its runbook."""
        rule: dict[str, Any] = {"alert": self.name, "expr": self.expression}
        if self.wait_s:
            rule["for"] = plan.wait(self.wait_s)
        if self.memory_s:
            rule["keep_firing_for"] = plan.wait(self.memory_s)
        return rule | {
            "labels": {"severity": self.severity, **self.labels},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": f"{plan.runbooks_url}/{self.name}.md",
            },
        }


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated in order, so that later ones can use the records of earlier ones."""

    name: str
    interval_s: float
    rules: Sequence[Recording | Alert]

    def document(self, plan: Plan) -> dict[str, Any]:
        """Write the group in Prometheus's form."""
        return {
            "name": self.name,
            "interval": plan.interval(self.interval_s),
            "rules": [rule.document(plan) for rule in self.rules],
        }
