"""When a stream's chunks go out, and how the stream is closed."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

#: A proxy must pass every chunk on, and keep none.
UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Pace:
    """Deadlines at a fixed interval from its making: a chunk that was late does not delay the next ones."""

    #: A stream that is never early enough to wait lets others run after so many chunks.
    CHUNKS_PER_TURN = 32

    def __init__(self, interval_s: float) -> None:
        self._start_s = time.monotonic()
        self._interval_s = interval_s

    async def wait(self, number: int) -> None:
        """Return when chunk ``number``, counted from 0, is due."""
        if self._interval_s:
            wait_s = self._start_s + number * self._interval_s - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
                return
        if number % self.CHUNKS_PER_TURN == self.CHUNKS_PER_TURN - 1:
            await asyncio.sleep(0)


class ChunkedResponse(StreamingResponse):
    """A streaming response that closes its generator when it ends, and not when it is garbage-collected."""

    def __init__(
        self, chunks: AsyncGenerator[bytes], media_type: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(chunks, media_type=media_type, headers={**UNBUFFERED, **(headers or {})})
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the chunks, then close what made them."""
        async with aclosing(self._chunks):
            await super().__call__(scope, receive, send)
