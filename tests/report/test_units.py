import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.report import units


@pytest.mark.parametrize(
    ("value_s", "text"),
    [
        (None, "–"),
        (0, "0 s"),
        (5e-7, "0.500 µs"),
        (0.00034, "340 µs"),
        (0.0009996, "1.00 ms"),
        (0.0521, "52.1 ms"),
        (0.9996, "1.00 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3600, "1 h 00 min"),
        (7265, "2 h 01 min"),
        (float("inf"), "∞"),
    ],
)
def test_a_duration_takes_the_unit_that_suits_it(value_s: float | None, text: str) -> None:
    assert units.duration(value_s) == text


@pytest.mark.parametrize(
    ("least_s", "most_s", "text"),
    [
        (0.04, 0.0521, "40.0–52.1 ms"),
        (0.0004, 0.0521, "400 µs – 52.1 ms"),
        (1, 1, "1.00 s"),
        (61, 200, "1 min 01 s – 3 min 20 s"),
        (65, 185, "1 min 05 s – 3 min 05 s"),
        (59, 61, "59.0 s – 1 min 01 s"),
        (1, 59, "1.00–59.0 s"),
        (0.01078, 0.01082, "10.78–10.82 ms"),
        (0.010801, 0.010802, "10.801–10.802 ms"),
        (0.0108, 0.0108, "10.8 ms"),
    ],
)
def test_a_range_names_a_shared_unit_once(least_s: float, most_s: float, text: str) -> None:
    assert units.interval(least_s, most_s) == text


@given(st.lists(st.floats(1e-6, 50), min_size=3, max_size=3).map(sorted))
def test_a_value_beside_its_range_reads_as_inside_it(values_s: list[float]) -> None:
    least_s, value_s, most_s = values_s
    found = [_read(each) for each in (units.estimate(value_s, (least_s, most_s)), units.interval(least_s, most_s))]
    value, ends = found[0][0], found[1]
    assert ends[0] <= value * (1 + 1e-9) <= ends[-1] * (1 + 2e-9)


def _read(text: str) -> list[float]:
    """The durations of a text, in seconds; a number without a unit has that of the next one."""
    scales, scale = {"µs": 1e-6, "ms": 1e-3, "s": 1.0}, 1.0
    found: list[float] = []
    for number, unit in reversed(re.findall(r"([\d.]+) ?(µs|ms|s)?", text)):
        scale = scales[unit] if unit else scale
        found.insert(0, float(number) * scale)
    return found


def test_a_value_that_is_exactly_known_has_no_mark() -> None:
    assert units.estimate(0.0108, None) == "10.8 ms"
    assert units.estimate(0.0108, (0.0107, 0.0112)) == "≈ 10.8 ms"
    assert units.estimate(0.010847, (0.010841, 0.010849)) == "≈ 10.85 ms"
    assert units.estimate(None, (0.1, 0.2)) == "–"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0 %"),
        (1, "100 %"),
        (1e-5, "<0.01 %"),
        (0.0001, "0.01 %"),
        (0.0012, "0.12 %"),
        (0.0999, "9.99 %"),
        (0.1, "10.0 %"),
        (0.5, "50.0 %"),
        (0.999, "99.9 %"),
        (0.9991, "99.91 %"),
        (0.9999, "99.99 %"),
        (0.99999, ">99.99 %"),
        (1.004, "100 %"),
        (1.5, "150 %"),
        (2.5, "250 %"),
    ],
)
def test_a_share_is_0_or_100_percent_only_when_it_is_exactly(value: float | None, text: str) -> None:
    assert units.share(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (7, "7 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (999.7, "1.00 kB"),
        (1_234_000, "1.23 MB"),
        (999_999, "1.00 MB"),
        (1e19, "10000 PB"),
    ],
)
def test_sizes_are_decimal(value: float, text: str) -> None:
    assert units.size(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (0.5234, "0.523"),
        (99.5, "99.5"),
        (99.96, "100"),
        (100, "100"),
        (100.7, "101"),
        (1234.5, "1,234"),
    ],
)
def test_a_rate_keeps_all_its_integer_digits(value: float | None, text: str) -> None:
    assert units.rate(value) == text


def test_one_is_singular() -> None:
    assert [units.some(n, "stream") for n in (0, 1, 1200)] == ["0 streams", "1 stream", "1,200 streams"]


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        (None, "–"),
        ((0.0, 1e-7), "≤ 0.1 µs"),
        ((0.0, 0.00025), "≤ 250 µs"),
        ((0.0005, 0.001), "≤ 1 ms"),
        ((0.05, 0.075), "≤ 75 ms"),
        ((0.5, 1.0), "≤ 1 s"),
        ((1.0, 2.5), "≤ 2.5 s"),
        ((10.0, None), "> 10 s"),
        ((0.75, None), "> 750 ms"),
        ((0.0, None), "> 0 µs"),
        ((None, None), "> 0 µs"),
    ],
    ids=str,
)
def test_a_value_in_a_bucket_has_the_digits_of_its_bound(bounds: tuple[float | None, ...] | None, text: str) -> None:
    assert units.bucket(bounds) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(9.996, 3, "10.0"), (0.09996, 3, "0.100"), (1, 1, "1"), (0.96, 1, "1"), (123.4, 2, "123"), (-0.5, 3, "-0.500")],
)
def test_rounding_up_adds_no_digit(value: float, digits: int, text: str) -> None:
    assert units.significant(value, digits) == text
