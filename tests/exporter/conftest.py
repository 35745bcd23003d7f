"""Slices as a load generator process makes them, and a state on a fake clock."""

import random
import threading

import pytest

from streamgauge.exporter.state import State
from streamgauge.exporter.values import RunLabels
from streamgauge.measure.outcome import Outcome
from streamgauge.measure.record import StreamRecord
from streamgauge.measure.slice import Slice
from streamgauge.measure.tally import Tally
from streamgauge.measure.totals import RunTotals
from streamgauge.report.build import build_result
from streamgauge.report.result import Run


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


def random_slice(dice: random.Random, t_s: int = 0) -> Slice:
    """A second of three names, with chunks, ends of every kind, and lag."""
    part = Slice(t_s, active=0)
    for name in ("a", "b", "c"):
        tally = part.tallies[name, "sse"] = Tally()
        tally.started = dice.randint(4, 8)
        for _ in range(dice.randint(1, 40)):
            tally.chunks += 1
            tally.coalesced += dice.random() < 0.1
            tally.bytes += dice.randint(1, 500)
            tally.chunk_sizes.record_all([dice.randint(0, 5000)])
            tally.time_to_first_chunk.record_ns(int(dice.lognormvariate(17, 3)))
            tally.chunk_interval.record_ns(int(dice.lognormvariate(16, 3)))
            part.lag.record_ns(dice.randint(1, 10**7))
        for _ in range(dice.randint(0, 4)):
            duration_s = dice.expovariate(1 / 20)
            tally.end(StreamRecord(name, "sse", dice.choice(list(Outcome)), 0.0, duration_s, reason="x"))
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
        tally = Tally()
        for name, value in counters.items():
            setattr(tally, name, value)
        tally.outcomes.update(outcomes)
        return Slice(0, active=0, tallies={("a", protocol): tally})

    return make


@pytest.fixture
def result_of():
    """The result of a run with a verdict and, if given, parts that processes counted."""

    def make(trust="trusted", parts=(), users=3):
        totals = RunTotals()
        for part in parts:
            totals.add("p", part, 0.9)
        run = Run(
            id="run-1", started_at="", duration_s=20.5, counted_s=20.0, host="http://host", locustfile="sse.py",
            users=users, spawn_rate=1.0, workers=1, load_model="closed", interrupted=False, versions={},
        )  # fmt: skip
        result = build_result(run, totals)
        result["verdict"]["trust"] = trust
        return result

    return make
