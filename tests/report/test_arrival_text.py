"""What became of the arrivals of an open model, in words."""

from collections.abc import Callable

import pytest

from streamgauge.report.arrival_text import arrival_words, fate
from streamgauge.report.result import Result


def counted(**counts: int) -> dict[str, int]:
    return {"late_starts": 0, "dropped_arrivals": 0, **counts}


@pytest.mark.parametrize(
    ("generator", "words"),
    [
        (counted(scheduled_arrivals=1), "1 arrival, 0 late, 0 dropped"),
        (counted(scheduled_arrivals=12_000, late_starts=3400), "12,000 arrivals, 3,400 late, 0 dropped"),
        (
            counted(scheduled_arrivals=100, late_starts=9, capped_starts=7, dropped_arrivals=2),
            "100 arrivals, 9 late (7 for want of a free user), 2 dropped",
        ),
        (counted(), "0 arrivals, 0 late, 0 dropped"),
    ],
    ids=["one", "late", "no free user", "older result"],
)
def test_late_and_dropped_arrivals_are_counted(generator: dict[str, int], words: str) -> None:
    assert fate(generator) == words


def test_an_open_model_has_a_line_and_a_closed_one_has_none(make_result: Callable[..., Result]) -> None:
    result = make_result()
    assert arrival_words(result) == ""
    result["run"]["arrivals"] = {"process": "poisson:80/s", "wanted_per_s": 80.0, "got_per_s": 79.5, "seed": 7}
    result["generator"].update(scheduled_arrivals=800, late_starts=5, capped_starts=0, dropped_arrivals=1)
    line = "open model poisson:80/s: 80.0/s wanted, 79.5/s got, seed 7, 800 arrivals, 5 late, 1 dropped"
    assert arrival_words(result) == line
