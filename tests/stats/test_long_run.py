"""A run of many hours, in virtual time: what a second leaves is bounded, and a later one costs no more."""

import json
import random
import tracemalloc

import pytest

from streamgauge.report.build import build_result, timeline
from streamgauge.report.result import Run
from streamgauge.report.thinning import MOST_POINTS, seconds_per_point, thinned
from streamgauge.stats.clocks.alignment import MAX_PARTS, RunDelays
from streamgauge.stats.clocks.envelope import MAX_POINTS
from streamgauge.stats.clocks.raw_delays import RawDelays
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.stats.reasons import MAX_REASONS, MAX_TOLD_APART
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.run_stats import MOST_LINES, OPEN_SECONDS, RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats
from tests.held import left_behind

HOUR_S = 3600
#: The pieces of a run that are compared: the later ones may hold no more than the earlier ones, to this share.
PIECE_S, MORE = 150, 1.25


def stats(dice: random.Random) -> StreamStats:
    """One second of a name: a stream that failed in words of its own, and one that did not."""
    made = StreamStats()
    made.started, made.chunks, made.bytes = 2, 20, 200
    made.time_to_first_chunk.all.record_all_ns([dice.randrange(10**9) for _ in range(2)])
    made.chunk_interval.all.record_all_ns([dice.randrange(10**8) for _ in range(5)])
    made.end(StreamRecord("a", "sse", Outcome.COMPLETED, 0.0, dice.random()))
    made.end(StreamRecord("a", "sse", Outcome.TRUNCATED, 0.0, 1.0, reason=f"request {dice.random()}"))
    return made


def part(t_s: int, names: int, dice: random.Random) -> SecondReport:
    return SecondReport(t_s, 2, {(f"name {number}", "sse"): stats(dice) for number in range(names)})


