"""The open model in the process that reports a run: it makes the schedule and, as a master, divides it among workers.

A division holds from a stated moment of the schedule on. So arrivals are lost only with a worker that dies or leaves:
those that were its own until the next division. They count as dropped.
"""

import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING

from streamgauge.client.read.send_stamps import clock_name
from streamgauge.load.arrivals.arrival_options import ARRIVALS, SEED, default_cap, open_model, plan_of_rates
from streamgauge.load.arrivals.arrival_times import ConstantRate
from streamgauge.load.arrivals.hand_over import End
from streamgauge.load.arrivals.schedule import Part, Schedule, Share
from streamgauge.load.arrivals.waiting_users import LONGEST_WAIT_S
from streamgauge.load.shapes.shape_record import ShapeRecord
from streamgauge.load.users import stream_users
from streamgauge.report.run_load import Arrivals
from streamgauge.stats.run_part import RunPart

logger = logging.getLogger(__name__)

#: The schedule begins so long after the run, by whether workers have to be told, and so much later for each user: then
#: the users are there.
_LEAD_S, _LEAD_PER_USER_S = {True: 0.5, False: 0.2}, 0.0001
#: A new division among workers holds from so long on; by then it has reached them all.
CHANGE_AFTER_S = 1.5
#: A worker sends it once the schedule is over and it has served the last arrival of its own.
SERVED = "streamgauge_served"
#: A process looks this often whether it has served its last arrival.
END_LOOK_S = 0.25
#: Tells a worker the schedule and its parts of it; the new part alone when that changes. A worker that missed it asks
#: by the same name.
ARRIVALS_MESSAGE = "streamgauge_arrivals"
_SEEDS = 2**31


