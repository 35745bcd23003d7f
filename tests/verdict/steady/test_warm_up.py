"""A warm-up is read in whole seconds, or left to the run."""

import re

import pytest

from streamgauge.verdict.steady.warm_up import WarmUp, read_warm_up


@pytest.mark.parametrize(
    ("text", "asked", "seconds"),
    [
        ("30s", "30s", 30),
        (" 1m ", "1m", 60),
        ("0.2s", "0.2s", 1),
        ("2.5s", "2.5s", 3),
        ("1000000000s", "1000000000s", 10**9),
        (" auto ", "auto", None),
    ],
)
def test_a_warm_up_lasts_for_whole_seconds(text, asked, seconds):
    assert read_warm_up(text) == WarmUp(asked, seconds)


@pytest.mark.parametrize("text", ["soon", "0s", "-1s", "1000000001s", "AUTO", ""])
def test_other_words_are_refused(text):
    said = f"expected a duration such as 30s, above 0 and up to 1e+09 s, or auto, got {text!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        read_warm_up(text)
