"""The verdict on an open model: a generator that was late is told apart from a service that was slow."""

import pytest

from streamgauge.report.build import build_result
from streamgauge.verdict.late_arrivals import load_missed, waited_for_users
from streamgauge.verdict.trust import verdict
from tests.stats.runs import run


def counted(**each_second):
    """A run of ten seconds with 1000 arrivals in each."""
    return run(scheduled_arrivals=1000, **each_second)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"late_starts": 10},
        {"late_starts": 11, "capped_starts": 1},
        {"dropped_arrivals": 1},
    ],
)
def test_a_few_late_or_dropped_arrivals_are_within_bounds(fields):
    assert verdict(counted(**fields)) == ("trusted", [])


def test_arrivals_that_are_late_although_users_were_free_are_the_generators():
    trust, (said,) = verdict(counted(late_starts=30, capped_starts=1))
    assert trust == "degraded"
    assert said == (
        "the generator started 2.9% of the arrivals more than 10 ms late although users were free (limit 1%); give it "
        "more CPU, or more worker processes"
    )


def test_arrivals_that_wait_for_a_free_user_are_the_services():
    trust, (said,) = verdict(counted(late_starts=40, capped_starts=35))
    assert trust == "degraded"
    assert said.startswith("3.5% of the arrivals waited for a free user (limit 0.1%), since the service was slow")
    assert said.endswith("raise --users")


def test_dropped_arrivals_are_a_reason_and_fail_the_run():
    run_stats = counted(late_starts=900, capped_starts=900, dropped_arrivals=40)
    trust, (said,) = verdict(run_stats)
    assert trust == "degraded"
    assert said.startswith("4.0% of the arrivals were dropped (limit 0.1%): no user was free within a second")
    assert load_missed(run_stats)
    assert build_result({"duration_s": 10.0}, run_stats)["verdict"]["exit_code"] == 1


@pytest.mark.parametrize(
    ("lost", "cause"),
    [
        (40, "their workers left or died"),
        (
            10,
            "100 of them belonged to workers that left or died; for the others no user was free within a second, ",
        ),
    ],
)
def test_arrivals_that_were_dropped_with_their_workers_are_not_the_services(lost, cause):
    run_stats = counted(dropped_arrivals=40, lost_arrivals=lost)
    (said,) = verdict(run_stats)[1]
    assert f"(limit 0.1%): {cause}" in said
    assert waited_for_users(said) == (lost < 40)
    assert build_result({"duration_s": 10.0}, run_stats)["verdict"]["exit_code"] == 1


def test_a_run_that_reached_its_load_passes_and_so_does_a_closed_one():
    for run_stats in (counted(late_starts=5, dropped_arrivals=1), run()):
        assert not load_missed(run_stats)
        assert build_result({"duration_s": 10.0}, run_stats)["verdict"]["exit_code"] == 0
