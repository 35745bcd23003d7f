"""Plays streams that were recorded beforehand into a process's measuring, and writes down what the run came to.

Each process plays its share of the same streams: all of them where there is one, those of its number where there are
workers. Everything after the chunk timer is as in any run: second reports, reports to the master, the run report.
"""

import dataclasses
import json
import os
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from random import Random
from typing import Any

import gevent
from locust import User, task
from locust.runners import WorkerRunner

from streamgauge.client.read.timing import ChunkTimer
from streamgauge.load.plugin import process_meter_of
from streamgauge.load.run.run_report import RunReport
from streamgauge.stats.bounded_times import BoundedTimes
from streamgauge.stats.clocks.arrival import ArrivalClock
from streamgauge.stats.clocks.raw_delays import RawDelays
from streamgauge.stats.histogram import Histogram
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord

STREAMS = int(os.environ["REPLAY_STREAMS"])
PROCESSES = int(os.environ["REPLAY_PROCESSES"])
TOTALS = Path(os.environ["REPLAY_TOTALS"])
NAMES = (("events", "sse"), ("lines", "ndjson"), ("chat", "openai"))
#: On the monotonic clock: what comes after the begin of any run, since what came before it is forgotten.
BEGIN_NS = 10**17
#: The wall clock minus the monotonic one, as all processes of one machine have it.
OFFSET_NS = 1_700_000_000 * 10**9
#: Chunks that each stream is played on by in a round, and the pause after that: a process plays for some seconds.
STRETCH, PAUSE_S = 8, 0.4
SERVER_CLOCK = "0123456789abcdef"


class Recorded:
    """One stream: all that happens to it follows from its number."""

    def __init__(self, number: int, process_context: Any) -> None:
        self._dice = Random(number)
        self._name, self._protocol = self._dice.choice(NAMES)
        self._process_stats = process_context.process_stats
        self._now_ns = BEGIN_NS + number * 1_234_567
        self._stats = self._process_stats.begin(self._name, self._protocol)
        self._timer = ChunkTimer(self._stats, self._now_ns, stall_ns=10**9)

    def play(self) -> Iterator[None]:
        """Play it to its end; each step is a stretch of chunks."""
        dice = self._dice
        for at in range(dice.randrange(4, 60)):
            floor_ns = self._now_ns
            self._now_ns += round(dice.lognormvariate(16, 2.5))  # 9 ms, from some µs to seconds
            self._process_stats.lag.record_ns(dice.randrange(200_000))
            self._chunks(dice, floor_ns)
            if at % STRETCH == STRETCH - 1:
                yield
        self._end(dice)

    def _chunks(self, dice: Random, floor_ns: int) -> None:
        count, exact = (dice.randrange(2, 6), dice.random() < 0.5) if dice.random() < 0.2 else (1, True)
        if count == 1:
            self._timer.chunk(self._now_ns)
        else:
            self._timer.coalesced_chunks(count, floor_ns, self._now_ns, last_is_exact=exact)
        for _ in range(count):
            size_bytes, sent_ns = dice.randrange(10, 5_000), self._now_ns + OFFSET_NS - dice.randrange(40_000_000)
            self._stats.bytes += size_bytes
            self._stats.chunk_sizes.record_all([size_bytes])
            if count == 1:
                self._raw_delays().chunk(self._now_ns, sent_ns)
            else:
                self._raw_delays().coalesced_chunk(floor_ns, self._now_ns, sent_ns)

    def _raw_delays(self) -> RawDelays:
        raw: RawDelays | None = self._stats.delays.get(SERVER_CLOCK)
        if raw is None:
            raw = self._stats.delays[SERVER_CLOCK] = RawDelays(same_clock=True, hint_ns=-OFFSET_NS)
        return raw

    def _end(self, dice: Random) -> None:
        timer = self._timer
        outcome = dice.choices(list(Outcome), [40, *[2] * (len(Outcome) - 1)])[0]
        tokens = timer.chunks * 2 if self._protocol == "openai" else None
        token_s = None if tokens is None else dice.random() / 10
        uncertain = token_s is not None and dice.random() < 0.5
        first_s = None if timer.first_ns is None else (timer.first_ns - timer.start_ns) / 1e9
        record = StreamRecord(
            self._name, self._protocol, outcome, timer.start_ns / 1e9, (self._now_ns - timer.start_ns) / 1e9,
            time_to_first_chunk_s=first_s, start_delay_s=(first_s or 0.0) * dice.random() / 2,
            time_to_first_chunk_range_s=(first_s * 0.9, first_s * 1.1) if first_s and dice.random() < 0.5 else None,
            heartbeats=dice.randrange(5), lost=dice.randrange(3), repeated=dice.randrange(3),
            out_of_order=dice.randrange(3), beyond_window=dice.randrange(3), tokens=tokens,
            time_per_output_token_s=token_s, reconnects=dice.randrange(3),
            time_per_output_token_range_s=(token_s / 2, token_s * 2) if uncertain else None,
            reason=dice.choice(["one reason", "another"]),
        )  # fmt: skip
        self._process_stats.end(self._stats, record)


class Replayer(User):
    """The only user of its process: plays its share once, and then waits for the end of the run."""

    played = False

    @task
    def play(self) -> None:
        if self.played:
            gevent.sleep(0.1)
            return
        self.played = True
        runner, process_context = self.environment.runner, process_meter_of(self.environment).process_context
        first = runner.worker_index if isinstance(runner, WorkerRunner) else 0
        process_context.clock = ArrivalClock(wall=lambda: OFFSET_NS, monotonic=lambda: 0)
        streams = [Recorded(number, process_context).play() for number in range(first, STREAMS, PROCESSES)]
        for _ in zip_longest(*streams):
            gevent.sleep(PAUSE_S)


def plain(histogram: Histogram) -> list[Any]:
    return json.loads(json.dumps(histogram.to_sorted()))


def parts(times: BoundedTimes) -> dict[str, Any]:
    return {part: plain(getattr(times, part)) for part in times.PARTS}


def written(run_report: RunReport, close: Any = RunReport.close) -> Any:
    """Close the report, and write down every histogram and count of it."""
    run_stats = run_report.run_stats
    found: dict[str, Any] = {"lag": plain(run_stats.lag)}
    for (name, _), stats in run_stats.all_stats.items():
        found |= {f"{name} {part}": value for part, value in stats.to_dict().items() if not isinstance(value, dict)}
        for field in dataclasses.fields(stats):
            value = getattr(stats, field.name)
            if isinstance(value, Histogram):
                found[f"{name} {field.name}"] = plain(value)
            elif isinstance(value, BoundedTimes):
                found |= {f"{name} {field.name} {part}": each for part, each in parts(value).items()}
    for (name, _), delays in run_stats.delays.results().items():
        found |= {f"{name} delay {part}": each for part, each in parts(delays.delays).items()}
    found["second_reports"] = sum(each.seconds for each in run_stats.processes.values())
    TOTALS.write_text(json.dumps(found))
    return close(run_report)


RunReport.close = written  # type: ignore[method-assign]
