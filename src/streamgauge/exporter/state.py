"""The state that a scrape shows: counters of the whole process, and the run that continues or has just ended.

The event loop writes, and the thread of the exposition reads. One lock protects both, and is never held for long.
Counters continue over resets and from run to run, so that they never fall: a run is their increase.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager

from streamgauge.exporter.counts import Kept, NameCounts, ProcessCounts
from streamgauge.exporter.readings import Readings, RunLabels, Value
from streamgauge.exporter.result_gauges import RUNS, result_readings
from streamgauge.report.result import Result
from streamgauge.stats.clocks.alignment import Pair
from streamgauge.stats.names import MOST_NAMES, OTHER_NAMES
from streamgauge.stats.process_stats import Key
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.verdict.slo.judgement import JudgedRule
from streamgauge.verdict.trust import Trust

#: A run is shown this long after its end, so that a Prometheus that scrapes once a minute sees it.
KEPT_S = 90.0
#: The metric of what a shape wants, by its unit.
WANTED = {"users": "stream_client_wanted_users", "streams/s": "stream_client_wanted_arrivals_per_second"}
TRUST = {"trusted": 2, "degraded": 1, "invalid": 0}


class _Run:
    """The current run, or the last one."""

    def __init__(self, labels: RunLabels, started_at_s: float, begun_s: float) -> None:
        self.labels = labels
        self.started_at_s = started_at_s
        self.begun_s = begun_s
        self.trust: Trust | None = None
        #: Whether each SLO rule holds so far; without those that have no data yet.
        self.slo: dict[str, bool] = {}
        self.ended_s: float | None = None
        #: What the shape of the run wants now, by metric.
        self.wanted: dict[str, float] = {}
        #: Streams under way, by process.
        self.active: dict[str, Counter[Key]] = {}
        self._pairs: dict[tuple[str, str], Pair] = {}

    def count(self, process: str, key: Key, stats: StreamStats) -> None:
        """Count the streams that began and ended."""
        self.active.setdefault(process, Counter())[key] += stats.started - stats.finished

    def drop(self, process: str) -> None:
        """Drop the state of ``process``, which has been gone for long."""
        self.active.pop(process, None)
        for pair in [pair for pair in self._pairs if pair[0] == process]:
            del self._pairs[pair]

    def under_way(self, processes: Iterable[str]) -> Counter[Key]:
        """Return the streams under way in ``processes``; streams of a process that is gone do not count."""
        found = Counter[Key]()
        for process in processes:
            found.update(+self.active.get(process, Counter()))  # after ``drop``, a count may be below 0
        return found

    def pairs(self, process: str, key: Key, part: SecondReport) -> Iterator[Pair]:
        """Add this second to the clocks that stamped chunks of ``key``; yield those with new delays."""
        for clock, raw in part.all_stats[key].delays.items():
            stepped = part.clock_steps > 0 and raw.same_clock  # as in the totals of the run
            if not stepped:
                pair = self._pairs.setdefault((process, clock), Pair())
                pair.add(key, raw, part.wall_offset_ns)
                if raw.low is not None:
                    yield pair


class State:
    """All values. ``lock`` protects them, since one thread writes and another one reads."""

    def __init__(self, lock: AbstractContextManager[object], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._lock = lock
        self._monotonic = monotonic
        self._names: dict[Key, NameCounts] = {}
        #: Names, each with a protocol, that have no series of their own: those that came here, and the others' number.
        self._left_out: set[Key] = set()
        self._left_out_before = 0
        self._results: deque[Readings] = deque(maxlen=RUNS)
        self._by_process: dict[str, ProcessCounts] = {}
        self._run: _Run | None = None
        self._users = 0
        self._processes: frozenset[str] = frozenset()

    def begin(self, labels: RunLabels, started_at_s: float) -> None:
        """Note that a run starts, at a Unix time."""
        with self._lock:
            self._run = _Run(labels, started_at_s, self._monotonic())
            self._left_out.clear()
            self._left_out_before = 0
            if len(self._names) >= MOST_NAMES:
                self._names = {key: counts for key, counts in self._names.items() if self._shown(counts.ended_s)}
            self._by_process = {worker: lag for worker, lag in self._by_process.items() if self._shown(lag.ended_s)}

    def add(self, process: str, parts: Iterable[SecondReport]) -> None:
        """Add the second reports of a process."""
        for part in parts:
            with self._lock:
                self._add(process, part)

    def _add(self, process: str, part: SecondReport) -> None:
        run = self._run
        if run is None or run.ended_s is not None:
            return
        self._left_out_before += part.names_left_out
        for key, stats in part.all_stats.items():
            shown = self._shown_as(key)
            run.count(process, shown, stats)
            counts = self._names.setdefault(shown, NameCounts(shown[1]))
            counts.ended_s = None
            counts.add(stats)
            for pair in run.pairs(process, key, part):
                counts.add_delays(pair.newest(key))
        counted = self._by_process.setdefault(process, ProcessCounts())
        counted.ended_s = None
        counted.add(part)

    def _shown_as(self, key: Key) -> Key:
        """Return the key itself or, if ``MOST_NAMES`` others have series (about 100 each), that of the other names."""
        if key[0] == OTHER_NAMES or key in self._names or len(self._names) < MOST_NAMES:
            return key
        self._left_out.add(key)
        return OTHER_NAMES, key[1]

    def end(self, result: Result | None) -> None:
        """Note that the run has ended, with its result; None if there is nothing to report."""
        with self._lock:
            if (run := self._run) is None:
                return
            run.slo = {rule["rule"]: rule["passed"] for rule in (result["verdict"]["slo"] if result else ())}
            run.trust, run.ended_s = (result["verdict"]["trust"] if result else None), self._monotonic()
            if result is not None:
                self._results.append(result_readings(run.labels, result))
            run.active.clear()
            run.wanted.clear()
            kept: tuple[Kept, ...] = (*self._names.values(), *self._by_process.values())
            for each in kept:
                if each.ended_s is None:
                    each.end(run.ended_s)

    def judge(self, trust: Trust) -> None:
        """Store the verdict so far."""
        with self._lock:
            if self._run is not None and self._run.ended_s is None:
                self._run.trust = trust

    def judge_rules(self, rules: Iterable[JudgedRule]) -> None:
        """Store how the SLO rules stand."""
        held = {rule["rule"]: rule["passed"] for rule in rules if rule["observed"] is not None}
        with self._lock:
            if self._run is not None and self._run.ended_s is None:
                self._run.slo = held

    def want(self, unit: str | None, level: float | None) -> None:
        """Store what the shape of the run wants now, in its unit; None for a run without one, and after its end."""
        with self._lock:
            if self._run is not None and self._run.ended_s is None:
                self._run.wanted = {} if unit is None or level is None else {WANTED[unit]: level}

    def look(self, users: int, processes: Collection[str]) -> None:
        """Store how many users run, and which processes are connected."""
        with self._lock:
            self._users, self._processes = users, frozenset(processes)
            self._drop_gone_processes()

    def _drop_gone_processes(self) -> None:
        """Drop a process that has been gone for ``KEPT_S``; another one with a new id may follow."""
        run, now_s = self._run, self._monotonic()
        if run is None or run.ended_s is not None:
            return
        for process, lag in list(self._by_process.items()):
            if process in self._processes:
                lag.ended_s = None
            elif lag.ended_s is None:
                lag.end(now_s)
            elif not self._shown(lag.ended_s):
                del self._by_process[process]
                run.drop(process)

    @property
    def ended(self) -> tuple[float, float] | None:
        """Monotonic seconds of the last run's start and end; None before the first run and during a run."""
        run = self._run
        return None if run is None or run.ended_s is None else (run.begun_s, run.ended_s)

    def _shown(self, ended_s: float | None) -> bool:
        return ended_s is None or self._monotonic() - ended_s < KEPT_S

    def read(self) -> Readings:
        """Return the values to show now."""
        with self._lock:
            readings: Readings = {
                "stream_client_users": [((), self._users)],
                "stream_client_workers": [((), len(self._processes))],
                "stream_client_names_left_out": [((), len(self._left_out) + self._left_out_before)],
            }
            for result in self._results:
                for metric, values in result.items():
                    readings.setdefault(metric, []).extend(values)
            if (run := self._run) is not None and self._shown(run.ended_s):
                readings |= _of_run(run)
            active = run.under_way(self._processes) if run is not None else Counter[Key]()
            for key, counts in self._names.items():
                if self._shown(counts.ended_s) and (counts.started or active[key]):
                    _add_name(readings, key, counts, active[key])
            shown = [(worker, counts) for worker, counts in self._by_process.items() if self._shown(counts.ended_s)]
            readings["stream_client_generator_lag_seconds"] = [
                ((worker,), counts.seconds.copy()) for worker, counts in shown
            ]
            for worker, of_process in shown:
                for metric, value in of_process.counters.items():
                    readings.setdefault(metric, []).append(((worker,), value))
        return readings


def _of_run(run: _Run) -> Readings:
    readings: Readings = {
        "stream_client_run_info": [(run.labels, 1)],
        "stream_client_run_start_timestamp_seconds": [(run.labels, run.started_at_s)],
    }
    for metric, level in run.wanted.items():
        readings[metric] = [((), level)]
    if run.slo:
        readings["stream_client_slo_passed"] = [((rule,), int(passed)) for rule, passed in run.slo.items()]
    if run.trust is not None:
        readings["stream_client_trust"] = [(run.labels, TRUST[run.trust])]
    return readings


def _add_name(readings: Readings, key: Key, counts: NameCounts, active: int) -> None:
    values: dict[str, Value] = {
        "stream_client_started_total": counts.started,
        "stream_client_active": active,
        **counts.counters,
        **counts.shown(),
    }
    for metric, value in values.items():
        readings.setdefault(metric, []).append((key, value))
    finished = readings.setdefault("stream_client_finished_total", [])
    finished.extend(((*key, outcome), times) for outcome, times in counts.outcomes.items())
