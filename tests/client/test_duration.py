"""How long a stream lasted, where its end has a stamp and where only a closed connection ends it."""

import pytest

from streamgauge.stats.cpu_wait import CpuWait
from streamgauge.stats.outcome import Outcome

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
EVENT = b"data: 1\n\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


pytestmark = pytest.mark.usefixtures("cpu_to_spare")


def test_an_end_in_the_framing_is_exact(stream):
    record = stream([CHUNKED, b"9\r\n" + EVENT + b"\r\n", "read", 0.05, b"0\r\n\r\n"])
    assert record.outcome is Outcome.COMPLETED
    assert record.duration_range_s is None
    assert record.duration_s >= 0.05


def test_the_end_of_a_connection_is_an_estimate_between_the_last_read_and_now(stream):
    record = stream([HEAD + b"\r\n", EVENT, "read", 0.05, EVENT, "read", 0.05, "fin"])
    assert record.outcome is Outcome.COMPLETED
    least_s, most_s = record.duration_range_s
    assert least_s <= record.duration_s <= most_s
    assert record.duration_s == pytest.approx((least_s + most_s) / 2)
    assert most_s >= 0.1


def test_a_connection_that_ends_while_nobody_is_busy_ended_just_now(stream, monkeypatch):
    """The thread slept since the last read: the end cannot have waited for long."""
    monkeypatch.setattr(CpuWait, "busy_ns", lambda self: 0)
    record = stream([HEAD + b"\r\n", EVENT, "read", 0.1, "fin"])
    least_s, most_s = record.duration_range_s
    assert most_s - least_s < 0.001


def test_a_connection_that_ends_while_the_generator_is_busy_may_have_ended_long_before(stream, monkeypatch):
    hours = iter(range(0, 10**18, 10**15))
    monkeypatch.setattr(CpuWait, "busy_ns", lambda self: next(hours))
    record = stream([HEAD + b"\r\n", EVENT, "read", 0.1, "fin"])
    least_s, most_s = record.duration_range_s
    assert most_s - least_s > 0.05
    assert least_s >= record.time_to_first_chunk_s * 0.99
