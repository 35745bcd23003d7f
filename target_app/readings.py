"""The readings of a river gauge: each a pure function of its number, encoded as JSON of a chosen size."""

import datetime as dt
import math
from functools import lru_cache

from target_app.sample_text import LINE, Repeating

STATION = "Harrow Bridge"
INTERVAL = dt.timedelta(minutes=15)
READINGS_PER_DAY = 96
#: Nine days, after which the values repeat.
CYCLE_READINGS = 9 * READINGS_PER_DAY
_FIRST_DAY = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
_NOTES = Repeating(LINE.encode("ascii"))
_NOTE_STEP_BYTES = 61


def level_m(number: int) -> float:
    """Compute the river's level: a spring flood, the hydro plant's daily step, and the wind's ripple."""
    number %= CYCLE_READINGS
    flood = 0.9 * math.exp(-((number / READINGS_PER_DAY - 2.0) ** 2) / 1.3)
    step = 0.06 if 48 <= number % READINGS_PER_DAY < 72 else 0.0
    ripple = 0.004 * math.sin(number * 2.399963)
    return 1.12 + flood + step + ripple


def flow_m3s(number: int) -> float:
    """Compute the discharge by the station's rating curve Q = 18.4 (h - 0.31) ^ 1.62."""
    return float(18.4 * (level_m(number) - 0.31) ** 1.62)


def temperature_c(number: int) -> float:
    """Compute the water's temperature, highest in the late afternoon."""
    return 6.8 + 1.3 * math.sin(2 * math.pi * (number % READINGS_PER_DAY - 40) / READINGS_PER_DAY)


def time_of(number: int) -> dt.datetime:
    """Compute the time of a reading."""
    return _FIRST_DAY + number * INTERVAL


_CLOCK = tuple(f"T{time_of(number):%H:%M:%S}Z".encode("ascii") for number in range(READINGS_PER_DAY))
#: The values of each reading as members of a JSON object: encoded once for all streams.
_VALUES = tuple(
    f'"station":"{STATION}","level_m":{level_m(number):.3f},"flow_m3s":{flow_m3s(number):.2f},'
    f'"temperature_c":{temperature_c(number):.1f}'.encode("ascii")
    for number in range(CYCLE_READINGS)
)


@lru_cache(maxsize=4096)
def _date(day: int) -> bytes:
    return f"{time_of(day * READINGS_PER_DAY):%Y-%m-%d}".encode("ascii")


def time_text(number: int) -> bytes:
    """Write the time of a reading in ISO 8601 (RFC 3339)."""
    return _date(number // READINGS_PER_DAY) + _CLOCK[number % READINGS_PER_DAY]


def reading_json(number: int, before: bytes, size_bytes: int) -> bytes:
    """Encode a reading as one JSON object of ``size_bytes`` bytes, or more if it needs them.

    ``before`` are members that precede its own, with a comma at their end. A note fills the rest.
    """
    head = _head(number, before)
    return b'%b%b"}' % (head, _NOTES.piece(number * _NOTE_STEP_BYTES, max(0, size_bytes - len(head) - 2)))


def note(number: int, before: bytes, size_bytes: int) -> str:
    """Cut the note of ``reading_json``, for callers that encode the reading in another way."""
    room_bytes = max(0, size_bytes - len(_head(number, before)) - 2)
    return _NOTES.piece(number * _NOTE_STEP_BYTES, room_bytes).decode("ascii")


def _head(number: int, before: bytes) -> bytes:
    values = _VALUES[number % CYCLE_READINGS]
    return b'{%b"seq":%d,"time":"%b",%b,"note":"' % (before, number, time_text(number), values)
