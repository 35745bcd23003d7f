"""Produces every stream in one loop: it paces the chunks, sends heartbeats, fails as requested, and ends the stream.

1. A ``Form`` knows a wire format: the bytes of chunk n, of the end marker, of an error, of a heartbeat.
2. A ``Plan`` is the client's request: how many chunks, when each is due, and where the stream fails.
3. ``StreamLimits`` are the service's: the longest duration, the longest silence, and the shutdown signal.
"""

import asyncio
import logging
import math
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Generic, Literal, Protocol, TypeVar

import anyio
from starlette.requests import HTTPConnection, Request

from streamgauge.asgi import mark_outcome
from target_app.shutdown import Shutdown

Item = TypeVar("Item")
FailHow = Literal["error", "cut", "end", "stall"]
#: A stream that never waits yields to the event loop after so many chunks.
CHUNKS_PER_TURN = 32


class StreamCutError(RuntimeError):
    """Cuts a stream whose format has no error chunk: the client sees a truncated body."""

    @staticmethod
    def shorten(record: logging.LogRecord) -> bool:
        """Filter the log: a stream that was cut on purpose gets one line and no traceback."""
        error = record.exc_info[1] if record.exc_info else None
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if isinstance(error, StreamCutError):
            record.msg, record.args, record.exc_info = "a stream was cut: %s", (str(error),), None
        return True


@dataclass(frozen=True, slots=True)
class Plan:
    """The client's request."""

    chunks: int
    #: When chunk ``first`` and those after it are due, in seconds from the stream's start.
    due_times: Iterator[float]
    fail_at: int | None = None
    fail_how: FailHow = "error"
    first: int = 0


def fails_at(fail_at: int | None, first: int) -> int | None:
    """Find where a stream that begins with chunk ``first`` fails.

    A stream that is resumed where it failed does not fail there again: it would never get further.
    """
    return fail_at if fail_at is not None and (not first or first < fail_at) else None


class HasPlan(Protocol):
    """Knobs that make a plan."""

    def plan(self, first: int = 0) -> Plan:
        """Make the plan of a stream that begins with chunk ``first``."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """The service's limits for all streams. One per app, at ``app.state.stream_limits``."""

    shutdown: Shutdown
    max_stream_s: float = 3660.0
    #: Silence before a heartbeat; 0 sends none.
    heartbeat_s: float = 15.0


class Form(Generic[Item]):
    """One stream in a wire format. ``None`` stands for what a format does not have."""

    #: Sent at once, before the first chunk is due.
    preface: Item | None = None
    #: Sent in silence; not a chunk.
    heartbeat: Item | None = None
    #: Whether an end marker follows one interval after the last chunk.
    has_terminator = False
    #: Whether Content-Length was sent: such a stream cannot end early, so at shutdown it sends the rest at once.
    has_length = False
    #: Whether ``prepare`` must run before each chunk.
    prepares = False

    async def prepare(self) -> None:
        """Wait for the data of the next chunk."""

    def chunk(self, number: int, /) -> Item:
        """Encode chunk ``number``, counted from 0."""
        raise NotImplementedError

    def terminator(self, _chunks: int, /) -> Item | None:
        """Encode the end marker of a stream of so many chunks."""
        return None

    def error(self, _message: str, /) -> Item | None:
        """Encode an error, which ends the stream."""
        return None

    async def close(self) -> None:
        """Release resources."""


def produce(form: Form[Item], knobs: HasPlan, connection: HTTPConnection, first: int = 0) -> AsyncGenerator[Item]:
    """Produce the stream that ``knobs`` describe, in ``form``. The caller must close it (``aclosing``)."""
    limits: StreamLimits = connection.app.state.stream_limits
    return Producer(form, knobs.plan(first), limits, partial(mark_outcome, connection.scope)).run()


