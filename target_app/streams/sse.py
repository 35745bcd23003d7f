"""``/stream/sse``: Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from target_app.knobs import Knobs
from target_app.producer import Form, produce
from target_app.readings import reading_json
from target_app.response import ChunkedResponse
from target_app.streams.catalogue import SSE, SSE_TYPE
from target_app.streams.description import EVENT_ITEM, route_options
from target_app.streams.resumption import RESUMABLE, LastEventId, first_chunk

router = APIRouter()


def event(number: int, size_bytes: int) -> bytes:
    """Encode reading ``number`` as one event of ``size_bytes`` bytes, or more if it needs them."""
    head = b"id: %d\nevent: reading\ndata: " % number
    return b"%b%b\n\n" % (head, reading_json(number, b"", size_bytes - len(head) - 2))


class Events(Form[bytes]):
    """Events, encoded as bytes that are sent as they are."""

    heartbeat = b": still here\n\n"
    has_terminator = True

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes

    def chunk(self, number: int) -> bytes:
        """Encode an event named ``reading``."""
        return event(number, self._size_bytes)

    def terminator(self, chunks: int) -> bytes:
        """Encode the event named ``done``."""
        return b'id: %d\nevent: done\ndata: {"chunks":%d}\n\n' % (chunks, chunks)

    def error(self, message: str) -> bytes:
        """Encode the event named ``error``. It has no id, so that a client resumes after the last reading."""
        return b'event: error\ndata: {"message":"%b"}\n\n' % message.encode()


@router.get(
    SSE.path,
    **route_options(
        SSE,
        EVENT_ITEM,
        "`chunks` events named `reading`, then one named `done`: `chunks` + 1 chunks in all. "
        "A failing stream ends with one named `error` instead. Comments are heartbeats.",
        event(0, 256).decode(),
        RESUMABLE,
    ),
)
async def stream_sse(
    knobs: Annotated[Knobs, Query()], request: Request, last_event_id: LastEventId = None
) -> ChunkedResponse:
    """Each event has an `id`, the reading's number, and `data`, a JSON object that a note fills to `chunk_bytes`."""
    first = first_chunk(last_event_id, knobs.chunks)
    return ChunkedResponse(produce(Events(knobs.chunk_bytes), knobs, request, first), SSE_TYPE)
