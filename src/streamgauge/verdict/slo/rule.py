"""One SLO rule: which figure of a run it is about, and what that figure must be."""

import operator
from collections.abc import Callable
from dataclasses import dataclass

from streamgauge.verdict.slo.ruled_metrics import METRICS, Kind

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_OPPOSITES = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it was written, and its parts."""

    text: str
    name: str | None
    """The name of the streams that it is about; None for all streams together."""
    metric: str
    stat: str
    operator: str
    limit: float
    """In the base unit of its kind: seconds, a share of one, bytes, a number."""

    @property
    def kind(self) -> Kind:
        """What its figure is a number of."""
        return METRICS[self.metric].stats[self.stat]

    def holds(self, value: float) -> bool:
        """Whether ``value`` is what the rule asks for."""
        return OPERATORS[self.operator](value, self.limit)

    def always_holds(self, least: float, most: float) -> bool:
        """Whether every value from ``least`` to ``most`` is what the rule asks for."""
        return _always(self.operator, least, most, self.limit)

    def never_holds(self, least: float, most: float) -> bool:
        """Whether no value from ``least`` to ``most`` is what the rule asks for."""
        return _always(_OPPOSITES[self.operator], least, most, self.limit)


def _always(sign: str, least: float, most: float, limit: float) -> bool:
    if sign == "!=":
        return not least <= limit <= most
    return OPERATORS[sign](least, limit) and OPERATORS[sign](most, limit)
