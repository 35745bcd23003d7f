"""Values as people read them."""

import pytest

from tools.preview.units import formatted


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0000042, "s", "4.2 µs"),
        (0.0745, "s", "74.5 ms"),
        (1.5, "s", "1.5 s"),
        (79.2, "s", "1.32 min"),
        (0, "s", "0 s"),
        (-0.004, "s", "-4 ms"),
        (0.9995, "percentunit", "99.95 %"),
        (1, "percentunit", "100 %"),
        (0, "percentunit", "0 %"),
        (13.71, "percentunit", "1371 %"),
        (1023.6, "bytes", "1024 B"),
        (65536, "bytes", "64 KiB"),
        (7.9e6, "binBps", "7.53 MiB/s"),
        (1234, "count:chunks/s", "1.23 K chunks/s"),
        (0.05, "count:streams/s", "0.05 streams/s"),
        (60, "short", "60"),
        (1795369734000, "dateTimeAsIso", "2026-11-22 17:48:54"),
        (float("nan"), "s", "NaN"),
    ],
)
def test_a_value_is_said_in_its_unit(value, unit, text):
    assert formatted(value, unit) == text
