"""The wish that streams end: uttered once for the whole app, and heard by every stream that waits."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial


class Closing:
    """Asks the streams under way to end with their terminator. One per app, at ``app.state.closing``."""

    def __init__(self) -> None:
        #: Why the streams are to end; None as long as they are not.
        self.reason: str | None = None
        self._wakers: set[Callable[[], object]] = set()

    def close(self, reason: str) -> None:
        """Wake all who wait. May come from any thread and from a signal handler; the first reason stands."""
        if self.reason is None:
            self.reason = reason
            for wake in tuple(self._wakers):
                wake()

    @contextmanager
    def waking(self, wake: Callable[[], object]) -> Iterator[None]:
        """Have ``wake`` called at ``close``, from whatever thread that comes; at once where it has been."""
        # Subtleness ahead! First the waker, then the look: the other way round, a signal between the two goes unheard.
        self._wakers.add(wake)
        try:
            if self.reason is not None:
                wake()
            yield
        finally:
            self._wakers.discard(wake)

    async def sleep(self, wait_s: float) -> None:
        """Wait for ``wait_s`` seconds, or until the streams are to end."""
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(wait_s, _end, over)
        try:
            with self.waking(partial(loop.call_soon_threadsafe, _end, over)):
                await over
        finally:
            timer.cancel()


def _end(waiting: "asyncio.Future[None]") -> None:
    if not waiting.done():
        waiting.set_result(None)
