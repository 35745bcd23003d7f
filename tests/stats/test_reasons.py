"""The sentences in which a run's verdict gives its reasons: what they name, count and leave out."""

import re

import pytest

from streamgauge.stats.run_stats import RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.stats.uncertainty import Tolerance
from streamgauge.verdict.trust import DEFAULT_BOUNDS, Bounds, verdict
from tests.stats.runs import MS, coalesced, coalesced_first, run, streams


def named(**all_stats: StreamStats) -> RunStats:
    """A run of several names."""
    run_stats = run(stats=streams())
    part = SecondReport(9, active=1)
    part.all_stats.update({(name, "sse"): stats for name, stats in all_stats.items()})
    run_stats.add("a", part, DEFAULT_BOUNDS.busy_cpu)
    return run_stats


#: Shown as 5.02, 25, 9 and 11 ms.
WIDE, NARROW = (5_023_000, 25 * MS), (9 * MS, 11 * MS)


@pytest.mark.parametrize(("b", "c"), [(WIDE, NARROW), (NARROW, WIDE)], ids=["first", "last"])
def test_the_widest_range_of_all_names_is_told_and_the_others_are_counted(b, c):
    widest = "b" if b == WIDE else "c"
    run_stats = named(b=coalesced(*b, uncertain=40, certain=60), c=coalesced(*c, uncertain=30, certain=70))
    first = f"{widest} (sse): chunk interval p90 lies somewhere between 10 and 25 ms"
    others = "(3 more percentiles are uncertain)"
    shared = "40.0%" if widest == "b" else "30.0%"
    assert verdict(run_stats)[1] == [f"{first} {others}: {shared} of its chunks shared a read with other data"]


@pytest.mark.parametrize(("b", "c"), [(WIDE, NARROW), (NARROW, WIDE)], ids=["first", "last"])
def test_the_same_of_first_chunks(b, c):
    widest = "b" if b == WIDE else "c"
    run_stats = named(b=coalesced_first(*b, uncertain=100, certain=0), c=coalesced_first(*c, uncertain=100, certain=0))
    first = f"{widest} (sse): time to first chunk p50 lies somewhere between 5.02 and 25 ms"
    others = "(5 more percentiles are uncertain)"
    cause = "the generator waited for a CPU before it sent the request"
    assert verdict(run_stats)[1] == [f"{first} {others}: {cause}"]
    for stats in run_stats.all_stats.values():
        stats.coalesced = 1
    assert verdict(run_stats)[1] == [f"{first} {others}: first chunks shared a read with other data, or {cause}"]


@pytest.mark.parametrize(
    ("least_ns", "most_ns"), [(9_996_000, 10_114_000), (1_000_400, 1_124_000), (10**9, 1_011 * MS)]
)
def test_the_ends_of_a_range_never_read_alike(least_ns, most_ns):
    """However narrow a range is that the verdict speaks of, and whichever bounds it is given."""
    narrow = Bounds(open_degraded=Tolerance(0.0001, 0.000001))
    for share in (1.0, 0.5, 0.1, 0.02):
        high_ns = least_ns + round((most_ns - least_ns) * share)
        (reason,) = verdict(named(b=coalesced(least_ns, high_ns, 40, 60, at_ns=least_ns)), narrow)[1]
        low, high = re.search(r"between (\S+) and (\S+) ms", reason).groups()
        assert float(low.replace(",", "")) < float(high.replace(",", ""))


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({"lag_ns": 51_000_000}, 50),
        ({"longest_pause_s": 0.5001}, 0.5),
        ({"longest_stopped_s": 0.10004}, 100),
        ({"stopped_s": 0.030004}, 3),
        ({"waited_s": 0.200001}, 20),
    ],
)
def test_a_value_above_its_limit_reads_as_one(fields, limit):
    (reason,) = verdict(run(**fields))[1]
    value, stated = re.search(r"(\d[\d.]*) ?(?:ms|s|%).*\(limit ([\d.]+)", reason).groups()
    assert float(value) > float(stated) == limit


