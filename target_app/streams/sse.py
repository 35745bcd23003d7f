"""``/stream/sse``: Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from target_app.knobs import Knobs
from target_app.pacing import ChunkedResponse, Pace
from target_app.readings import reading_json

MEDIA_TYPE = "text/event-stream"
router = APIRouter(tags=["streams"])


def event(number: int, size_bytes: int) -> bytes:
    """Reading ``number`` as one event of ``size_bytes`` bytes, or as many as it needs."""
    head = b"id: %d\nevent: reading\ndata: " % number
    return b"%b%b\n\n" % (head, reading_json(number, b"", size_bytes - len(head) - 2))


def last_event(chunks: int) -> bytes:
    """The event that ends the stream."""
    return b'id: %d\nevent: done\ndata: {"chunks":%d}\n\n' % (chunks, chunks)


async def events(knobs: Knobs) -> AsyncGenerator[bytes]:
    """The events of one stream, paced."""
    pace = Pace(knobs.interval_s)
    for number in range(knobs.chunks):
        await pace.wait(number)
        yield event(number, knobs.chunk_bytes)
    await pace.wait(knobs.chunks)
    yield last_event(knobs.chunks)


@router.get(
    "/stream/sse",
    summary="Readings as Server-Sent Events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "`chunks` events named `reading`, and on top of them one named `done`: "
            "`chunks` + 1 chunks in all.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": event(0, 256).decode()}},
        }
    },
)
async def stream_sse(knobs: Annotated[Knobs, Query()]) -> StreamingResponse:
    """Each event has an `id`, the reading's number, and `data`, a JSON object that a note fills to `chunk_bytes`."""
    return ChunkedResponse(events(knobs), MEDIA_TYPE)
