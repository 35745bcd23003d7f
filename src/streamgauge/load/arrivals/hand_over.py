"""Runs one process's share of a schedule on gevent: one timer hands each arrival that is due to a waiting user."""

import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import gevent
from gevent import GreenletExit
from gevent.hub import Waiter

from streamgauge.load.arrivals.precise_timer import PreciseTimer
from streamgauge.load.arrivals.schedule import Arrival, Part, Schedule, Share
from streamgauge.load.arrivals.waiting_users import LONGEST_WAIT_S, ArrivalCounts, WaitingUsers

#: Whether an arrival belongs to this process is decided at most this long before it is due: the division among
#: processes may change until then.
AHEAD_S = 0.5
#: After so long a pause of the event loop another division may hold that this process has not read yet.
_SURE_FOR_S = 0.75
#: It asks for the division, and again after so long without an answer.
_ASK_EVERY_S = 1.0
#: The timer rings at least this often, to drop arrivals that have waited too long.
_LONGEST_SLEEP_S = 0.25
#: A worker that joins late walks past all earlier arrivals. It reads streams after each so many seconds of that.
_LONGEST_WALK_S = 0.002
_SKIPPED_AT_ONCE = 100


class End(NamedTuple):
    """How a process ended its part of a schedule: when, and the times of the arrivals that waited for a user then."""

    run: float | None
    at_s: float
    waiting: list[float]


