import pytest

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
    ],
)
def test_a_range_names_a_shared_unit_once(least_s: float, most_s: float, text: str) -> None:
    assert units.interval(least_s, most_s) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0 %"),
        (1, "100 %"),
        (1e-5, "<0.01 %"),
        (0.0012, "0.12 %"),
        (0.5, "50.0 %"),
        (0.99999, ">99.99 %"),
    ],
)
def test_a_share_is_0_or_100_percent_only_when_it_is_exactly(value: float | None, text: str) -> None:
    assert units.share(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 B"), (999.7, "1.00 kB"), (1_234_000, "1.23 MB"), (999_999, "1.00 MB"), (1e19, "10000 PB")],
)
def test_sizes_are_decimal(value: float, text: str) -> None:
    assert units.size(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0, "0"), (0.5234, "0.523"), (99.96, "100"), (1234.5, "1,234")]
)
def test_a_rate_keeps_all_its_integer_digits(value: float | None, text: str) -> None:
    assert units.rate(value) == text


def test_one_is_singular() -> None:
    assert [units.some(n, "stream") for n in (0, 1, 1200)] == ["0 streams", "1 stream", "1,200 streams"]