async def collect(items: AsyncGenerator[Item], request: Request) -> list[Item]:
    """Collect all items of a stream; none if the client disconnects before its end."""
    found: list[Item] = []
    cut: StreamCutError | None = None
    async with aclosing(items), anyio.create_task_group() as group:
        group.start_soon(_cancel_on_disconnect, request, group.cancel_scope)
        try:
            found = [item async for item in items]
        except StreamCutError as error:
            cut = error
        group.cancel_scope.cancel()
    if cut is not None:
        raise cut
    return found


async def _cancel_on_disconnect(request: Request, collecting: anyio.CancelScope) -> None:
    """Cancel the collecting when the client disconnects."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    collecting.cancel()


class Producer(Generic[Item]):
    """Produces one stream. ``mark`` tells the instruments an outcome that they cannot see."""

    def __init__(self, form: Form[Item], plan: Plan, limits: StreamLimits, mark: Callable[[str], None]) -> None:
        self._form = form
        self._plan = plan
        self._shutdown = limits.shutdown
        self._heartbeat_s = (limits.heartbeat_s or math.inf) if form.heartbeat is not None else math.inf
        self._max_s = limits.max_stream_s
        self._mark = mark
        self._start_s = monotonic()
        self._deadline_s = self._start_s + limits.max_stream_s

    async def run(self) -> AsyncGenerator[Item]:
        """Generate the stream: its chunks, heartbeats and end."""
        form, plan, shutdown = self._form, self._plan, self._shutdown
        start_s, deadline_s = self._start_s, self._deadline_s
        stop_at = plan.chunks if plan.fail_at is None else plan.fail_at
        try:
            if form.preface is not None:
                yield form.preface
            for number, offset_s in enumerate(plan.due_times, plan.first):
                if number == plan.chunks != plan.fail_at and not form.has_terminator:
                    break
                due_s = start_s + offset_s
                if monotonic() < due_s and shutdown.reason is None:
                    async for heartbeat in self._silence(due_s, self._heartbeat_s):
                        yield heartbeat
                elif number % CHUNKS_PER_TURN == CHUNKS_PER_TURN - 1:
                    await asyncio.sleep(0)
                if number >= stop_at or monotonic() >= deadline_s or (shutdown.reason and not form.has_length):
                    break
                if form.prepares:
                    await form.prepare()
                yield form.chunk(number)
            last = await self._last(number)
            if last is not None:
                yield last
        finally:
            with anyio.CancelScope(shield=True):
                await form.close()

    async def _silence(self, due_s: float, heartbeat_s: float) -> AsyncGenerator[Item]:
        """Wait until ``due_s``, the stream's deadline or the shutdown; generate heartbeats meanwhile."""
        shutdown, until_s = self._shutdown, min(due_s, self._deadline_s)
        now_s = monotonic()
        beat_s = now_s + heartbeat_s
        while now_s < until_s and shutdown.reason is None:
            await shutdown.sleep(min(until_s, beat_s) - now_s)
            now_s = monotonic()
            if beat_s <= now_s < until_s and self._form.heartbeat is not None:
                yield self._form.heartbeat
                beat_s = now_s + heartbeat_s

    async def _last(self, number: int) -> Item | None:
        """End the stream instead of chunk ``number``. Raises StreamCutError if the format has no error chunk."""
        failing, how = number == self._plan.fail_at, self._plan.fail_how
        if failing and how == "stall":
            async for _ in self._silence(math.inf, math.inf):
                pass
        if monotonic() >= self._deadline_s:
            return self._failure("deadline", f"the stream reached the longest duration, {self._max_s:g} s")
        if failing and how == "error":
            return self._failure("error", f"the stream failed at chunk {number}, as requested by fail_at")
        if failing and (how == "cut" or self._form.has_length):
            raise StreamCutError(f"cut at chunk {number}, as requested by fail_at")
        if failing and how == "end":
            return None
        return self._form.terminator(number)

    def _failure(self, outcome: str, message: str) -> Item:
        self._mark(outcome)
        last = self._form.error(message)
        if last is None:
            raise StreamCutError(message)
        return last
