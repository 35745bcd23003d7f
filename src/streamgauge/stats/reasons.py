"""Why streams failed: sentences and how often, the most frequent ones by name."""

from collections import Counter
from collections.abc import Mapping

#: Sentences on failures that are kept apart, the most frequent ones; rarer ones count under their outcome alone.
MAX_REASONS = 50
_OTHER_REASONS = ": other reasons"


class Reasons(Counter[str]):
    """Counts of ``outcome: sentence``, of which there may be no more than ``MAX_REASONS``."""

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
        """Count the rarest reason, of equals the oldest, among the others of its outcome: the commonest stay named."""
        named = [reason for reason in self if not reason.endswith(_OTHER_REASONS)]
        if len(named) > MAX_REASONS:
            rarest = min(named, key=self.__getitem__)
            self[rarest.partition(":")[0] + _OTHER_REASONS] += self.pop(rarest)