def bytes_by_piece(run_stats: RunStats, names: int, pieces: int) -> list[int]:
    """How much more memory each piece of a run left behind, after one that does not count."""
    dice, found = random.Random(1), []
    tracemalloc.start()
    try:
        for piece in range(pieces + 1):
            before = tracemalloc.get_traced_memory()[0]
            for t_s in range(piece * PIECE_S, (piece + 1) * PIECE_S):
                run_stats.add("p", part(t_s, names, dice), 0.95)
            found.append(tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()
    return found[1:]


@pytest.fixture(scope="module")
def one_name():
    """A run with one name, and what each of its pieces left."""
    run_stats = RunStats()
    return run_stats, bytes_by_piece(run_stats, 1, 4)


def test_each_piece_of_a_long_run_leaves_as_little_as_the_one_before(one_name):
    _, grown = one_name
    assert max(grown) <= min(grown) * MORE


def test_names_without_a_line_of_their_own_leave_nothing_in_a_second():
    few, many = (sum(bytes_by_piece(RunStats(), names, 1)) for names in (MOST_LINES + 1, MOST_LINES + 4))
    assert many <= few * MORE


def test_no_report_goes_over_all_seconds_so_far(one_name):
    """Thousands of workers report each second, and a run may have a hundred thousand of them."""
    run_stats, _ = one_name

    class Counted(dict):
        looked_at = 0

        def __iter__(self):
            self.looked_at += len(self)
            return super().__iter__()

    plain, run_stats.seconds = run_stats.seconds, Counted(run_stats.seconds)
    run_stats.add("p", part(len(plain), 1, random.Random(2)), 0.95)
    assert run_stats.seconds.looked_at == 0
    assert run_stats.last_s == len(plain) == max(run_stats.seconds)


def test_only_the_last_seconds_are_open(one_name):
    run_stats, _ = one_name
    assert sum(second.all_stats is not None for second in run_stats.seconds.values()) <= OPEN_SECONDS + 2
    assert sum(bool(second.active_by) for second in run_stats.seconds.values()) <= OPEN_SECONDS + 2


def test_a_result_is_as_long_as_its_timeline_and_a_report_is_not(one_name):
    run_stats, _ = one_name
    run = Run(
        id="r", started_at="", duration_s=1.0, counted_s=1.0, host="h", locustfile="f", users=1, spawn_rate=1.0,
        workers=1, load_model="closed", interrupted=False, versions={},
    )  # fmt: skip
    result = build_result(run, run_stats)
    points, (streams,) = result["timeline"], result["streams"]
    sizes = [len(json.dumps(point)) for point in points]
    assert len(json.dumps(result)) < sum(sizes) + 100_000
    assert max(sizes[-PIECE_S:]) <= max(sizes[:PIECE_S]) + 20  # its own number has more digits
    assert len(streams["reasons"]) <= MAX_REASONS + 1
    assert sum(streams["reasons"].values()) == streams["outcomes"]["truncated"] == len(points)
    for hours in (1, 24):
        timeline_of_hours = [{**points[0], "t_s": t_s} for t_s in range(hours * HOUR_S)]
        assert len(thinned(timeline_of_hours, seconds_per_point(timeline_of_hours))) <= MOST_POINTS


def test_a_point_has_no_more_lines_than_a_chart_can_show():
    run_stats, dice = RunStats(), random.Random(3)
    for t_s in range(3):
        for worker in range(3):
            names = {(f"session {t_s} {worker} {n}", "sse"): stats(dice) for n in range(MOST_LINES)}
            run_stats.add(f"worker {worker}", SecondReport(t_s, 0, names), 0.95)
    points = timeline(run_stats)
    assert [len(point["streams"]) <= MOST_LINES + 1 for point in points] == [True] * 3
    assert [sum(each["chunks"] for each in point["streams"]) for point in points] == [
        point["chunks"] for point in points
    ]


def delayed(t_s: int, server: str, dice: random.Random) -> dict[tuple[str, str], StreamStats]:
    made, raw = StreamStats(), RawDelays(same_clock=False, hint_ns=0)
    raw.note_request(t_s * 10**9, t_s * 10**9 + 10**6)
    raw.chunk(t_s * 10**9 + 10**7 + dice.randrange(10**6), t_s * 10**9)
    made.delays[server] = raw
    return {("a", "sse"): made}


def test_the_delays_of_a_long_run_are_kept_in_few_parts():
    run_stats, dice = RunDelays(), random.Random(4)
    for t_s in range(3 * MAX_POINTS):
        run_stats.add("p", delayed(t_s, "clock", dice), 0, stepped=False)
    (pair,) = run_stats._pairs.values()
    assert len(pair._lows.points) <= MAX_POINTS
    assert len(pair._highs.points) <= MAX_POINTS
    assert max(len(parts) for parts in pair._parts.values()) <= MAX_PARTS
    (found,) = run_stats.results().values()
    assert found.delays.all.count == 3 * MAX_POINTS


def test_a_process_that_is_emptied_each_second_holds_no_more_after_many():
    process_stats, dice = ProcessStats(), random.Random(5)
    for number in range(MAX_TOLD_APART):  # as many reasons as a process ever tells apart
        process_stats.examples.reason_of(
            StreamRecord("a", "sse", Outcome.TRUNCATED, 0.0, 1.0, reason=f"request {number}")
        )

    def second():
        for name in ("a", "b"):
            counted = process_stats.begin(name, "auto")
            settled = process_stats.change_protocol(counted, name, "sse")
            settled.chunks += 3
            settled.chunk_interval.all.record_all_ns([dice.randrange(10**8) for _ in range(3)])
            settled.delays["clock"] = RawDelays(same_clock=True)
            reason = f"request {dice.random()}"
            process_stats.end(settled, StreamRecord(name, "sse", Outcome.TRUNCATED, 0.0, 1.0, reason=reason))
            process_stats.lag.record_ns(dice.randrange(10**6))
        taken, lag = process_stats.take()
        assert {key[0]: each.chunks for key, each in taken.items() if each.chunks} == {"a": 3, "b": 3}
        assert (lag.count, sum(each.finished for each in taken.values())) == (2, 2)

    assert left_behind(second, 20, 2) == {}
    assert (process_stats.active, process_stats.take()[0]) == (0, {})
