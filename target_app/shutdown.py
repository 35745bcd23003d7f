"""The app-wide shutdown signal: set once, seen by every waiting stream."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial


class Shutdown:
    """Asks running streams to end with their end marker. One per app, at ``app.state.shutdown``."""

    def __init__(self) -> None:
        #: Why the streams must end; None until then.
        self.reason: str | None = None
        self._wakers: set[Callable[[], object]] = set()

    def request(self, reason: str) -> None:
        """Wake every waiting stream. Safe in any thread and in a signal handler; the first reason is kept."""
        if self.reason is None:
            self.reason = reason
            for wake in tuple(self._wakers):
                wake()

    @contextmanager
    def notifying(self, wake: Callable[[], object]) -> Iterator[None]:
        """Call ``wake`` at the request, in the thread that makes it; at once if it was made before."""
        # Add first, then check: in the other order a signal between the two would be missed.
        self._wakers.add(wake)
        try:
            if self.reason is not None:
                wake()
            yield
        finally:
            self._wakers.discard(wake)

    async def sleep(self, wait_s: float) -> None:
        """Wait for ``wait_s`` seconds, or until the streams must end."""
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(wait_s, _end, over)
        try:
            with self.notifying(partial(loop.call_soon_threadsafe, _end, over)):
                await over
        finally:
            timer.cancel()


def _end(waiting: "asyncio.Future[None]") -> None:
    if not waiting.done():
        waiting.set_result(None)
