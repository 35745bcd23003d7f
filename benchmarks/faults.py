"""Checks that each failure of a stream gets the right outcome, with thousands of streams from a faulty source.

The table in ``benchmarks.testbed.behaviours`` lists the source's behaviours and the outcome that each should get.
Streams of all behaviours are mixed at random. Each user runs one stream after the other and reuses its connection if
possible, as Locust's users do. If a stream gets another outcome, it is misclassified, and the exit status is 1.
"""

import argparse
import random
import resource
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from benchmarks.testbed import behaviours, machine
from benchmarks.testbed.fault_parts import MAX_EVENT_BYTES
from benchmarks.testbed.options import add_output, whole, write_figures
from benchmarks.testbed.server import Server
from streamgauge.client.connect.target import target_of
from streamgauge.client.exchange import Exchange
from streamgauge.client.http.request import Request
from streamgauge.client.plan import Limits, StreamPlan
from streamgauge.client.reactor import SelectorReactor
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.session import Session
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.stats.record import StreamRecord
from streamgauge.wire.ndjson import NDJSON
from streamgauge.wire.rules import read_end
from streamgauge.wire.sse import SSE

SCHEMA = "streamgauge.benchmark.faults/1"
#: For streams that should not stall: long, since a busy machine may delay them.
LIMITS = Limits(first_chunk_timeout_s=60.0, idle_timeout_s=60.0, max_chunk_bytes=MAX_EVENT_BYTES)
#: For streams that should stall: short, so that the stall is found soon.
STALLING = Limits(first_chunk_timeout_s=2.0, idle_timeout_s=2.0, max_chunk_bytes=MAX_EVENT_BYTES)
ENDLESS = Limits(first_chunk_timeout_s=2.0, idle_timeout_s=2.0, total_timeout_s=3.0)
LINES = frozenset({"good_lines", "line_error"})
#: Streams to a port that is closed, so without the source.
REFUSED = "refused"


def meanings() -> dict[str, str]:
    """Return the outcome that each behaviour should get."""
    return behaviours.meanings() | {REFUSED: "connect_error"}


@dataclass(frozen=True, slots=True)
class Fault:
    """A stream that is to be run."""

    behaviour: str
    seed: int

    def plan(self, url: str) -> StreamPlan:
        """Make the plan of the stream."""
        base = "http://127.0.0.1:1" if self.behaviour == REFUSED else url
        target = target_of(f"{base}/{self.behaviour}?seed={self.seed}")
        lines = self.behaviour in LINES
        stalls = meanings()[self.behaviour] == Outcome.STALLED
        limits = ENDLESS if self.behaviour == "endless" else STALLING if stalls else LIMITS
        return StreamPlan(
            self.behaviour,
            Request("GET", target, {}),
            NDJSON if lines else SSE,
            None if lines else read_end("event:done"),
            limits,
            on_chunk=_hang_up if self.behaviour == "hang_up" else None,
        )


def _hang_up(_: Any) -> bool:
    return False


class Crowd:
    """Users that run streams one after the other."""

    def __init__(self, url: str, faults: Iterator[Fault], users: int) -> None:
        self._url = url
        self._faults = faults
        self._reactor = SelectorReactor()
        self.process_stats = ProcessStats()
        self._context = ProcessContext(self.process_stats, self._reactor)
        self._sessions = [Session() for _ in range(users)]
        self._running: dict[int, tuple[Fault, Exchange]] = {}
        self._paused: list[int] = []

    def run(self) -> Iterator[tuple[Fault, StreamRecord]]:
        """Yield each stream and its record, in the order in which they end."""
        for user in range(len(self._sessions)):
            self._next(user)
        while self._running:
            self._reactor.run_until(lambda: bool(self._paused))
            user = self._paused.pop()
            fault, exchange = self._running[user]
            if self._sessions[user].go_on(exchange):
                continue
            del self._running[user]
            self._sessions[user].finish(exchange)
            yield fault, exchange.record
            self._next(user)
        for session in self._sessions:
            session.close()
        self._reactor.close()

    def _next(self, user: int) -> None:
        fault = next(self._faults, None)
        if fault is None:
            return
        exchange = Exchange(fault.plan(self._url), self._context, lambda: self._paused.append(user))
        self._running[user] = fault, exchange
        self._sessions[user].start(exchange)


