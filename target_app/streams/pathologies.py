"""``/pathologies/…``: what no service should do, done on purpose, so that its signs can be seen. Nothing to copy here.

Each is bounded, so that it harms the other streams of its process for a while and no longer.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from time import monotonic
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, Field, model_validator

from target_app.knobs import LARGEST_GATHERED_BYTES
from target_app.pacing import beats
from target_app.producing import Plan, StreamCutError, Terms, gather, produce
from target_app.response import UNBUFFERED, ChunkedResponse
from target_app.streams.catalogue import BLOCKING, BUFFERED, HIDDEN_ERROR, NEVER_AWAITS, SSE_TYPE, UNTERMINATED
from target_app.streams.description import EVENT_ITEM, described
from target_app.streams.native import NativeEvents
from target_app.streams.sse import Events

#: Longer, and what asks every second whether the process lives would take it for dead.
LONGEST_BLOCK_MS = 250
LONGEST_PATHOLOGY_S = 60
MOST_UNAWAITED_CHUNKS = 100_000
_LET_OUT_TURNS = 10
_TURN_S = 0.01
router = APIRouter()


class PathologyKnobs(BaseModel):
    """How many chunks, how often, how large."""

    model_config = ConfigDict(extra="forbid")

    chunks: int = Field(50, ge=1, le=10_000, description="Events to make.")
    interval_ms: float = Field(
        50, ge=0, le=1000, allow_inf_nan=False, description="Milliseconds from the start of one event to the next."
    )
    chunk_bytes: int = Field(256, ge=1, le=65536, description="Bytes of an event.")

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.chunks * self.interval_ms > LONGEST_PATHOLOGY_S * 1000:
            raise ValueError(f"chunks x interval_ms is more than {LONGEST_PATHOLOGY_S} seconds")
        return self

    def plan(self, first: int = 0) -> Plan:
        """What they ask for: a stream that does not fail."""
        return Plan(self.chunks, beats(self.interval_ms / 1000), first=first)

    def failing(self, how: Literal["cut", "end"]) -> "Failing":
        """The same of a stream that fails half way."""
        return Failing(self, how)


class Failing:
    """Knobs of a stream that fails half way."""

    def __init__(self, knobs: PathologyKnobs, how: Literal["cut", "end"]) -> None:
        self._knobs = knobs
        self._how = how

    def plan(self, first: int = 0) -> Plan:
        """What they ask for."""
        asked = self._knobs.plan(first)
        return Plan(asked.chunks, asked.beats, asked.chunks // 2, self._how, first)


class BlockingKnobs(PathologyKnobs):
    """The knobs of ``/pathologies/blocking``."""

    block_ms: float = Field(
        100, ge=1, le=LONGEST_BLOCK_MS, allow_inf_nan=False, description="Milliseconds of each blocking of the loop."
    )


class BufferedKnobs(PathologyKnobs):
    """The knobs of ``/pathologies/buffered``, which has all of its events in memory."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.chunks * self.chunk_bytes > LARGEST_GATHERED_BYTES:
            raise ValueError(f"chunks x chunk_bytes is more than {LARGEST_GATHERED_BYTES} bytes")
        return self


class NeverAwaitsKnobs(BaseModel):
    """The knobs of ``/pathologies/never-awaits``."""

    model_config = ConfigDict(extra="forbid")

    chunks: int = Field(MOST_UNAWAITED_CHUNKS, ge=1, le=MOST_UNAWAITED_CHUNKS, description="Events to make.")
    chunk_bytes: int = Field(256, ge=1, le=4096, description="Bytes of an event.")


class BlockingEvents(Events):
    """Events that block the loop while they are made, and then leave it alone for as long.

    ``turn`` lets one such stream block at a time, so that however many there are, the loop has half of its time.
    """

    prepares = True

    def __init__(self, size_bytes: int, block_s: float, turn: asyncio.Lock) -> None:
        super().__init__(size_bytes)
        self._block_s = block_s
        self._turn = turn

    async def prepare(self) -> None:
        """Block the loop, and give way."""
        async with self._turn:
            self._block()
            await asyncio.sleep(self._block_s)

    def _block(self) -> None:
        time.sleep(self._block_s)


