"""Durations as users write them."""

import pytest

from streamgauge.durations import seconds_of

READ = {
    "0": 0,
    "45": 45,
    "0.5": 0.5,
    "1.5s": 1.5,
    "1e-9": 1e-9,
    "2m": 120,
    "1m30s": 90,
    "1m5": 65,
    "1h": 3600,
    "1h30m": 5400,
    "1h1.5s": 3601.5,
    "2h3m4s": 7384,
    "000000000030": 30,
}
REFUSED = (
    *("", "s", "m5", "5x", "5S", "5ss", "5s1m", "5m1h", " 5", "5 s", "5\n", "-3", "+3", "nan", "inf", "1,5", ".5"),
    *("1e400", "٣s", "1_0", "0" * 13, "1" * 400),
)


@pytest.mark.parametrize("text", READ)
def test_a_duration_is_read_in_seconds(text):
    assert seconds_of(text) == READ[text]


@pytest.mark.parametrize("text", REFUSED)
def test_another_text_is_refused_with_an_example_and_the_text(text):
    with pytest.raises(ValueError, match="expected a duration such as 30s or 1m30s, got ") as refused:
        seconds_of(text)
    assert str(refused.value).endswith(f"got {text!r}")
