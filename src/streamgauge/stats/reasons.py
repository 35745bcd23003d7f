"""The reasons why streams failed, with counts; rare reasons are pooled."""

import re
from collections import Counter
from collections.abc import Mapping

#: How many reasons are counted separately; rarer reasons count only under their outcome.
MAX_REASONS = 50
#: Between a refusal and the beginning of its body.
BODY = ", body: "
#: How many bodies of one refusal are told apart.
MAX_REFUSAL_BODIES = 5
#: How many reasons one process tells apart: each is a line of Locust's own table of failures.
MAX_TOLD_APART = 200
_OTHER_REASONS = ": other reasons"
_OTHERS = _OTHER_REASONS.removeprefix(": ")
#: What differs from one body to the next and says nothing: ids, times.
_VARYING = re.compile(r"(?=[0-9A-Za-z_-]*[0-9])[0-9A-Za-z_-]{16,}|[0-9]{6,}")


class Reasons(Counter[str]):
    """Counts of ``outcome: sentence``, at most ``MAX_REASONS`` of them."""

    def count(self, reason: str, times: int = 1) -> None:
        """Count a reason."""
        new = reason not in self
        self[reason] += times
        if new and len(self) > MAX_REASONS:
            self._fold_rarest()

    def merge(self, other: Mapping[str, int]) -> None:
        """Count all reasons of ``other``."""
        for reason, times in other.items():
            self.count(reason, times)

    def _fold_rarest(self) -> None:
        """Fold the rarest reasons, of equally rare ones the oldest, until few enough are left.

        Reasons with a body go first, into the same refusal without it; others into the other reasons of their outcome.
        """
        while len(named := [reason for reason in self if not reason.endswith(_OTHER_REASONS)]) > MAX_REASONS:
            rarest = min(named, key=lambda reason: (BODY not in reason, self[reason]))
            refusal, body, _ = rarest.partition(BODY)
            into = refusal if body else rarest.partition(":")[0] + _OTHER_REASONS
            self[into] += self.pop(rarest)


class ReasonNames:
    """What reasons are counted under in one process, so that no server can make them without bound."""

    def __init__(self) -> None:
        self._bodies: Counter[str] = Counter()
        self._names: set[str] = set()

    def of(self, reason: str) -> str:
        """Return ``reason``, without ids in a refusal's body, and without the body once its refusal has had many."""
        refusal, mark, body = reason.partition(BODY)
        name = f"{refusal}{mark}{_VARYING.sub('…', body)}"
        if mark and name not in self._names:
            if self._bodies[refusal] >= MAX_REFUSAL_BODIES or len(self._names) >= MAX_TOLD_APART:
                name = refusal
            else:
                self._bodies[refusal] += 1
        if name not in self._names and len(self._names) >= MAX_TOLD_APART:
            return _OTHERS
        self._names.add(name)
        return name
