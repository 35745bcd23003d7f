"""A stream's generator is closed when its response ends."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect

from target_app.response import ChunkedResponse


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
