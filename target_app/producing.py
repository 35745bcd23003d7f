"""The one loop that makes every stream: it paces, fails where asked, keeps silence alive, and ends in good order.

1. A ``Form`` knows a wire format: the bytes of chunk n, of the end marker, of an error, of a heartbeat.
2. A ``Plan`` is what the client asked for: how many chunks, when each is due, and where the stream fails.
3. ``Terms`` are what the service sets: how long a stream may last, how long it may be silent, and when all must end.
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
from target_app.shutdown import Closing

Item = TypeVar("Item")
FailHow = Literal["error", "cut", "end", "stall"]
#: A stream that is never early enough to wait lets others run after so many chunks.
CHUNKS_PER_TURN = 32


class StreamCutError(RuntimeError):
    """Breaks a stream off where no chunk can say why: the client sees that its body is not whole."""

    @staticmethod
    def shorten(record: logging.LogRecord) -> bool:
        """A filter for logs: a stream that was cut on purpose is one line in them, and no traceback."""
        error = record.exc_info[1] if record.exc_info else None
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if isinstance(error, StreamCutError):
            record.msg, record.args, record.exc_info = "a stream was cut: %s", (str(error),), None
        return True


@dataclass(frozen=True, slots=True)
class Plan:
    """What a client asked for."""

    chunks: int
    #: When chunk ``first`` and those after it are due, in seconds from the stream's start.
    beats: Iterator[float]
    fail_at: int | None = None
    fail_how: FailHow = "error"
    first: int = 0


class Asking(Protocol):
    """Knobs, as far as the loop needs them."""

    def plan(self, first: int = 0) -> Plan:
        """What they ask for."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the service sets for all its streams. One per app, at ``app.state.terms``."""

    closing: Closing
    max_stream_s: float = 3660.0
    #: Silence after which a heartbeat goes out; 0 sends none.
    heartbeat_s: float = 15.0


class Form(Generic[Item]):
    """What a wire format makes of one stream. ``None`` is what a format does not have."""

    #: What goes out at once, before the first chunk is due.
    preface: Item | None = None
    #: What says that the stream is alive, and is no chunk.
    heartbeat: Item | None = None
    #: Whether an end marker comes one interval after the last chunk.
    has_terminator = False
    #: Whether the length was announced: such a stream cannot end early, so it hurries where others end.
    announced = False
    #: Whether each chunk must be prepared.
    prepares = False

    async def prepare(self) -> None:
        """Wait for what the next chunk is made of."""

    def chunk(self, number: int, /) -> Item:
        """Chunk ``number``, counted from 0."""
        raise NotImplementedError

    def terminator(self, _chunks: int, /) -> Item | None:
        """What ends a stream of so many chunks."""
        return None

    def error(self, _message: str, /) -> Item | None:
        """What says that the stream failed, and ends it."""
        return None

    async def close(self) -> None:
        """Let go of what it holds."""


def produce(form: Form[Item], knobs: Asking, connection: HTTPConnection, first: int = 0) -> AsyncGenerator[Item]:
    """The stream that ``knobs`` ask for, in ``form``. Whoever iterates closes it, at once (``aclosing``)."""
    terms: Terms = connection.app.state.terms
    return Producer(form, knobs.plan(first), terms, partial(mark_outcome, connection.scope)).run()


async def gather(items: AsyncGenerator[Item], request: Request) -> list[Item]:
    """All that a stream has, once it has ended; nothing if the client leaves before."""
    found: list[Item] = []
    cut: StreamCutError | None = None
    async with aclosing(items), anyio.create_task_group() as group:
        group.start_soon(_until_gone, request, group.cancel_scope)
        try:
            found = [item async for item in items]
        except StreamCutError as error:
            cut = error
        group.cancel_scope.cancel()
    if cut is not None:
        raise cut
    return found


async def _until_gone(request: Request, gathering: anyio.CancelScope) -> None:
    """End the gathering when the client leaves, whatever it waits for."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gathering.cancel()


class Producer(Generic[Item]):
    """Makes one stream. ``mark`` tells the instruments an outcome that they could not see."""

    def __init__(self, form: Form[Item], plan: Plan, terms: Terms, mark: Callable[[str], None]) -> None:
        self._form = form
        self._plan = plan
        self._closing = terms.closing
        self._heartbeat_s = (terms.heartbeat_s or math.inf) if form.heartbeat is not None else math.inf
        self._max_s = terms.max_stream_s
        self._mark = mark
        self._start_s = monotonic()
        self._deadline_s = self._start_s + terms.max_stream_s

    async def run(self) -> AsyncGenerator[Item]:
        """The stream: its chunks and whatever else goes out."""
        form, plan, closing = self._form, self._plan, self._closing
        start_s, deadline_s = self._start_s, self._deadline_s
        stop_at = plan.chunks if plan.fail_at is None else plan.fail_at
        try:
            if form.preface is not None:
                yield form.preface
            for number, offset_s in enumerate(plan.beats, plan.first):
                if number == plan.chunks != plan.fail_at and not form.has_terminator:
                    break
                due_s = start_s + offset_s
                if monotonic() < due_s and closing.reason is None:
                    async for heartbeat in self._silence(due_s, self._heartbeat_s):
                        yield heartbeat
                elif number % CHUNKS_PER_TURN == CHUNKS_PER_TURN - 1:
                    await asyncio.sleep(0)
                if number >= stop_at or monotonic() >= deadline_s or (closing.reason and not form.announced):
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
        """Wait until ``due_s``, until the stream has lasted too long, or until all are to end; with heartbeats."""
        closing, until_s = self._closing, min(due_s, self._deadline_s)
        now_s = monotonic()
        beat_s = now_s + heartbeat_s
        while now_s < until_s and closing.reason is None:
            await closing.sleep(min(until_s, beat_s) - now_s)
            now_s = monotonic()
            if beat_s <= now_s < until_s and self._form.heartbeat is not None:
                yield self._form.heartbeat
                beat_s = now_s + heartbeat_s

    async def _last(self, number: int) -> Item | None:
        """What ends the stream in place of chunk ``number``. Raises StreamCutError where nothing can say it."""
        failing, how = number == self._plan.fail_at, self._plan.fail_how
        if failing and how == "stall":
            async for _ in self._silence(math.inf, math.inf):
                pass
        if monotonic() >= self._deadline_s:
            return self._failure("deadline", f"the stream has lasted {self._max_s:g} s, the longest that one may")
        if failing and how == "error":
            return self._failure("error", f"the gauge failed at chunk {number}, as it was asked to")
        if failing and (how == "cut" or self._form.announced):
            raise StreamCutError(f"cut at chunk {number}, as it was asked to")
        if failing and how == "end":
            return None
        return self._form.terminator(number)

    def _failure(self, outcome: str, message: str) -> Item:
        self._mark(outcome)
        last = self._form.error(message)
        if last is None:
            raise StreamCutError(message)
        return last
