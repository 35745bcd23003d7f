"""Counts and rates of bytes, as options have them."""

import pytest

from streamgauge.byte_counts import byte_count, byte_rate


@pytest.mark.parametrize(
    ("text", "count"),
    [("1", 1), ("100B", 100), ("10KB", 10_000), ("64KiB", 65_536), (" 1.5 mb ", 1_500_000), ("2gib", 2 << 30)],
)
def test_a_count_has_a_unit_of_a_thousand_or_of_1024(text, count):
    assert byte_count(text) == count
    assert byte_rate(f"{text}/s") == count


@pytest.mark.parametrize("text", ["", "0", "0KB", "0.1", "-1KB", "KB", "10K", "10 KB x", "1e3", "٣KB", "nan", "9" * 13])
def test_what_is_no_count_is_refused(text):
    with pytest.raises(ValueError, match=r"^expected a size such as 64KiB, got "):
        byte_count(text)
    with pytest.raises(ValueError, match=r"^expected a rate such as 10KB/s, got "):
        byte_rate(f"{text}/s")


@pytest.mark.parametrize("text", ["10KB", "10KB/m", "10KB/", "/s", "10/s/s"])
def test_a_rate_is_per_second(text):
    with pytest.raises(ValueError, match=r"^expected a rate such as 10KB/s, got "):
        byte_rate(text)
