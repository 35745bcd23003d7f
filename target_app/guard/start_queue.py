"""The start queue: streams that are requested at once start one after another."""

import asyncio
from collections import deque


class StartQueue:
    """Lets ``PER_TURN`` streams start in each turn of the event loop; the others wait, in order.

    Starting a stream takes the loop much longer than sending a chunk. With the queue, streams that start at once delay
    each other, but not the running ones.
    """

    PER_TURN = 1

    def __init__(self) -> None:
        self._passed = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def wait_turn(self) -> None:
        """Wait for the caller's turn; return at once if no other stream is about to start."""
        loop = asyncio.get_running_loop()
        if self._passed < self.PER_TURN:
            if not self._passed:
                loop.call_soon(self._turn, loop)
            self._passed += 1
            return
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        self._passed = 0
        while self._waiting and self._passed < self.PER_TURN:
            turn = self._waiting.popleft()
            if not turn.done():  # the client may have disconnected
                turn.set_result(None)
                self._passed += 1
        if self._passed:
            loop.call_soon(self._turn, loop)