class OpenModel:
    """The schedule of one run, which begins when this is made, and its division among processes."""

    def __init__(self, environment: Environment, users: int, *, distributed: bool) -> None:
        spec, options = open_model(environment.parsed_options), environment.parsed_options
        assert spec is not None
        seed = SEED.value(options)
        classes = tuple((each.__name__, float(each.fixed_count or each.weight)) for each in stream_users(environment))
        plan = plan_of_rates(options, spec)
        #: The shape of the rate; None if the rate does not change.
        self.record = None if plan is None else ShapeRecord(plan)
        self.schedule = Schedule(
            spec,
            random.randrange(_SEEDS) if seed is None else seed,
            classes,
            *((plan.shape, plan.end_s) if plan is not None else ()),
        )
        self._began_s = time.monotonic()
        self.start_s = self._began_s + _LEAD_S[distributed] + users * _LEAD_PER_USER_S
        self._text = str(getattr(options, ARRIVALS.dest))
        self._end_s: float | None = None
        self._counted_from_s = 0.0
        self._shares: dict[str, Share] = {}
        #: The processes that take part now, in the order of their places.
        self._present: tuple[str, ...] = ()
        #: The arrivals that each process has reported since the counts began.
        self._reported: dict[str, int] = {}
        self._left: set[str] = set()
        #: How processes ended their parts, from those that said it.
        self._ends: dict[str, End] = {}
        logger.info("Open model: %s with --stream-seed %d", self._text, self.schedule.seed)

    @property
    def now_s(self) -> float:
        """The time of the schedule: negative before it begins; it stands still once the run has stopped."""
        return (time.monotonic() if self._end_s is None else self._end_s) - self.start_s

    def stop(self) -> None:
        """Note that no arrival starts any more."""
        if self._end_s is None:
            self._end_s = time.monotonic()

    def reset(self) -> None:
        """Count from now on."""
        self._counted_from_s = max(0.0, self.now_s)
        self._reported.clear()

    def divide(self, processes: Sequence[str]) -> dict[str, tuple[Part, bool]]:
        """Divide the schedule among ``processes``, from now on at the start and a little later during the run.

        Return each process's part and whether it is new to the run; nothing if these are the present ones. That has
        processes that no longer take part, too: one may be alive, without users or with heartbeats that were lost.
        """
        if tuple(processes) == self._present:
            return {}
        from_s = max(0.0, self.now_s + CHANGE_AFTER_S) if self._present else 0.0
        found: dict[str, tuple[Part, bool]] = {}
        for place, process in enumerate(processes):
            part = Part(from_s, place, len(processes))
            found[process] = part, process not in self._shares or process in self._left
            self._shares.setdefault(process, Share()).add(part)
        for process in set(self._present) - set(processes):
            nothing = Part(from_s, 0, 0)
            found[process] = nothing, False
            self._shares[process].add(nothing)
            self._left.add(process)
        self._left -= set(processes)
        self._present = tuple(processes)
        return found

    def shares_with(self, process: str) -> bool:
        """Whether ``process`` has a part of the schedule."""
        return process in self._shares

    def message(self, process: str) -> dict[str, Any]:
        """Return what a worker that is new to the run must know."""
        clock = {"name": clock_name(), "start_s": self.start_s, "now_s": self.now_s}
        return {"schedule": self.schedule.to_dict(), "clock": clock, "parts": self._shares[process].to_list()}

    def count(self, process: str, scheduled: int) -> None:
        """Add the arrivals that a process has reported."""
        self._reported[process] = self._reported.get(process, 0) + scheduled

    def note_end(self, process: str, end: End) -> None:
        """Note when a process ended its part of this schedule, and which arrivals it had not started by then."""
        if end.run == self.start_s:
            self._ends[process] = end

    def lost(self, unheard: set[str]) -> dict[str, int]:
        """Return the arrivals that were lost with processes that ended before the run or did not report their end.

        ``unheard`` are processes that should have reported it. A process that reported no arrival at all never learnt
        of the schedule. What was due less than ``LONGEST_WAIT_S`` before the end of the run does not count, as in
        processes that live: it might still have been started.
        """
        until_s = self.now_s - LONGEST_WAIT_S
        found = {each: self._after_end(each, end, until_s) for each, end in self._ends.items()}
        silent = {process for process in self._shares if not self._reported.get(process)}
        gone = ((unheard | self._left | silent) & self._shares.keys()) - self._ends.keys()
        if gone:
            own = self.schedule.count({each: self._shares[each] for each in gone}, self._counted_from_s, until_s)
            found |= {each: its - self._reported.get(each, 0) for each, its in own.items()}
        return {each: lost for each, lost in found.items() if lost > 0}

    def _after_end(self, process: str, end: End, until_s: float) -> int:
        """Return the arrivals before ``until_s`` that a process had not started when it ended, or that came later."""
        from_s = self._counted_from_s
        waited = sum(from_s <= at_s < until_s for at_s in end.waiting)
        if end.at_s >= until_s:
            return waited
        share = {process: self._shares[process]}
        return waited + self.schedule.count(share, max(from_s, end.at_s), until_s)[process]

    def summary(self, part: RunPart, since_s: float, last_s: int) -> Arrivals:
        """Return the arrivals of the run so far, for the result.

        ``part`` has counted them since ``since_s`` on the monotonic clock; ``last_s`` is the last second that was
        reported.
        """
        from_s, until_s = max(0.0, since_s - self.start_s), self.now_s
        if self._end_s is None:  # the last seconds have not been reported yet
            until_s = min(until_s, self._began_s + last_s + 1 - self.start_s)
        if (length_s := self.schedule.length_s) is not None:
            until_s = min(until_s, length_s)
        until_s = max(from_s, until_s)
        seconds = until_s - from_s
        scheduled = part.scheduled_arrivals
        rate = self._rate()
        wanted = rate.area(until_s) - rate.area(from_s) if rate is not None else scheduled
        return Arrivals(
            process=self._text,
            seed=self.schedule.seed,
            duration_s=seconds,
            wanted_per_s=wanted / seconds if seconds else 0.0,
            scheduled_per_s=scheduled / seconds if seconds else 0.0,
            got_per_s=(scheduled - part.dropped_arrivals) / seconds if seconds else 0.0,
        )

    def _rate(self) -> Any:
        per_s = self.schedule.spec.per_s
        shape = self.schedule.shape
        return shape if shape is not None or per_s is None else ConstantRate(per_s)


def start_of(clock: dict[str, Any], received_s: float) -> float:
    """Return when a schedule begins, on this process's monotonic clock.

    Processes of one machine share that clock, so that it is exact. On another machine the schedule is late by the time
    that the message took.
    """
    if clock["name"] == clock_name():
        return float(clock["start_s"])
    return received_s - float(clock["now_s"])


def limit_streams(environment: Environment) -> None:
    """Let ``--users`` be the most streams under way, with a default that follows the rate, in runs of the open model.

    Locust starts one user if nobody says how many; so does its form, unless it is changed.
    """
    runner = environment.runner
    assert runner is not None
    start: Callable[..., None] = runner.start
    given = getattr(environment.parsed_options, "num_users", None)

    def start_open(user_count: int, spawn_rate: float, *more: Any, **named: Any) -> None:
        spec = open_model(environment.parsed_options)
        begins = runner.state not in (STATE_SPAWNING, STATE_RUNNING)
        if spec is not None and begins and user_count == 1 and given != 1 and environment.shape_class is None:
            plan = plan_of_rates(environment.parsed_options, spec)
            user_count = default_cap(spec, None if plan is None else plan.shape)
            logger.info("At most %d streams under way; set --users for another limit", user_count)
        start(user_count, spawn_rate, *more, **named)

    runner.start = start_open  # type: ignore[method-assign]
