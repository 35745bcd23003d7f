"""Measures one load generator process: owns the context of its streams, and reports each second of a run."""

import gc
import time
from weakref import WeakKeyDictionary

import psutil
from locust.env import Environment

from streamgauge.client.reactor import Watch
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.load.arrivals.hand_over import HandOver
from streamgauge.load.hub_reactor import HubReactor
from streamgauge.stats.histogram import Histogram
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.stats.second_report import SecondReport

#: The event loop polls this often even if nothing arrives: this bounds when a coalesced chunk can have arrived. Each
#: turn costs an idle process at least 20 µs, so turns are frequent only while chunks are coalesced. A turn also checks
#: whether the process was stopped, which its CPU times do not show.
TURN_S = 0.010
QUICK_TURN_S = 0.002
SECOND_S = 1.0
#: The garbage collector's thresholds during a run: with many users, a full collection stops the event loop for long. A
#: collection of 50 000 young objects takes 20 ms, and the next streams would start as late; one of 5 000 takes 2 ms.
COLLECT_AFTER = (5_000, 200, 100)
#: A turn may be late by this much without the process having been stopped: timers have slack.
_SLACK_S = 0.001


class ProcessMeter:
    """Measures one process. ``second_reports`` holds the reports that have not been taken yet."""

    def __init__(self) -> None:
        reactor = HubReactor()
        self.process_context = ProcessContext(ProcessStats(), reactor)
        self.second_reports: list[SecondReport] = []
        #: Hands the arrivals of an open model to users.
        self.hand_over = HandOver()
        self._reactor = reactor
        self._process = psutil.Process()
        self._collect_after = gc.get_threshold()
        self._machine = psutil.cpu_times()
        self._watches: list[Watch] = []
        self._turn_s = TURN_S
        self._begin_s = self._turned_s = self._cut_s = 0.0
        self._cpu_s = self._ran_s = 0.0
        self._hub_lag = Histogram()
        self._longest_pause_s = self._stopped_s = self._longest_stopped_s = 0.0
        self._waited_s = 0.0
        #: While Locust stops its users: the lag up to the stop; None otherwise.
        self._lag_before_stop: Histogram | None = None
        #: By user class, the options that ``StreamUser.play`` has used in this run.
        self.options_used: dict[str, set[str]] = {}
        self._refusal_pauses, self._refusal_pause_s = 0, 0.0

    @property
    def running(self) -> bool:
        """Whether a run is being measured."""
        return bool(self._watches)

    def begin(self, *, late: bool = False) -> None:
        """Start measuring a new run; drop what is left of the last one.

        ``late``: users started before this process was ready to measure. What they have counted belongs to the run.
        """
        self.end()
        self._lag_before_stop = None  # a stop that was still under way at the end was of the last run
        if not late:
            self.process_context.process_stats.reset()
            self.options_used.clear()
        self._clear()
        gc.collect()
        gc.freeze()  # all current objects live for the whole run, so collections can skip them
        gc.set_threshold(*COLLECT_AFTER)
        self._begin_s = self._turned_s = self._cut_s = time.monotonic()
        self._ran_s = self._ran_or_waited_s()
        self._machine = psutil.cpu_times()
        self._watches = [self._reactor.every(SECOND_S, self.cut), self._reactor.every(self._turn_s, self._turn)]

    def reset(self) -> None:
        """Forget everything counted so far. Streams under way go on; their further chunks and their ends count."""
        self.process_context.process_stats.reset()
        self._clear()

    def _clear(self) -> None:
        """Drop what the process has measured of itself, and seconds that no one has taken."""
        self.second_reports.clear()
        self.hand_over.take()
        self._start_second(self._used_cpu_s(), self._waited_so_far_s())

    def _start_second(self, cpu_s: float, waited_s: float) -> None:
        """Begin a second at nothing, when the process had used ``cpu_s`` of CPU and waited ``waited_s`` for one."""
        clock = self.process_context.clock
        clock.reads = clock.fallbacks = clock.steps = 0
        self._hub_lag = Histogram()
        self._longest_pause_s = self._stopped_s = self._longest_stopped_s = 0.0
        self._refusal_pauses, self._refusal_pause_s = 0, 0.0
        self._cut_by_shape = 0
        self._cpu_s, self._waited_s = cpu_s, waited_s

    def paused(self, for_s: float) -> None:
        """Count the pause of a user after refusals."""
        self._refusal_pauses += 1
        self._refusal_pause_s += for_s

    def cut_by_shape(self) -> None:
        """Count a stream that is cut short since a shape has removed its user."""
        self._cut_by_shape += 1

    @property
    def served(self) -> bool:
        """Whether the schedule of the run is over, and so are all streams of this process."""
        return self.hand_over.served and not self.process_context.process_stats.active

    def leave_out_stop(self) -> None:
        """Measure nothing of this process while Locust stops its users, until the event loop turns in time again.

        Locust makes a timer for each user in one go, a third of a second for 10 000. Meanwhile no stream is read, and
        none starts either: reads that are late have the kernel's stamps, and no request is delayed.
        """
        if self.running and self._lag_before_stop is None:
            self._turn()
            self._lag_before_stop = Histogram()
            self._lag_before_stop.swap(self.process_context.process_stats.lag)

    def _end_of_stop(self) -> None:
        """Measure again, without the lag of what was read meanwhile."""
        if self._lag_before_stop is not None:
            self.process_context.process_stats.lag.swap(self._lag_before_stop)
            self._lag_before_stop = None

    def end(self) -> None:
        """Stop measuring, after a last report."""
        if self.running:
            self.cut()
            gc.unfreeze()
            gc.set_threshold(*self._collect_after)
        while self._watches:
            self._watches.pop().stop()

    def cut(self) -> None:
        """Make a second report of what was counted since the last report."""
        self._turn()
        stopping = self._lag_before_stop is not None
        self._end_of_stop()
        now_s, cpu_s, waited_s = time.monotonic(), self._used_cpu_s(), self._waited_so_far_s()
        elapsed_s = now_s - self._cut_s
        process_stats, clock = self.process_context.process_stats, self.process_context.clock
        all_stats, lag = process_stats.take()
        arrivals = self.hand_over.take()
        self.second_reports.append(
            SecondReport(
                t_s=max(0, round(now_s - self._begin_s) - 1),
                active=process_stats.active,
                all_stats=all_stats,
                lag=lag,
                hub_lag=self._hub_lag,
                reads=clock.reads,
                fallbacks=clock.fallbacks,
                clock_steps=clock.steps,
                wall_offset_ns=clock.wall_offset_ns,
                cpu=(cpu_s - self._cpu_s) / elapsed_s if elapsed_s > SECOND_S / 2 else 0.0,
                longest_pause_s=self._longest_pause_s,
                waited_s=waited_s - self._waited_s,
                stopped_s=max(self._stopped_s, self._stolen_share() * elapsed_s),
                longest_stopped_s=self._longest_stopped_s,
                scheduled_arrivals=arrivals.scheduled,
                late_starts=arrivals.late,
                capped_starts=arrivals.capped,
                dropped_arrivals=arrivals.dropped,
                cut_by_shape=self._cut_by_shape,
                refusal_pauses=self._refusal_pauses,
                refusal_pause_s=self._refusal_pause_s,
                names_left_out=process_stats.names.take_left_out(),
                options_used={name: sorted(used) for name, used in self.options_used.items()},
            )
        )
        self._start_second(cpu_s, waited_s)
        self._cut_s = now_s
        if stopping:
            self._lag_before_stop = Histogram()
        coalesced = any(stats.coalesced for stats in all_stats.values())
        gathering = bool(self._reactor.gathering_for_s)  # then the loop polls by itself
        self._pace(QUICK_TURN_S if coalesced and not gathering else TURN_S)

    def _pace(self, turn_s: float) -> None:
        """Set the interval of the turns."""
        if turn_s != self._turn_s and self.running:
            self._watches.pop().stop()
            self._watches.append(self._reactor.every(turn_s, self._turn))
            self._turned_s = time.monotonic()
        self._turn_s = turn_s

    def take(self) -> list[SecondReport]:
        """Return the second reports since the last call."""
        taken, self.second_reports = self.second_reports, []
        return taken

    def _turn(self) -> None:
        now_s, ran_s = time.monotonic(), self._ran_or_waited_s()
        pause_s = now_s - self._turned_s
        late_s = pause_s - self._turn_s
        stopped_s = late_s - (ran_s - self._ran_s)
        if self._lag_before_stop is not None:
            self._turned_s, self._ran_s = now_s, ran_s
            if late_s <= self._turn_s:
                self._end_of_stop()
            return
        self._hub_lag.record_ns(int(late_s * 1e9))
        if pause_s > self._longest_pause_s:
            self._longest_pause_s = pause_s
        if stopped_s > _SLACK_S:
            self._stopped_s += stopped_s
            self._longest_stopped_s = max(self._longest_stopped_s, stopped_s)
        self._turned_s, self._ran_s = now_s, ran_s
        if not self._reactor.gathering_for_s:  # otherwise it polls by itself, and more often
            self._reactor.poll()

    def _stolen_share(self) -> float:
        """Return the share of this machine's time that the hypervisor gave to other machines since the last call."""
        before, now = self._machine, psutil.cpu_times()
        self._machine = now
        passed_s = sum(now) - sum(before)
        return (getattr(now, "steal", 0.0) - getattr(before, "steal", 0.0)) / passed_s if passed_s > 0 else 0.0

    def _waited_so_far_s(self) -> float:
        return self.process_context.cpu_waited_ns() / 1e9

    def _ran_or_waited_s(self) -> float:
        """Return for how long this thread has run or waited for a CPU so far."""
        return time.thread_time() + self._waited_so_far_s()

    def _used_cpu_s(self) -> float:
        used = self._process.cpu_times()
        return float(used.user + used.system)


_meters: "WeakKeyDictionary[Environment, ProcessMeter]" = WeakKeyDictionary()


def process_meter_of(environment: Environment) -> ProcessMeter:
    """Return the meter of this process. It is made at first use: Locust forks workers after reading the locustfile."""
    if environment not in _meters:
        _meters[environment] = ProcessMeter()
    return _meters[environment]
