"""What options take."""

import click
import pytest

from streamgauge.commands.values import Rate, RunTime


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("45", 45), ("2m", 120), ("1h30m", 5400), ("1m5s", 65), ("24h", 86400)]
)
def test_a_run_time_is_read_as_locust_reads_it(text, seconds):
    assert RunTime().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "s", "5x", "m5", "5s1m", " 5", "٣s", "1" * 400 + "s"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(click.BadParameter, match="expected a duration"):
        RunTime().convert(text, None, None)


def test_a_rate_may_be_a_fraction():
    assert Rate().convert("0.5", None, None) == 0.5
