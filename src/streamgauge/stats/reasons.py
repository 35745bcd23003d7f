"""The reasons why streams failed, with counts; rare reasons are pooled."""

from collections import Counter
from collections.abc import Mapping

#: How many reasons are counted separately; rarer reasons count only under their outcome.
MAX_REASONS = 50
_OTHER_REASONS = ": other reasons"


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
        """Add the rarest reason (of equally rare ones the oldest) to the other reasons of its outcome."""
        named = [reason for reason in self if not reason.endswith(_OTHER_REASONS)]
        if len(named) > MAX_REASONS:
            rarest = min(named, key=self.__getitem__)
            self[rarest.partition(":")[0] + _OTHER_REASONS] += self.pop(rarest)