class HandOver:
    """The arrivals of one process, from the start of a run to its end. Times of the schedule begin at 0."""

    def __init__(self) -> None:
        #: Asks for the division of the schedule, which :meth:`begin` gets; None where this process has all of it.
        self.ask: Callable[[], None] | None = None
        #: How the last schedule ended; None before.
        self.ended: End | None = None
        self._rang_s = 0.0
        #: When the division was asked for; None while it is known.
        self._asked_s: float | None = None
        self._waiting = WaitingUsers()
        self._schedule: Schedule | None = None
        self._share = Share()
        self._arrivals: Iterator[Arrival] = iter(())
        self._next: Arrival | None = None
        self._start_s = 0.0
        #: Which run this is; None if nobody said.
        self._run: float | None = None
        self._timer: PreciseTimer | None = None
        #: The users that have got an arrival and do not wait for another one yet; some of them may have ended.
        self._serving: set[gevent.Greenlet] = set()

    @property
    def running(self) -> bool:
        """Whether a schedule is under way."""
        return self._schedule is not None

    @property
    def served(self) -> bool:
        """Whether the schedule is over, and the users are done with all arrivals of it that this process took."""
        length_s = None if self._schedule is None else self._schedule.length_s
        if length_s is None or self.now_s < length_s or self._next is not None or self._waiting.arrivals_wait:
            return False
        return all(each.dead for each in self._serving)

    def begin(self, schedule: Schedule, start_s: float, parts: list[Part], run: float | None = None) -> None:
        """Start a schedule whose time 0 is ``start_s`` on the monotonic clock; this process takes ``parts`` of it.

        ``run`` tells runs apart. A worker that returns gets the schedule again: then only its share changes, since the
        users that wait are those of this run. Users that wait already, in a new run too, go on waiting.
        """
        if self.running and run is not None and run == self._run:
            self._share = Share(parts)
            self._asked_s = None
            if self._timer is not None:
                self._timer.set(time.monotonic())
            return
        self._stop()
        self._waiting.take()
        self._serving.clear()
        self._run = run
        self._schedule, self._start_s, self._share = schedule, start_s, Share(parts)
        self._arrivals = schedule.arrivals()
        self._next = next(self._arrivals, None)
        self._rang_s, self._asked_s = self.now_s, None
        self._timer = PreciseTimer(self._ring)
        self._timer.set(time.monotonic())

    def add_part(self, part: Part) -> None:
        """Take another part of the schedule from a later moment on."""
        self._share.add(part)

    def end(self) -> None:
        """Start no further arrivals; those that have waited too long for a user are dropped, others do not count.

        Users that wait for an arrival end at once: Locust would make a timer for each, and join them one by one.
        """
        was_running = self.running
        self._stop()
        if was_running and (waiters := self._waiting.release()):
            gevent.get_hub().loop.run_callback(_stop_users, waiters)
            gevent.sleep(0)

    def _stop(self) -> None:
        """Hand over nothing more."""
        was_running, now_s = self.running, self.now_s
        self._schedule = self._next = None
        if self._timer is not None:
            self._timer.close()
            self._timer = None
        waiting = self._waiting.end(now_s)
        if was_running:
            self.ended = End(self._run, now_s, waiting)

    def take(self) -> ArrivalCounts:
        """Return the counts since the last call."""
        if self.running:
            self._waiting.drop_expired(self.now_s)
        return self._waiting.take()

    @property
    def now_s(self) -> float:
        """The time of the schedule."""
        return time.monotonic() - self._start_s

    def _ring(self) -> None:
        """Hand over what is due, and set the timer again. Runs in the hub: users begin inside this call."""
        if self._unsure():
            self._waiting.drop_expired(self.now_s)
            if self._timer is not None:
                self._timer.set(self._start_s + self.now_s + _LONGEST_SLEEP_S)
            return
        pause_s = self.now_s + _LONGEST_WALK_S
        while (found := self._next) is not None:
            now_s = self.now_s
            if now_s > pause_s and found.at_s < now_s - LONGEST_WAIT_S and self._timer is not None:
                self._timer.set(self._start_s + now_s)  # go on once the hub has done what else is due
                return
            if found.at_s > now_s + AHEAD_S:
                break
            if found.at_s < self._share.begins_s:
                self._skip(min(self._share.begins_s, now_s + AHEAD_S))
                continue
            if self._share.has(found):
                if found.at_s > now_s:
                    break
                self._waiting.due(found, now_s)
                if not self.running:  # a user that began has ended the run
                    return
            self._next = next(self._arrivals, None)
        now_s = self.now_s
        self._waiting.drop_expired(now_s)
        if self._timer is not None:
            ring_s = now_s + _LONGEST_SLEEP_S if found is None else min(found.at_s, now_s + _LONGEST_SLEEP_S)
            self._timer.set(self._start_s + ring_s)

    def _unsure(self) -> bool:
        """Whether other processes may have taken arrivals of this one, which was frozen; ask whether they have."""
        now_s, before_s = self.now_s, self._rang_s
        self._rang_s = now_s
        if self.ask is None or (self._asked_s is None and now_s - before_s < _SURE_FOR_S):
            return False
        if self._asked_s is None or now_s - self._asked_s > _ASK_EVERY_S:
            self._asked_s = now_s
            gevent.spawn(self.ask)  # sending may have to wait, which the hub cannot
        return True

    def _skip(self, until_s: float) -> None:
        """Skip some arrivals before ``until_s``: none of them is this process's."""
        for found in islice(self._arrivals, _SKIPPED_AT_ONCE):
            if found.at_s >= until_s:
                self._next = found
                return
        self._next = next(self._arrivals, None)

    def wait(self, user_class: str) -> tuple[Arrival, float]:
        """Wait, in a user's greenlet, for the user's next arrival. Return it, and how late it is in seconds."""
        user = gevent.getcurrent()
        if (found := self._waiting.next(user_class, self.now_s)) is not None:
            self._serving.add(user)
            return found, self._waiting.started(found, self.now_s, waited=True)
        self._serving.discard(user)
        waiter: Waiter[Arrival] = Waiter()
        self._waiting.add(user_class, waiter, waiter.switch)
        try:
            found = waiter.get()
        finally:
            self._waiting.remove(user_class, waiter)
        self._serving.add(user)
        return found, self._waiting.started(found, self.now_s, waited=False)


def _stop_users(waiters: list[Any]) -> None:
    """Let users end, as Locust itself ends users that wait. Runs in the hub."""
    for waiter in waiters:
        waiter.throw(GreenletExit())
