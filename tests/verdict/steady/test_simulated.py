"""The steady window is found where a simulated service settles, and refused where it drifts."""

import random

import pytest

from streamgauge.verdict.steady.search import search
from tests.verdict.steady.simulated import DRIFTING, SETTLING, run

RUNS = 200
#: The share of runs that may have a false answer.
FALSE = 0.05


def found(kind):
    """The answer for each run of a kind, beside its service and its length."""
    dice = random.Random(kind.__name__)
    for _ in range(RUNS):
        series, service = run(kind, dice)
        seconds = len(series[0].values)
        yield search(series, 0, seconds), service, seconds


@pytest.mark.parametrize("kind", SETTLING, ids=lambda kind: kind.__name__)
def test_a_service_that_settles_has_a_steady_window(kind):
    """A window that begins before the service has settled, by more than a second or 2 % of the run, is false too."""
    answers = list(found(kind))
    refused = sum(isinstance(begins, str) for begins, _, _ in answers)
    early = sum(
        not isinstance(begins, str) and begins < service.settled_s - max(1, 0.02 * seconds)
        for begins, service, seconds in answers
    )
    print(f"{kind.__name__}: refused {refused / RUNS:.1%}, early {early / RUNS:.1%}")
    assert (refused + early) / RUNS <= FALSE, (refused, early)


@pytest.mark.parametrize("kind", DRIFTING, ids=lambda kind: kind.__name__)
def test_a_service_that_drifts_has_no_steady_window(kind):
    accepted = sum(not isinstance(begins, str) for begins, _, _ in found(kind))
    print(f"{kind.__name__}: accepted {accepted / RUNS:.1%}")
    assert accepted / RUNS <= FALSE


def test_most_of_a_level_run_is_its_window():
    begins = sorted(answer / seconds for answer, _, seconds in found(SETTLING[0]) if not isinstance(answer, str))
    assert begins[len(begins) // 2] <= 0.05