def test_a_single_open_percentile_is_told_alone_and_of_two_one_is_more():
    one, two = (coalesced(10 * MS, 995_328_000, uncertain=part, certain=1000 - part) for part in (30, 200))
    said = (
        "b (sse): chunk interval {} lies somewhere between 10 and 995 ms{}: {} of its chunks shared a read with other "
    )
    said += "data"
    assert verdict(named(b=one))[1] == [said.format("p99", "", "3.0%")]
    assert verdict(named(b=two))[1] == [said.format("p90", " (1 more percentile is uncertain)", "20.0%")]


def test_a_range_that_begins_at_0_is_wider_than_any_other():
    run_stats = named(
        b=coalesced(1_000, 9_000 * MS, uncertain=50, certain=50),
        c=coalesced(0, 20 * MS, uncertain=50, certain=0),
        d=coalesced(1_000, 9_000 * MS, uncertain=50, certain=50),
    )
    assert any(
        each.startswith("c (sse): chunk interval p50 lies somewhere between 0 and 20 ms")
        for each in verdict(run_stats)[1]
    )


def test_an_invalid_run_keeps_the_reasons_for_which_it_were_degraded():
    run_stats = run(longest_pause_s=9.0, fallbacks=50, clock_steps=1)
    run_stats.problems.append("worker 3 was lost")
    run_stats.failings.append("no worker answered")
    trust, reasons = verdict(run_stats)
    assert trust == "invalid"
    assert reasons[:2] == [
        "no worker answered",
        "the generator's event loop did not run for 9.00 s (limit 5 s)",
    ]
    assert reasons[2] == "worker 3 was lost"
    assert reasons[-2:] == [
        "the wall clock stepped 10 times during the run",
        "50.0% of reads had no usable kernel timestamp, so the time of the read counts as their arrival",
    ]


@pytest.mark.parametrize(("steps", "times"), [(1, "once"), (2, "2 times")])
def test_steps_of_the_wall_clock_are_counted(steps, times):
    run_stats = run()
    run_stats.add("a", SecondReport(9, active=1, clock_steps=steps), DEFAULT_BOUNDS.busy_cpu)
    assert verdict(run_stats) == ("degraded", [f"the wall clock stepped {times} during the run"])


def test_a_long_stop_is_told_to_the_millisecond():
    assert verdict(run(longest_stopped_s=2.0))[1] == [
        "the generator was stopped for 2000 ms without a break (limit 100 ms)"
    ]


@pytest.mark.parametrize(
    ("run_stats", "bounds", "trust"),
    [
        (run(lag_ns=50 * MS), DEFAULT_BOUNDS, "trusted"),
        (run(lag_ns=1_000 * MS), DEFAULT_BOUNDS, "degraded"),
        (run(stopped_s=0.25), Bounds(stopped_share_degraded=0.25), "trusted"),
        (run(waited_s=0.25), Bounds(waited_share_degraded=0.25), "trusted"),
        (run(longest_stopped_s=0.1), DEFAULT_BOUNDS, "trusted"),
        (run(fallbacks=1, reads=4), Bounds(fallback_share_degraded=0.25), "trusted"),
    ],
)
def test_what_is_at_most_what_is_expected_is_no_reason(run_stats, bounds, trust):
    assert verdict(run_stats, bounds)[0] == trust


def test_half_of_the_streams_refused_is_not_most_of_them():
    assert verdict(run(cpu=0.99, stats=streams(completed=5, connect_error=5))) == ("trusted", [])
    trust, (said,) = verdict(run(cpu=0.99, stats=streams(completed=5, connect_error=6)))
    assert (trust, "refused" in said) == ("degraded", True)


@pytest.mark.parametrize(
    ("stats", "reason"),
    [
        (StreamStats(), "nothing was measured: no stream was counted"),
        (
            streams(chunks=0, censored=10),
            "nothing was measured: no stream delivered a chunk or ended before the run did",
        ),
    ],
)
def test_of_a_run_that_measured_nothing_no_more_is_said(stats, reason):
    assert verdict(run(stats=stats)) == ("invalid", [reason])
