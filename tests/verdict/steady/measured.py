"""Runs in virtual time: second reports of a service whose figures are given by second."""

import random
from collections.abc import Callable

from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.run_stats import RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.verdict.steady.measured_run import MeasuredRun
from streamgauge.verdict.steady.warm_up import read_warm_up

KEY = ("/events", "sse")
INTERVAL_S = 0.05


def second_of(t_s: int, streams: int, first_s: float, dice: random.Random, failing: int = 0) -> SecondReport:
    """A second in which ``streams`` began, had two chunks and ended, the first of them with a failure."""
    stats = StreamStats()
    for number in range(streams):
        stats.started += 1
        stats.chunks += 2
        stats.bytes += 200
        value_s = first_s * dice.lognormvariate(0, 0.1)
        stats.time_to_first_chunk.record_ns(round(value_s * 1e9))
        stats.chunk_interval.record_ns(round(INTERVAL_S * dice.lognormvariate(0, 0.05) * 1e9))
        outcome = Outcome.TRUNCATED if number < failing else Outcome.COMPLETED
        lasted_s = value_s + INTERVAL_S
        stats.end(StreamRecord(*KEY, outcome, 0.0, lasted_s, time_to_first_chunk_s=value_s, chunks=2, reason="cut"))
    part = SecondReport(t_s, active=0, all_stats={KEY: stats}, reads=2 * streams)
    part.lag.record_ns(1_000_000, max(1, 2 * streams))
    return part


def measured(
    seconds: int,
    first_s: Callable[[int], float] = lambda _: 0.02,
    *,
    warm_up: str = "",
    streams: int = 20,
    failing: Callable[[int], int] = lambda _: 0,
    processes: int = 1,
) -> tuple[RunStats, MeasuredRun]:
    """A run that has ended after ``seconds``, with a time to first chunk and failures by second."""
    whole, dice = RunStats(), random.Random(1)
    found = MeasuredRun(whole, read_warm_up(warm_up) if warm_up else None)
    for t_s in range(seconds):
        for process in range(processes):
            part = second_of(t_s, streams, first_s(t_s), dice, failing(t_s))
            found.add(f"p{process}", part, 0.95, whole.add(f"p{process}", part, 0.95))
    found.end_load(seconds)
    return whole, found
