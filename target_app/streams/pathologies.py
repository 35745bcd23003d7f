"""``/pathologies/…``: what no service should do, done on purpose to show its symptoms. Do not copy.

Each is limited, so that it harms the other streams of its process only for a while.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from time import monotonic
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, Field, model_validator

from target_app.knobs import LARGEST_COLLECTED_BYTES
from target_app.pacing import due_times
from target_app.producer import Plan, StreamCutError, StreamLimits, collect, fails_at, produce
from target_app.response import UNBUFFERED, ChunkedResponse
from target_app.streams.catalogue import (
    BLOCKING,
    BUFFERED,
    HIDDEN_ERROR,
    NEVER_AWAITS,
    SSE_TYPE,
    UNTERMINATED,
    Stream,
)
from target_app.streams.description import EVENT_ITEM, route_options
from target_app.streams.native import NativeEvents
from target_app.streams.resumption import RESUMABLE, LastEventId, Resumed, first_chunk
from target_app.streams.sse import Events

#: A longer block would look like a dead process to a health check every second.
LONGEST_BLOCK_MS = 250
LONGEST_PATHOLOGY_S = 60
MOST_UNAWAITED_CHUNKS = 100_000
_FLUSH_TURNS = 10
_TURN_S = 0.01
router = APIRouter()


def _events(stream: Stream, description: str, response_class: type[Response] = StreamingResponse) -> dict[str, Any]:
    """Make the arguments of a route whose events have ids."""
    return route_options(stream, EVENT_ITEM, description, others=RESUMABLE, response_class=response_class)


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
        """Make the plan of a stream that does not fail."""
        return Plan(self.chunks, due_times(self.interval_ms / 1000), first=first)

    def failing(self, how: Literal["cut", "end"]) -> "Failing":
        """Make knobs of a stream that fails half way."""
        return Failing(self, how)


class Failing:
    """Knobs of a stream that fails half way."""

    def __init__(self, knobs: PathologyKnobs, how: Literal["cut", "end"]) -> None:
        self._knobs = knobs
        self._how = how

    def plan(self, first: int = 0) -> Plan:
        """Make the plan of a stream that begins with chunk ``first``."""
        whole = self._knobs.plan(first)
        return Plan(whole.chunks, whole.due_times, fails_at(whole.chunks // 2, first), self._how, first)


class BlockingKnobs(PathologyKnobs):
    """The knobs of ``/pathologies/blocking``."""

    block_ms: float = Field(
        100,
        ge=1,
        le=LONGEST_BLOCK_MS,
        allow_inf_nan=False,
        description="Milliseconds for which each event blocks the loop.",
    )


class BufferedKnobs(PathologyKnobs):
    """The knobs of ``/pathologies/buffered``, which holds all its events in memory."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.chunks * self.chunk_bytes > LARGEST_COLLECTED_BYTES:
            raise ValueError(f"chunks x chunk_bytes is more than {LARGEST_COLLECTED_BYTES} bytes")
        return self


class NeverAwaitsKnobs(BaseModel):
    """The knobs of ``/pathologies/never-awaits``."""

    model_config = ConfigDict(extra="forbid")

    chunks: int = Field(MOST_UNAWAITED_CHUNKS, ge=1, le=MOST_UNAWAITED_CHUNKS, description="Events to make.")
    chunk_bytes: int = Field(256, ge=1, le=4096, description="Bytes of an event.")


class BlockingEvents(Events):
    """Events that block the loop while they are made, and then leave it free for as long.

    ``turn`` lets one such stream block at a time, so that any number of them leaves the loop half of its time.
    """

    prepares = True

    def __init__(self, size_bytes: int, block_s: float, turn: asyncio.Lock) -> None:
        super().__init__(size_bytes)
        self._block_s = block_s
        self._turn = turn

    async def prepare(self) -> None:
        """Block the loop, then leave it free."""
        async with self._turn:
            self._block()
            await asyncio.sleep(self._block_s)

    def _block(self) -> None:
        time.sleep(self._block_s)