@router.get(BLOCKING.path, **described(BLOCKING, EVENT_ITEM, "The events of `/stream/sse`, each after `block_ms`."))
async def blocking(knobs: Annotated[BlockingKnobs, Query()], request: Request) -> ChunkedResponse:
    """**Pathology.** Signs: `event_loop_lag_seconds` grows, and the chunk intervals of all other streams.

    However many of these run in a process, they block it for half of the time at most.
    """
    events = BlockingEvents(knobs.chunk_bytes, knobs.block_ms / 1000, request.app.state.blocking)
    return ChunkedResponse(produce(events, knobs, request), SSE_TYPE)


async def unawaited(form: Events, chunks: int, terms: Terms) -> AsyncGenerator[bytes]:
    """The events, without one ``await``: it is for others to see to it that the loop has its turn."""
    deadline_s, number = monotonic() + terms.max_stream_s, 0
    while number < chunks and terms.closing.reason is None and monotonic() < deadline_s:
        yield form.chunk(number)
        number += 1
    yield form.terminator(number)


@router.get(NEVER_AWAITS.path, **described(NEVER_AWAITS, EVENT_ITEM, "The events of `/stream/sse`, without a pause."))
async def never_awaits(knobs: Annotated[NeverAwaitsKnobs, Query()], request: Request) -> ChunkedResponse:
    """**Pathology.** Signs: short bursts of `event_loop_lag_seconds`, and chunks that come in clumps elsewhere.

    Without the instruments around the app, which make it give way, a client that hangs up would leave it running for
    good: `send` returns at once then, and nothing else gets a turn.
    """
    events = unawaited(Events(knobs.chunk_bytes), knobs.chunks, request.app.state.terms)
    return ChunkedResponse(events, SSE_TYPE)


@router.get(BUFFERED.path, **described(BUFFERED, EVENT_ITEM, "The events of `/stream/sse`, all at once at the end."))
async def buffered(knobs: Annotated[BufferedKnobs, Query()], request: Request) -> Response:
    """**Pathology.** Signs: the time to the first chunk is the whole duration, and every interval is nothing."""
    events = await gather(produce(Events(knobs.chunk_bytes), knobs, request), request)
    return Response(b"".join(events), 200, UNBUFFERED, SSE_TYPE)


@router.get(UNTERMINATED.path, **described(UNTERMINATED, EVENT_ITEM, "The first half of the events; none is `done`."))
async def unterminated(knobs: Annotated[PathologyKnobs, Query()], request: Request) -> ChunkedResponse:
    """**Pathology.** Signs: none at the server, which counts it as completed. A client that names the end marker,
    `event:done`, counts it as incomplete.
    """
    return ChunkedResponse(produce(Events(knobs.chunk_bytes), knobs.failing("end"), request), SSE_TYPE)


@router.get(
    HIDDEN_ERROR.path,
    **described(
        HIDDEN_ERROR,
        EVENT_ITEM,
        "The first half of the events; none is `done`, and none is `error`.",
        response_class=EventSourceResponse,
    ),
)
async def hidden_error(knobs: Annotated[PathologyKnobs, Query()], request: Request) -> AsyncIterable[ServerSentEvent]:
    """**Pathology.** Signs: an error in the log, and nothing else at the server. A client that names the end marker,
    `event:done`, counts it as incomplete.
    """
    async with aclosing(produce(NativeEvents(knobs.chunk_bytes), knobs.failing("cut"), request)) as events:
        try:
            async for event in events:
                yield event
        except StreamCutError:
            # Raised at once, it would find FastAPI still passing events on, and break the body off at times. However
            # busy the machine, each of these sleeps is a turn of the loop for what passes them on.
            for _ in range(_LET_OUT_TURNS):
                await asyncio.sleep(_TURN_S)
            raise
