"""Seconds of a run by name: which names have a line of their own, and what the line of the others holds."""

import pytest

from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.run_stats import MOST_LINES, OPEN_SECONDS, OTHER, RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats

MS = 1_000_000


def tally_of(chunks: int, interval_ms: int = 20, started: int = 1, ended: int = 0) -> StreamStats:
    stats = StreamStats()
    stats.started, stats.chunks, stats.bytes = started, chunks, chunks * 7
    if chunks:
        stats.chunk_interval.record_ns(interval_ms * MS, chunks)
        stats.time_to_first_chunk.record_ns(interval_ms * 2 * MS)
    for _ in range(ended):
        stats.end(StreamRecord("a", "sse", Outcome.STALLED, 0.0, 0.1, reason="why"))
    return stats


def run_of(*seconds: dict[str, StreamStats], protocol: str = "sse") -> RunStats:
    run_stats = RunStats()
    for t_s, all_stats in enumerate(seconds):
        run_stats.add(
            "local", SecondReport(t_s, 0, {(name, protocol): stats for name, stats in all_stats.items()}), 0.95
        )
    return run_stats


@pytest.mark.parametrize("seconds_later", [0, OPEN_SECONDS + 1], ids=["open", "closed"])
def test_each_name_has_its_own_figures_in_a_second(seconds_later):
    run_stats = run_of({"fast": tally_of(9, 50, ended=2), "slow": tally_of(4, 100, started=3)})
    run_stats.add("local", SecondReport(seconds_later, 0), 0.95)
    names = run_stats.names(run_stats.seconds[0])
    fast, slow = names["fast", "sse"], names["slow", "sse"]
    assert (fast.started, fast.finished, fast.failed, fast.chunks, fast.bytes) == (1, 2, 2, 9, 63)
    assert (slow.started, slow.finished, slow.failed, slow.chunks, slow.bytes) == (3, 0, 0, 4, 28)
    assert fast.times.to_dict()["chunk_interval"]["p99"] == pytest.approx(0.05, rel=0.01)
    assert slow.times.to_dict()["chunk_interval"]["p99"] == pytest.approx(0.1, rel=0.01)
    assert slow.times.to_dict()["time_to_first_chunk"]["p50"] == pytest.approx(0.2, rel=0.01)


@pytest.mark.parametrize("seconds_later", [0, OPEN_SECONDS + 1], ids=["open", "closed"])
def test_the_busiest_names_have_lines_and_the_others_share_one(seconds_later):
    names = {f"name {n}": tally_of(n + 1, interval_ms=n + 1) for n in range(MOST_LINES + 3)}
    run_stats = run_of(names)
    run_stats.add("local", SecondReport(seconds_later, 0), 0.95)
    found = run_stats.names(run_stats.seconds[0])
    assert found.keys() == {*((f"name {n}", "sse") for n in range(3, MOST_LINES + 3)), OTHER}
    assert (found[OTHER].started, found[OTHER].chunks) == (3, 1 + 2 + 3)
    assert found[OTHER].times.to_dict()["chunk_interval"]["p99"] == pytest.approx(0.003, rel=0.01)
    assert sum(each.chunks for each in found.values()) == run_stats.seconds[0].chunks


def test_a_name_keeps_its_line_and_a_later_one_takes_a_line_that_is_left():
    first = {f"name {n}": tally_of(5) for n in range(MOST_LINES - 1)}
    later = {name: tally_of(1000) for name in ("late", "later")}
    run_stats = run_of(first, *({} for _ in range(OPEN_SECONDS)), {"late": tally_of(1)}, later)
    for t_s in (2, 3, 4):
        run_stats.add("local", SecondReport(OPEN_SECONDS * t_s, 0), 0.95)
    both = run_stats.names(run_stats.seconds[OPEN_SECONDS + 2])
    assert ("name 0", "sse") in run_stats.names(run_stats.seconds[0])
    assert sum(key != OTHER for key in both) == 1
    assert both[OTHER].chunks == 1000


def test_a_slow_worker_that_reports_a_closed_second_is_counted_under_the_name():
    run_stats = run_of({"a": tally_of(5)})
    run_stats.add("local", SecondReport(OPEN_SECONDS + 1, 0), 0.95)
    run_stats.add("slow worker", SecondReport(0, 0, {("a", "sse"): tally_of(3)}), 0.95)
    assert run_stats.names(run_stats.seconds[0])["a", "sse"].chunks == 8


def test_a_stream_that_settles_on_a_protocol_later_leaves_no_second_name():
    run_stats = run_of({"a": tally_of(0)}, protocol="auto")
    settled = {("a", "auto"): tally_of(0, started=-1), ("a", "sse"): tally_of(2)}
    run_stats.add("local", SecondReport(1, 0, settled), 0.95)
    for t_s in (1, OPEN_SECONDS * 2):
        run_stats.add("local", SecondReport(t_s, 0), 0.95)
        assert [key for second in run_stats.seconds.values() for key in run_stats.names(second)] == [("a", "sse")]


def lines_of(run_stats: RunStats, t_s: int) -> dict[str, int]:
    """The chunks on each line of a second, by name."""
    return {name: found.chunks for (name, _), found in run_stats.names(run_stats.seconds[t_s]).items()}


@pytest.mark.parametrize("early_chunks", [1, 5000], ids=["quieter", "busier"])
def test_the_lines_that_are_left_go_to_the_busiest_of_the_names_that_come_later(early_chunks):
    early = {f"early {n}": tally_of(early_chunks) for n in range(5)}
    later = {f"later {n}": tally_of(n) for n in range(100, 100 + MOST_LINES)}
    run_stats = run_of(early, *({} for _ in range(OPEN_SECONDS + 1)), later)
    now_s, busiest = OPEN_SECONDS + 2, {f"later {n}": n for n in range(105, 100 + MOST_LINES)}
    others = {"other": 100 + 101 + 102 + 103 + 104}
    assert len(busiest) == MOST_LINES - len(early)
    assert lines_of(run_stats, now_s) == busiest | others
    run_stats.add("local", SecondReport(2 * now_s, 0), 0.95)
    assert lines_of(run_stats, now_s) == busiest | others
    assert lines_of(run_stats, 0) == dict.fromkeys(early, early_chunks)
    run_stats.add("local", SecondReport(2 * now_s, 0, {("last", "sse"): tally_of(10_000)}), 0.95)
    assert lines_of(run_stats, 2 * now_s) == {"other": 10_000}


@pytest.mark.parametrize(("names", "line"), [(MOST_LINES - 1, "waiting"), (MOST_LINES, "other")])
def test_a_stream_that_has_brought_nothing_yet_has_a_line_where_one_is_left(names, line):
    run_stats = run_of({**{f"name {n}": tally_of(5) for n in range(names)}, "waiting": tally_of(0)})
    assert lines_of(run_stats, 0) == {**{f"name {n}": 5 for n in range(names)}, line: 0}