@router.get(BLOCKING.path, **_events(BLOCKING, "The events of `/stream/sse`, each after `block_ms`."))
async def blocking(
    knobs: Annotated[BlockingKnobs, Query()], request: Request, last_event_id: LastEventId = None
) -> ChunkedResponse:
    """**Pathology.** Symptoms: `event_loop_lag_seconds` and the chunk intervals of all other streams grow.

    Any number of these streams blocks a process for at most half of the time.
    """
    events = BlockingEvents(knobs.chunk_bytes, knobs.block_ms / 1000, request.app.state.blocking)
    return ChunkedResponse(produce(events, knobs, request, first_chunk(last_event_id, knobs.chunks)), SSE_TYPE)


async def without_await(form: Events, chunks: int, limits: StreamLimits, first: int = 0) -> AsyncGenerator[bytes]:
    """Generate the events without an ``await``: only the caller can yield to the event loop."""
    deadline_s, number = monotonic() + limits.max_stream_s, first
    while number < chunks and limits.shutdown.reason is None and monotonic() < deadline_s:
        yield form.chunk(number)
        number += 1
    yield form.terminator(number)


@router.get(NEVER_AWAITS.path, **_events(NEVER_AWAITS, "The events of `/stream/sse`, without a pause."))
async def never_awaits(
    knobs: Annotated[NeverAwaitsKnobs, Query()], request: Request, last_event_id: LastEventId = None
) -> ChunkedResponse:
    """**Pathology.** Symptoms: bursts of `event_loop_lag_seconds`, and chunks of other streams in bursts.

    The instruments around the app make this stream yield. Without them, it would run forever after its client
    disconnects: `send` returns at once then, and nothing else runs.
    """
    first, limits = first_chunk(last_event_id, knobs.chunks), request.app.state.stream_limits
    events = without_await(Events(knobs.chunk_bytes), knobs.chunks, limits, first)
    return ChunkedResponse(events, SSE_TYPE)


@router.get(BUFFERED.path, **_events(BUFFERED, "The events of `/stream/sse`, all at the end."))
async def buffered(
    knobs: Annotated[BufferedKnobs, Query()], request: Request, last_event_id: LastEventId = None
) -> Response:
    """**Pathology.** Symptoms: the time to first chunk is the whole duration, and every interval is zero."""
    first = first_chunk(last_event_id, knobs.chunks)
    events = await collect(produce(Events(knobs.chunk_bytes), knobs, request, first), request)
    return Response(b"".join(events), 200, UNBUFFERED, SSE_TYPE)


@router.get(UNTERMINATED.path, **_events(UNTERMINATED, "The first half of the events, without `done`."))
async def unterminated(
    knobs: Annotated[PathologyKnobs, Query()], request: Request, last_event_id: LastEventId = None
) -> ChunkedResponse:
    """**Pathology.** Symptoms: none at the server, which counts it as completed. A client that names the end marker,
    `event:done`, counts it as incomplete. One that reconnects gets the other half.
    """
    first = first_chunk(last_event_id, knobs.chunks)
    return ChunkedResponse(produce(Events(knobs.chunk_bytes), knobs.failing("end"), request, first), SSE_TYPE)


async def _resumed(
    knobs: Annotated[PathologyKnobs, Query()], last_event_id: LastEventId = None
) -> Resumed[PathologyKnobs]:
    return Resumed(knobs, first_chunk(last_event_id, knobs.chunks))


@router.get(
    HIDDEN_ERROR.path,
    **_events(HIDDEN_ERROR, "The first half of the events, without `done` and `error`.", EventSourceResponse),
)
async def hidden_error(
    resumed: Annotated[Resumed[PathologyKnobs], Depends(_resumed)], request: Request
) -> AsyncIterable[ServerSentEvent]:
    """**Pathology.** Symptoms: an error in the log, and nothing else at the server. A client that names the end
    marker, `event:done`, counts it as incomplete. One that reconnects gets the other half.
    """
    knobs, first = resumed.knobs, resumed.first
    async with aclosing(produce(NativeEvents(knobs.chunk_bytes), knobs.failing("cut"), request, first)) as events:
        try:
            async for event in events:
                yield event
        except StreamCutError:
            # Raised at once, it could cut the body while FastAPI still passes events on. Each sleep gives FastAPI a
            # turn of the loop, however busy the machine is.
            for _ in range(_FLUSH_TURNS):
                await asyncio.sleep(_TURN_S)
            raise
