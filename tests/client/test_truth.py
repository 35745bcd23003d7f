"""Figures held against the truth: a paced source in a process of its own that logs each of its sends."""

import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from urllib.request import ProxyHandler, build_opener

import pytest

from streamgauge.client.blocking import run_streams
from streamgauge.client.plan import StreamPlan
from streamgauge.client.request import Request
from streamgauge.client.target import target_of
from streamgauge.measure.health import DEFAULT_BOUNDS, JUDGED, uncertain_percentiles
from streamgauge.measure.ledger import Ledger
from streamgauge.measure.tally import Tally

#: What may lie between a send and its arrival: the kernel, and a source that is preempted after it looked at its clock.
ON_THE_WAY_S = 0.001


class Source:
    """The source's process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([sys.executable, "-m", "benchmarks.source"], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def intervals_s(self) -> list[float]:
        """Between one send and the next of each stream since the last call, sorted."""
        with build_opener(ProxyHandler({})).open(f"{self.url}/log") as log:
            logs = json.load(log)["streams"]
        return sorted((later - earlier) / 1e9 for log in logs for earlier, later in pairwise(log))

    def plans(self, streams: int, chunks: int, interval_ms: int, **options) -> list[StreamPlan]:
        target = target_of(f"{self.url}/sse?chunks={chunks}&interval_ms={interval_ms}")
        return [StreamPlan("a", Request("GET", target, {}), "sse", "event:done", **options) for _ in range(streams)]

    def close(self) -> None:
        self._process.terminate()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.wait()


@pytest.fixture(scope="module")
def source() -> Iterator[Source]:
    source = Source()
    yield source
    source.close()


def tally_of(plans: list[StreamPlan]) -> Tally:
    ledger = Ledger()
    assert {record.outcome for record in run_streams(plans, ledger)} == {"completed"}
    return ledger.tally("a", "sse")


def quantile(ordered: list[float], q: float) -> float:
    return ordered[max(1, math.ceil(q * len(ordered))) - 1]


def check(tally: Tally, sent_s: list[float]) -> dict[str, tuple[float, float]]:
    """Each percentile is the log's, or says between which two values the log's lies; which are uncertain."""
    uncertain = uncertain_percentiles(tally, JUDGED)
    assert tally.chunk_interval.count == len(sent_s)
    for name, q in JUDGED.items():
        true_s, found_s = quantile(sent_s, q), tally.chunk_interval.quantile_s(q)
        low_s, high_s = uncertain.get(name, (found_s, found_s))
        slack_s = ON_THE_WAY_S + DEFAULT_BOUNDS.percentile_error * true_s * bool(tally.coalesced)
        assert low_s - slack_s <= true_s <= high_s + slack_s, name
    return uncertain


def test_intervals_are_the_sources_own(source):
    tally = tally_of(source.plans(50, chunks=50, interval_ms=20))
    uncertain = check(tally, source.intervals_s())
    # A coalesced chunk leaves two intervals open, and p99 is open where one interval in a hundred is.
    assert uncertain == {} or tally.coalesced > 0.005 * tally.chunks


def test_a_late_reader_says_what_it_does_not_know_and_is_right_about_the_rest(source):
    """Now and then the loop stands still for 20 ms, in which several chunks of a stream arrive."""
    seen = 0

    def dawdle(event: object) -> None:
        nonlocal seen
        seen += 1
        if seen % 60 == 0:
            time.sleep(0.02)

    tally = tally_of(source.plans(10, chunks=150, interval_ms=10, on_chunk=dawdle))
    check(tally, source.intervals_s())
    assert tally.coalesced > 0


def test_a_reader_that_is_always_late_gives_ranges_and_no_zeros(source):
    tally = tally_of(source.plans(4, chunks=150, interval_ms=5, on_chunk=lambda event: time.sleep(0.004)))
    uncertain = check(tally, source.intervals_s())
    assert tally.coalesced > 0.2 * tally.chunks
    assert {"p50", "p99"} & set(uncertain)
    assert tally.chunk_interval.quantile_s(0.01) > 0
