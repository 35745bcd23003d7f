"""Hands arrivals that are due to users that wait for one, and counts those that start late or never.

No clock and no event loop here: the caller says what time it is, in seconds since the start of the schedule.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from streamgauge.load.arrivals.schedule import Arrival

#: A stream that starts this much after its schedule counts as late.
LATE_S = 0.010
#: An arrival waits this long for a user that becomes free; then it is dropped.
LONGEST_WAIT_S = 1.0


@dataclass(slots=True)
class ArrivalCounts:
    """What became of the arrivals since the last look."""

    scheduled: int = 0
    """Started or dropped; those that still wait for a user do not count yet."""
    late: int = 0
    """Started more than ``LATE_S`` after their schedule."""
    capped: int = 0
    """Of the late ones those that waited because no user was free."""
    dropped: int = 0


class WaitingUsers:
    """The users of a process that wait for an arrival, and the arrivals that wait for a user."""

    def __init__(self) -> None:
        self.counts = ArrivalCounts()
        self._users: defaultdict[str, dict[Hashable, Callable[[Arrival], None]]] = defaultdict(dict)
        self._arrivals: defaultdict[str, deque[Arrival]] = defaultdict(deque)

    def due(self, arrival: Arrival, now_s: float) -> None:
        """Hand over an arrival whose time has come, or let it wait for a user of its class.

        The user that became free last gets it: its connection is most likely still open.
        """
        if users := self._users[arrival.user_class]:
            self.counts.scheduled += 1
            _, start = users.popitem()
            start(arrival)
        else:
            self._arrivals[arrival.user_class].append(arrival)
            self.drop_expired(now_s)

    def add(self, user_class: str, key: Hashable, start: Callable[[Arrival], None]) -> None:
        """Let a user wait; ``start`` is called with its arrival."""
        self._users[user_class][key] = start

    def remove(self, user_class: str, key: Hashable) -> None:
        """Let a user wait no longer, if it still does."""
        self._users[user_class].pop(key, None)

    @property
    def arrivals_wait(self) -> bool:
        """Whether any arrival waits for a user."""
        return any(self._arrivals.values())

    def release(self) -> list[Hashable]:
        """Return the keys of the users that wait, which wait no longer."""
        keys = [key for users in self._users.values() for key in users]
        self._users.clear()
        return keys

    def next(self, user_class: str, now_s: float) -> Arrival | None:
        """Return the arrival that has waited longest for a user of this class; None if none waits."""
        self.drop_expired(now_s)
        if not (waiting := self._arrivals[user_class]):
            return None
        self.counts.scheduled += 1
        return waiting.popleft()

    def started(self, arrival: Arrival, now_s: float, *, waited: bool) -> float:
        """Count an arrival whose user begins now. Return how late it is, in seconds."""
        delay_s = max(0.0, now_s - arrival.at_s)
        if delay_s > LATE_S:
            self.counts.late += 1
            self.counts.capped += waited
        return delay_s

    def drop_expired(self, now_s: float) -> None:
        """Drop the arrivals that have waited too long."""
        for waiting in self._arrivals.values():
            while waiting and waiting[0].at_s < now_s - LONGEST_WAIT_S:
                waiting.popleft()
                self.counts.scheduled += 1
                self.counts.dropped += 1

    def end(self, now_s: float) -> list[float]:
        """Let no arrival wait any longer: the run ends. Return the times of those that waited.

        An arrival that has not yet waited for ``LONGEST_WAIT_S`` might still have found a user. It does not count at
        all, like the arrivals after the end.
        """
        self.drop_expired(now_s)
        left = [each.at_s for waiting in self._arrivals.values() for each in waiting]
        self._arrivals.clear()
        return left

    def take(self) -> ArrivalCounts:
        """Return the counts since the last call."""
        taken, self.counts = self.counts, ArrivalCounts()
        return taken
