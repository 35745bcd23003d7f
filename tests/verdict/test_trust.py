"""The verdict on the generator: trusted unless there is a reason, and each reason says so."""

import pytest

from streamgauge.stats.run_stats import RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.verdict.trust import DEFAULT_BOUNDS, Bounds, verdict
from tests.stats.runs import MS, coalesced, coalesced_first, run, streams


def test_a_quiet_run_is_trusted():
    assert verdict(run()) == ("trusted", [])


@pytest.mark.parametrize(
    ("stats", "reason"),
    [
        (StreamStats(), "no stream was counted"),
        (streams(chunks=0, censored=10), "no stream delivered a chunk or ended before the run did"),
    ],
)
def test_a_run_that_measured_nothing_is_invalid(stats, reason):
    run_stats = run(stats=stats)
    trust, reasons = verdict(run_stats)
    assert trust == "invalid"
    assert any(reason in each for each in reasons)


def test_streams_that_began_before_a_reset_are_something():
    assert verdict(run(stats=streams(started=0, completed=0))) == ("trusted", [])


def test_a_run_of_which_no_process_reported_is_invalid():
    assert verdict(RunStats())[0] == "invalid"


@pytest.mark.parametrize("outcome", ["completed", "connect_error"])
def test_streams_that_ended_without_a_chunk_are_counted_but_give_no_times_to_trust(outcome):
    assert verdict(run(stats=streams(chunks=0, **{outcome: 10}))) == (
        "degraded",
        ["no chunk arrived, so no time was measured"],
    )


@pytest.mark.parametrize(
    ("run_stats", "trust", "reason"),
    [
        (run(lag_ns=150 * MS), "degraded", "lag p99 150 ms (limit 50 ms)"),
        (run(longest_stopped_s=0.101), "degraded", "the generator was stopped for 101 ms without a break"),
        (run(stopped_s=0.031), "degraded", "the generator was stopped for 3.1% of the time (limit 3%)"),
        (run(waited_s=0.21), "degraded", "the generator waited for a CPU for 21.0% of the time (limit 20%)"),
        (run(lag_ns=2_000 * MS), "invalid", "lag p99 2000 ms (limit 1000 ms)"),
        (run(longest_pause_s=0.7), "degraded", "did not run for 0.70 s (limit 0.5 s)"),
        (run(longest_pause_s=9.0), "invalid", "did not run for 9.00 s (limit 5 s)"),
        (run(cpu=0.99, lag_ns=20 * MS), "degraded", "the generator used 95% or more of a core in 10 of 10 seconds"),
        (run(clock_steps=1), "degraded", "the wall clock stepped 10 times"),
        (run(fallbacks=50), "degraded", "50.0% of reads had no usable kernel timestamp"),
        (run(stats=coalesced(0, 20 * MS)), "degraded", "a (sse): chunk interval p50 lies somewhere between"),
        (run(stats=coalesced(3_800 * MS, 4_000 * MS)), "degraded", "p90 lies somewhere between 10 and 4,000 ms"),
        (
            run(stats=coalesced_first(5 * MS, 9 * MS)),
            "degraded",
            "a (sse): time to first chunk p50 lies somewhere between",
        ),
    ],
)
def test_each_thing_that_a_generator_may_not_do_is_a_reason(run_stats, trust, reason):
    found, reasons = verdict(run_stats)
    assert found == trust
    assert any(reason in each for each in reasons), reasons
    assert len(reasons) == len(set(reasons))


@pytest.mark.parametrize(
    "run_stats",
    [
        run(lag_ns=40 * MS),
        run(longest_pause_s=0.4),
        run(longest_stopped_s=0.1, stopped_s=0.029),
        run(waited_s=0.19, stopped_s=0.029),
        run(cpu=0.9),
        run(fallbacks=1, reads=1000),
        run(stats=coalesced(int(19.84 * MS), int(20.16 * MS), at_ns=20 * MS)),
        run(stats=coalesced(10_000, 190_000, at_ns=100_000)),
        run(stats=coalesced_first(int(8.92 * MS), 9 * MS)),
        run(stats=coalesced(0, 20 * MS, uncertain=1, certain=500)),
    ],
)
def test_what_stays_within_bounds_is_no_reason(run_stats):
    assert verdict(run_stats) == ("trusted", [])


@pytest.mark.parametrize("kind", [coalesced, coalesced_first])
def test_the_times_of_readers_that_are_slow_on_purpose_are_not_judged(kind):
    several = kind(1 * MS, 20 * MS)
    assert verdict(run(stats=several))[0] == "degraded"
    several.slowed = 1
    assert verdict(run(stats=several)) == ("trusted", [])


def crowd(seconds: int = 10, **fields: float) -> RunStats:
    """A run of ten processes, one of which is as ``fields`` say."""
    run_stats = run(seconds=seconds, **fields)
    for process in range(1, 10):
        for t_s in range(seconds):
            run_stats.add(f"quiet {process}", SecondReport(t_s, active=1, reads=100), DEFAULT_BOUNDS.busy_cpu)
    return run_stats


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"cpu": 0.99, "lag_ns": 20 * MS},
            "1 of 10 generator processes used 95% or more of a core in 10 of 10 seconds",
        ),
        ({"stopped_s": 0.3}, "1 of 10 generator processes was stopped for 30.0% of the time"),
        ({"waited_s": 0.3}, "1 of 10 generator processes waited for a CPU for 30.0% of the time"),
    ],
)
def test_one_process_of_many_that_could_not_do_its_work_is_a_reason(fields, reason):
    trust, (said,) = verdict(crowd(**fields))
    assert trust == "degraded"
    assert said.startswith(reason)


def test_several_processes_that_could_not_do_their_work_are_one_reason():
    run_stats = crowd(cpu=0.99, lag_ns=20 * MS)
    run_stats.processes["quiet 1"].busy_seconds = 5
    (said,) = verdict(run_stats)[1]
    assert said.startswith("2 of 10 generator processes used 95% or more of a core in up to 10 of 10 seconds")


@pytest.mark.parametrize(
    ("outcomes", "pauses", "remedy"),
    [
        ({"completed": 6, "connect_error": 4}, 4, "more worker processes"),
        (
            {"completed": 4, "connect_error": 3, "http_error": 3},
            0,
            "started the next one at once, so set --stream-refusal-pause",
        ),
        ({"completed": 4, "connect_error": 3, "http_error": 3}, 6, "fewer users or raise --stream-refusal-pause"),
    ],
)
def test_a_busy_generator_is_told_what_helps(outcomes, pauses, remedy):
    (said,) = verdict(run(cpu=0.99, lag_ns=20 * MS, stats=streams(**outcomes), refusal_pauses=pauses))[1]
    assert said.endswith(remedy)


def test_being_busy_for_some_seconds_is_no_reason():
    run_stats = run(seconds=9)
    run_stats.add("a", SecondReport(9, 1, cpu=1.0), DEFAULT_BOUNDS.busy_cpu)
    assert verdict(run_stats) == ("trusted", [])


def test_problems_of_counting_are_reasons():
    run_stats = run()
    run_stats.problems.append("worker 3 was lost")
    assert verdict(run_stats) == ("degraded", ["worker 3 was lost"])


def test_bounds_can_be_set():
    assert verdict(run(lag_ns=5 * MS), Bounds(lag_degraded_s=0.001))[0] == "degraded"
