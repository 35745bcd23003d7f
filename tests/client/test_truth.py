"""Figures held against the truth: a paced source in a process of its own that logs each of its sends."""

import time
from collections.abc import Iterator

import pytest

from benchmarks.testbed.server import Server
from streamgauge.calibrate import truth
from streamgauge.calibrate.truth import Stream, fetch
from streamgauge.client.blocking import run_streams
from streamgauge.client.connect.target import target_of
from streamgauge.client.http.request import Request
from streamgauge.client.plan import StreamPlan
from streamgauge.stats.histogram import RELATIVE_ERROR
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.stats.uncertainty import MARKED, uncertain_percentiles
from streamgauge.verdict.trust import JUDGED
from streamgauge.wire.rules import read_end
from streamgauge.wire.sse import SSE

#: Between the monotonic clock that the source reads and the wall clock of the kernel's stamps.
BETWEEN_CLOCKS_S = 1e-4


class Source:
    """The source's process."""

    def __init__(self, url: str) -> None:
        self.url = url

    def streams(self) -> list[Stream]:
        """Those of since the last call."""
        return fetch(self.url)

    def plans(self, streams: int, chunks: int, interval_ms: int, **options) -> list[StreamPlan]:
        target = target_of(f"{self.url}/sse?chunks={chunks}&interval_ms={interval_ms}")
        return [
            StreamPlan("a", Request("GET", target, {}), SSE, read_end("event:done"), **options) for _ in range(streams)
        ]


@pytest.fixture(scope="module")
def source() -> Iterator[Source]:
    with Server() as server:
        yield Source(server.url)


def stats_of(plans: list[StreamPlan]) -> StreamStats:
    process_stats = ProcessStats()
    assert {record.outcome for record in run_streams(plans, process_stats)} == {"completed"}
    return process_stats.stats("a", "sse")


def check(stats: StreamStats, streams: list[Stream]) -> dict[str, tuple[float, float]]:
    """Each percentile is the log's, or says between which two values the log's lies; which are uncertain.

    The log has a look at the clock before and after each send, however long the source was kept from running.
    """
    uncertain = uncertain_percentiles(stats.chunk_interval, JUDGED)
    assert stats.chunk_interval.all.count == sum(len(each.before_ns) - 1 for each in streams)
    for name, q in JUDGED.items():
        found_s, true = stats.chunk_interval.all.quantile_s(q), truth.chunk_interval(streams, q)
        low_s, high_s = uncertain.get(name, (found_s, found_s))
        error = RELATIVE_ERROR + MARKED.share * bool(stats.coalesced)
        slack_s = BETWEEN_CLOCKS_S + error * true.most_s
        assert low_s - slack_s <= true.most_s, name
        assert true.least_s <= high_s + slack_s, name
    return uncertain


def test_intervals_are_the_sources_own(source):
    stats = stats_of(source.plans(50, chunks=50, interval_ms=20))
    uncertain = check(stats, source.streams())
    # A coalesced chunk leaves two intervals open, and p99 is open where one interval in a hundred is.
    assert uncertain == {} or stats.coalesced > 0.005 * stats.chunks


def test_a_late_reader_says_what_it_does_not_know_and_is_right_about_the_rest(source):
    """Now and then the loop stands still for 20 ms, in which several chunks of a stream arrive."""
    seen = 0

    def dawdle(event: object) -> None:
        nonlocal seen
        seen += 1
        if seen % 60 == 0:
            time.sleep(0.02)

    stats = stats_of(source.plans(10, chunks=150, interval_ms=10, on_chunk=dawdle))
    check(stats, source.streams())
    assert stats.coalesced > 0


def test_a_reader_that_is_always_late_gives_ranges_and_no_zeros(source):
    stats = stats_of(source.plans(4, chunks=150, interval_ms=5, on_chunk=lambda event: time.sleep(0.004)))
    uncertain = check(stats, source.streams())
    assert stats.coalesced > 0.2 * stats.chunks
    assert {"p50", "p99"} & set(uncertain)
    assert stats.chunk_interval.all.quantile_s(0.01) > 0
