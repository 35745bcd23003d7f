"""The readings of one river gauge: a pure function of their number, encoded as JSON of a chosen size."""

import datetime as dt
import math
from functools import lru_cache

from target_app.prose import LINE, Endless

STATION = "Harrow Bridge"
INTERVAL = dt.timedelta(minutes=15)
READINGS_PER_DAY = 96
_FIRST_DAY = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
_NOTES = Endless(LINE)
_NOTE_STEP_BYTES = 61


def level_m(number: int) -> float:
    """The river's height: a spring freshet every nine days, the hydro plant's daily step, and the wind's ripple."""
    day = number / READINGS_PER_DAY
    freshet = 0.9 * math.exp(-(((day % 9.0) - 2.0) ** 2) / 1.3)
    step = 0.06 if 48 <= number % READINGS_PER_DAY < 72 else 0.0
    ripple = 0.004 * math.sin(number * 2.399963)
    return 1.12 + freshet + step + ripple


def flow_m3s(number: int) -> float:
    """The discharge, by the station's rating curve Q = 18.4 (h - 0.31) ^ 1.62."""
    return float(18.4 * (level_m(number) - 0.31) ** 1.62)


def temperature_c(number: int) -> float:
    """The water's temperature, warmest in the late afternoon."""
    return 6.8 + 1.3 * math.sin(2 * math.pi * (number - 40) / READINGS_PER_DAY)


def time_of(number: int) -> dt.datetime:
    """When the reading was taken."""
    return _FIRST_DAY + number * INTERVAL


@lru_cache(maxsize=4096)
def _values(number: int) -> bytes:
    """What a reading says, as members of a JSON object: encoded once, for all streams ask for the same ones."""
    return (
        f'"time":"{time_of(number):%Y-%m-%dT%H:%M:%SZ}","station":"{STATION}","level_m":{level_m(number):.3f},'
        f'"flow_m3s":{flow_m3s(number):.2f},"temperature_c":{temperature_c(number):.1f}'
    ).encode("ascii")


def reading_json(number: int, before: bytes, size_bytes: int) -> bytes:
    """The reading as one JSON object of ``size_bytes`` bytes, or as many as it needs.

    ``before`` are members that precede its own, a comma at their end. A note, cut to fit, fills what is left.
    """
    head = b'{%b"seq":%d,%b,"note":"' % (before, number, _values(number))
    return b'%b%b"}' % (head, _NOTES.piece(number * _NOTE_STEP_BYTES, max(0, size_bytes - len(head) - 2)))
