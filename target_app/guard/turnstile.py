"""The turnstile: however many streams are asked for at once, they begin one after another."""

import asyncio
from collections import deque


class Turnstile:
    """Lets ``PER_TURN`` streams begin in a turn of the event loop; the others wait for the next turns, in order.

    To begin a stream takes the loop much longer than to send a chunk. So many that begin at once delay one another, and
    not the streams under way.
    """

    PER_TURN = 1

    def __init__(self) -> None:
        self._passed = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Return when it is the caller's turn; at once where nobody else is about to begin."""
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
            if not turn.done():  # its client may have left meanwhile
                turn.set_result(None)
                self._passed += 1
        if self._passed:
            loop.call_soon(self._turn, loop)
