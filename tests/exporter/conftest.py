"""Slices as a load generator process makes them, and a state on a fake clock."""

import random
import threading

import pytest

from streamgauge.exporter.readings import RunLabels
from streamgauge.exporter.state import State
from streamgauge.report.build import build_result
from streamgauge.report.result import Run
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.run_stats import RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.verdict.slo.grammar import read_rules


class Clock:
    """Monotonic seconds that pass when a test says so."""

    def __init__(self):
        self.now_s = 1000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def state(clock):
    """A state with one process, ``p``, in a run."""
    state = State(threading.Lock(), clock)
    state.look(3, ("p",))
    state.begin(RunLabels("run-1", "sse", "http://host"), 1_700_000_000.5)
    return state


def random_slice(dice: random.Random, t_s: int = 0) -> SecondReport:
    """A second of three names, with chunks, ends of every kind, and lag."""
    part = SecondReport(t_s, active=0)
    for name in ("a", "b", "c"):
        stats = part.all_stats[name, "sse"] = StreamStats()
        stats.started = dice.randint(4, 8)
        for _ in range(dice.randint(1, 40)):
            stats.chunks += 1
            stats.coalesced += dice.random() < 0.1
            stats.bytes += dice.randint(1, 500)
            stats.chunk_sizes.record_all([dice.randint(0, 5000)])
            stats.time_to_first_chunk.record_ns(int(dice.lognormvariate(17, 3)))
            stats.chunk_interval.record_ns(int(dice.lognormvariate(16, 3)))
            part.lag.record_ns(dice.randint(1, 10**7))
        for _ in range(dice.randint(0, 4)):
            duration_s = dice.expovariate(1 / 20)
            stats.end(StreamRecord(name, "sse", dice.choice(list(Outcome)), 0.0, duration_s, reason="x"))
    return part


@pytest.fixture
def some_slices():
    """Twenty seconds of a run."""
    dice = random.Random(1)
    return [random_slice(dice, t_s) for t_s in range(20)]


@pytest.fixture
def slice_of():
    """A slice with one tally of name ``a``, whose counters are given."""

    def make(protocol="sse", outcomes=(), **counters):
        stats = StreamStats()
        for name, value in counters.items():
            setattr(stats, name, value)
        stats.outcomes.update(outcomes)
        return SecondReport(0, active=0, all_stats={("a", protocol): stats})

    return make


@pytest.fixture
def result_of():
    """The result of a run with a verdict and, if given, parts that processes counted."""

    def make(trust="trusted", parts=(), users=3, rules=""):
        run_stats = RunStats()
        for part in parts:
            run_stats.add("p", part, 0.9)
        run = Run(
            id="run-1", started_at="", duration_s=20.5, counted_s=20.0, host="http://host", locustfile="sse.py",
            users=users, spawn_rate=1.0, workers=1, load_model="closed", interrupted=False, versions={},
        )  # fmt: skip
        result = build_result(run, run_stats, rules=read_rules(rules))
        result["verdict"]["trust"] = trust
        return result

    return make
