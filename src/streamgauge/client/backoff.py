"""How long a user waits after a refusal before its next stream: without a pause it would only repeat requests.

1. A stream is refused when it fails before the server begins a response, or by the response's status or type.
2. The first pause is at most ``longest_s`` / 16. Each refusal in a row doubles that, up to ``longest_s``.
3. A pause lasts between half of that and all of it, at random, so that users do not retry in step.
"""

import random
import re
from collections.abc import Callable

from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.wire.blanks import trimmed

FIRST_SHARE = 1 / 16
_SECONDS = re.compile(r"[0-9]+")


class Backoff:
    """The pauses of one user. Times are seconds on the monotonic clock."""

    def __init__(self, longest_s: float, chance: Callable[[], float] = random.random) -> None:
        self._longest_s = longest_s
        self._chance = chance
        self._at_most_s = 0.0
        self._not_before_s = float("-inf")

    def ended(self, record: StreamRecord, now_s: float) -> None:
        """Count how a stream ended. A server's ``Retry-After`` lengthens the pause, up to the longest one."""
        if not refused(record):
            if record.outcome is not Outcome.CENSORED:
                self._at_most_s, self._not_before_s = 0.0, float("-inf")
            return
        self._at_most_s = min(self._longest_s, 2 * self._at_most_s or self._longest_s * FIRST_SHARE)
        pause_s = self._at_most_s * (1 + self._chance()) / 2
        self._not_before_s = now_s + max(pause_s, min(_retry_after_s(record), self._longest_s))

    def left_s(self, now_s: float) -> float:
        """Return how long to wait until the next stream may start; 0 if it may start now."""
        return max(0.0, self._not_before_s - now_s)


def refused(record: StreamRecord) -> bool:
    """Return whether a stream failed before it began. A stream that exceeded a time limit needs no further pause."""
    if record.outcome is Outcome.STALLED or not record.failed:
        return False
    return record.status is None or record.outcome is Outcome.HTTP_ERROR


def _retry_after_s(record: StreamRecord) -> float:
    text = trimmed(record.headers.get("retry-after", ""))
    return float(text) if _SECONDS.fullmatch(text) else 0.0
