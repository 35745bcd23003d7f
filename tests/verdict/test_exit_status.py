"""The exit status of a test and that of the verdict: which one a process ends with."""

import pytest

from streamgauge.verdict.exit_status import RunStatus

PASSED, FAILED, USAGE, UNTRUSTED = range(4)


@pytest.mark.parametrize(
    ("own", "verdict", "joined"),
    [
        *((own, PASSED, own) for own in (0, 1, 2, 3, 9)),
        *((own, FAILED, own) for own in (0, 1, 2, 3, 9)),  # the test may judge failures otherwise
        *((own, UNTRUSTED, UNTRUSTED) for own in (0, 1)),
        *((own, UNTRUSTED, own) for own in (2, 3, 9)),
        *((own, USAGE, USAGE) for own in (0, 1)),
        *((own, USAGE, own) for own in (2, 3, 9)),
    ],
)
def test_a_status_of_the_tests_own_gives_way_only_to_a_run_that_cannot_be_judged(own, verdict, joined):
    assert RunStatus(own).joined(verdict) == joined
    assert RunStatus(own, failed=True, broken=True).joined(verdict) == joined


@pytest.mark.parametrize(
    ("failed", "verdict", "on_failure", "joined"),
    [
        (False, PASSED, 5, PASSED),
        (True, PASSED, 1, FAILED),
        (True, PASSED, 5, 5),
        (False, FAILED, 5, 5),
        (True, FAILED, 0, PASSED),
        (True, UNTRUSTED, 5, UNTRUSTED),
        (True, UNTRUSTED, 0, UNTRUSTED),
        (True, USAGE, 5, USAGE),
    ],
)
def test_a_failure_has_the_status_that_the_user_chose_for_failures(failed, verdict, on_failure, joined):
    assert RunStatus(failed=failed, on_failure=on_failure).joined(verdict) == joined


@pytest.mark.parametrize(
    ("failed", "verdict", "joined"),
    [(False, PASSED, USAGE), (True, PASSED, FAILED), (False, FAILED, FAILED), (False, UNTRUSTED, UNTRUSTED)],
)
def test_an_exception_outside_the_scenario_counts_where_nothing_failed(failed, verdict, joined):
    assert RunStatus(failed=failed, broken=True).joined(verdict) == joined
