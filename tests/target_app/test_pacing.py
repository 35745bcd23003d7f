"""Deadlines that do not drift, and generators that are closed."""

import asyncio
import time

import pytest
from starlette.requests import ClientDisconnect

from target_app import pacing
from target_app.pacing import ChunkedResponse, Pace


class Clock:
    """A clock that sleeping moves, and that can be moved."""

    def __init__(self, monkeypatch):
        self.now_s = 100.0
        self.slept_s = []
        monkeypatch.setattr(time, "monotonic", lambda: self.now_s)
        monkeypatch.setattr(pacing.asyncio, "sleep", self.sleep)

    async def sleep(self, wait_s):
        self.slept_s.append(wait_s)
        self.now_s += wait_s


def test_a_late_chunk_does_not_delay_the_next_ones(monkeypatch):
    clock = Clock(monkeypatch)

    async def scenario():
        pace = Pace(1.0)
        for number in range(5):
            await pace.wait(number)
            clock.now_s += 1.6 if number == 1 else 0.1

    asyncio.run(scenario())
    assert [round(wait_s, 6) for wait_s in clock.slept_s] == [0.9, 0.3, 0.9]


def test_a_stream_that_never_waits_lets_others_run(monkeypatch):
    clock = Clock(monkeypatch)

    async def scenario():
        pace = Pace(0.0)
        for number in range(96):
            await pace.wait(number)

    asyncio.run(scenario())
    assert clock.slept_s == [0, 0, 0]


def test_the_generator_is_closed_when_the_response_ends():
    closed = []

    async def chunks():
        try:
            yield b"1"
            yield b"2"
        finally:
            closed.append(True)

    async def send(message):
        if message.get("body"):
            raise OSError("gone")

    response = ChunkedResponse(chunks(), "text/plain")

    async def scenario():
        with pytest.raises(ClientDisconnect):
            await response({"type": "http", "asgi": {"spec_version": "2.4"}}, None, send)
        assert closed == [True]

    asyncio.run(scenario())