def mixed(streams: int, seed: int) -> list[Fault]:
    """Return ``streams`` streams of all behaviours, the same number of each, in random order."""
    rng, names = random.Random(seed), list(meanings())
    faults = [Fault(names[at % len(names)], rng.randrange(2**32)) for at in range(streams)]
    rng.shuffle(faults)
    return faults


def measure(streams: int, users: int, seed: int) -> dict[str, Any]:
    """Run the streams; return the counts, and each misclassified stream."""
    meaning, counts = meanings(), {name: Counter[str]() for name in meanings()}
    wrong = []
    with Server(sys.executable, "-m", "benchmarks.testbed.fault_source") as source:
        crowd = Crowd(source.url, iter(mixed(streams, seed)), users)
        for fault, record in crowd.run():
            counts[fault.behaviour][record.outcome.value] += 1
            if record.outcome != meaning[fault.behaviour]:
                wrong.append(
                    {
                        "behaviour": fault.behaviour,
                        "seed": fault.seed,
                        "means": meaning[fault.behaviour],
                        "outcome": record.outcome.value,
                        "chunks": record.chunks,
                        "reason": record.reason,
                    }
                )
    all_stats = crowd.process_stats.all_stats.values()
    return {
        "streams": streams,
        "ended": sum(count.total() for count in counts.values()),
        "counted": sum(stats.finished for stats in all_stats),
        "still_active": crowd.process_stats.active,
        "outcomes": {name: dict(count) for name, count in counts.items()},
        "misclassified": wrong,
    }


def table(found: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each behaviour: the expected outcome, and the counts."""
    meaning = meanings()
    yield f"{'behaviour':<26}{'means':<18}{'streams':>8}{'right':>8}{'wrong':>7}"
    for name, outcomes in found["outcomes"].items():
        right = outcomes.get(meaning[name], 0)
        others = {outcome: times for outcome, times in outcomes.items() if outcome != meaning[name]}
        said = ", ".join(f"{times} {outcome}" for outcome, times in others.items())
        streams = sum(outcomes.values())
        yield f"{name:<26}{meaning[name]:<18}{streams:>8}{right:>8}{streams - right:>7}  {said}".rstrip()
    yield f"{found['ended']} streams, {len(found['misclassified'])} misclassified"


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the options. Exits with status 2 if one is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks faults", description=__doc__)
    parser.add_argument("--streams", type=whole, default=2_000, help="number of streams, default %(default)s")
    parser.add_argument("--users", type=whole, default=200, help="concurrent streams, default %(default)s")
    parser.add_argument("--seed", type=whole, default=1, help="seed of the random faults, default %(default)s")
    add_output(parser)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the streams and print the table; return 1 if a stream was misclassified or not counted."""
    options = parsed(arguments)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(2 * options.users + 500, hard)), hard))
    found = measure(options.streams, options.users, options.seed)
    print(*table(found), sep="\n")
    for wrong in found["misclassified"]:
        print(
            "{behaviour} (seed {seed}): expected {means}, got {outcome} after {chunks} chunks: {reason}".format(**wrong)
        )
    about = {"schema": SCHEMA, "benchmark": "faults", "seed": options.seed, "users": options.users}
    about |= {"machine": machine.facts(), "versions": machine.versions(), "means": meanings()}
    write_figures(options, about | found)
    whole_count = found["ended"] == found["counted"] == found["streams"] and not found["still_active"]
    return 0 if whole_count and not found["misclassified"] else 1


if __name__ == "__main__":
    sys.exit(main())
