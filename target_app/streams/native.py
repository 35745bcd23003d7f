"""``/native/sse`` and ``/native/ndjson``: the forms that FastAPI encodes itself, beside the fast path.

Here the generator yields values, and FastAPI validates and encodes each of them. That is less to write and much slower,
and its Server-Sent Events hide an error that the generator raises: the body ends cleanly, so no ``cut`` is offered.
"""

from collections.abc import AsyncIterable
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import Field

from target_app.items import Done, Failure, Reading, TypedDone, TypedFailure, TypedItem, TypedReading
from target_app.knobs import Knobs
from target_app.producing import Form, produce
from target_app.readings import STATION, flow_m3s, level_m, note, temperature_c, time_of
from target_app.response import UNBUFFERED
from target_app.streams.catalogue import NATIVE_NDJSON, NATIVE_SSE
from target_app.streams.description import EVENT_ITEM, REFUSALS, described

router = APIRouter()


class NativeKnobs(Knobs):
    """The knobs of ``/native/sse``, which can say that it failed or keep silent, but cannot be cut."""

    fail_how: Literal["error", "end", "stall"] = Field(
        "error", description="How it fails at `fail_at`: see `/stream/sse`. It cannot be cut."
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
    """Events as FastAPI takes them. Heartbeats are its own."""

    has_terminator = True

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes

    def chunk(self, number: int) -> ServerSentEvent:
        """An event named ``reading``."""
        framing = b"event: reading\ndata: \nid: %d\n\n" % number
        filling = note(number, b"", self._size_bytes - len(framing))
        return ServerSentEvent(data=Reading(**_values(number), note=filling), event="reading", id=str(number))

    def terminator(self, chunks: int) -> ServerSentEvent:
        """The event named ``done``."""
        return ServerSentEvent(data=Done(chunks=chunks), event="done", id=str(chunks))

    def error(self, message: str) -> ServerSentEvent:
        """The event named ``error``."""
        return ServerSentEvent(data=Failure(message=message), event="error")


class NativeLines(Form[TypedItem]):
    """Lines as FastAPI takes them: the values themselves. JSON Lines have no heartbeat."""

    has_terminator = True

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes

    def chunk(self, number: int) -> TypedItem:
        """A line of the type ``reading``."""
        filling = note(number, b'"type":"reading",', self._size_bytes - 1)
        return TypedReading(**_values(number), note=filling)

    def terminator(self, chunks: int) -> TypedItem:
        """The line of the type ``done``."""
        return TypedDone(chunks=chunks)

    def error(self, message: str) -> TypedItem:
        """The line of the type ``error``."""
        return TypedFailure(message=message)


@router.get(
    NATIVE_SSE.path,
    **described(
        NATIVE_SSE,
        EVENT_ITEM,
        "`chunks` events named `reading`, and on top of them one named `done`.",
        response_class=EventSourceResponse,
    ),
)
async def native_sse(knobs: Annotated[NativeKnobs, Query()], request: Request) -> AsyncIterable[ServerSentEvent]:
    """Each event has an `id`, the reading's number, and `data`, a JSON object that a note fills to `chunk_bytes`."""
    async with aclosing(produce(NativeEvents(knobs.chunk_bytes), knobs, request)) as events:
        async for each in events:
            yield each


def _unbuffered(response: Response) -> None:
    """The headers of a stream, set by a dependency: the generator itself runs when they are already out."""
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
