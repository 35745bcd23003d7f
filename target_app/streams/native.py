"""``/native/sse`` and ``/native/ndjson``: the streams that FastAPI encodes itself.

Their generators yield values, and FastAPI validates and encodes each. That is less code and much slower, and its
Server-Sent Events hide an exception of the generator: the body ends cleanly, so there is no ``cut``.
"""

from collections.abc import AsyncIterable
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import Field

from target_app.items import Done, Failure, Reading, TypedDone, TypedFailure, TypedItem, TypedReading
from target_app.knobs import Knobs
from target_app.producer import Form, produce
from target_app.readings import STATION, flow_m3s, level_m, note, temperature_c, time_of
from target_app.response import UNBUFFERED
from target_app.streams.catalogue import NATIVE_NDJSON, NATIVE_SSE
from target_app.streams.description import EVENT_ITEM, REFUSALS, route_options
from target_app.streams.resumption import RESUMABLE, LastEventId, Resumed, first_chunk

router = APIRouter()


class NativeKnobs(Knobs):
    """The knobs of ``/native/sse``, which cannot be cut."""

    fail_how: Literal["error", "end", "stall"] = Field(
        "error", description="How the stream fails at `fail_at`: see `/stream/sse`. It cannot be cut."
    )


def _values(number: int) -> dict[str, Any]:
    return {
        "seq": number,
        "time": time_of(number),
        "station": STATION,
        "level_m": round(level_m(number), 3),
        "flow_m3s": round(flow_m3s(number), 2),
        "temperature_c": round(temperature_c(number), 1),
    }


class NativeEvents(Form[ServerSentEvent]):
    """Events for FastAPI, which sends heartbeats of its own."""

    has_terminator = True

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes

    def chunk(self, number: int) -> ServerSentEvent:
        """Make an event named ``reading``."""
        framing = b"event: reading\ndata: \nid: %d\n\n" % number
        filling = note(number, b"", self._size_bytes - len(framing))
        return ServerSentEvent(data=Reading(**_values(number), note=filling), event="reading", id=str(number))

    def terminator(self, chunks: int) -> ServerSentEvent:
        """Make the event named ``done``."""
        return ServerSentEvent(data=Done(chunks=chunks), event="done", id=str(chunks))

    def error(self, message: str) -> ServerSentEvent:
        """Make the event named ``error``."""
        return ServerSentEvent(data=Failure(message=message), event="error")


class NativeLines(Form[TypedItem]):
    """Lines for FastAPI. JSON Lines has no heartbeat."""

    has_terminator = True

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes

    def chunk(self, number: int) -> TypedItem:
        """Make a line of the type ``reading``."""
        filling = note(number, b'"type":"reading",', self._size_bytes - 1)
        return TypedReading(**_values(number), note=filling)

    def terminator(self, chunks: int) -> TypedItem:
        """Make the line of the type ``done``."""
        return TypedDone(chunks=chunks)

    def error(self, message: str) -> TypedItem:
        """Make the line of the type ``error``."""
        return TypedFailure(message=message)


async def _resumed(knobs: Annotated[NativeKnobs, Query()], last_event_id: LastEventId = None) -> Resumed[NativeKnobs]:
    """Find where the stream begins. A dependency does it, since the generator runs after the headers are sent."""
    return Resumed(knobs, first_chunk(last_event_id, knobs.chunks))


@router.get(
    NATIVE_SSE.path,
    **route_options(
        NATIVE_SSE,
        EVENT_ITEM,
        "`chunks` events named `reading`, then one named `done`.",
        others=RESUMABLE,
        response_class=EventSourceResponse,
    ),
)
async def native_sse(
    resumed: Annotated[Resumed[NativeKnobs], Depends(_resumed)], request: Request
) -> AsyncIterable[ServerSentEvent]:
    """Each event has an `id`, the reading's number, and `data`, a JSON object that a note fills to `chunk_bytes`."""
    knobs = resumed.knobs
    async with aclosing(produce(NativeEvents(knobs.chunk_bytes), knobs, request, resumed.first)) as events:
        async for each in events:
            yield each


def _unbuffered(response: Response) -> None:
    """Set the headers of a stream. A dependency does it, since the generator runs after the headers are sent."""
    response.headers.update(UNBUFFERED)


@router.get(
    NATIVE_NDJSON.path,
    summary=NATIVE_NDJSON.title,
    tags=[NATIVE_NDJSON.tag],
    responses={**REFUSALS},
    dependencies=[Depends(_unbuffered)],
)
async def native_ndjson(knobs: Annotated[Knobs, Query()], request: Request) -> AsyncIterable[TypedItem]:
    """Each line is a JSON object that a note fills to about `chunk_bytes`, the newline included."""
    async with aclosing(produce(NativeLines(knobs.chunk_bytes), knobs, request)) as lines:
        async for each in lines:
            yield each
