"""``/stream/ndjson``: one JSON object a line."""

from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from target_app.knobs import Knobs
from target_app.pacing import ChunkedResponse, Pace
from target_app.readings import reading_json

MEDIA_TYPE = "application/x-ndjson"
router = APIRouter(tags=["streams"])


def line(number: int, size_bytes: int) -> bytes:
    """Reading ``number`` as one line of ``size_bytes`` bytes, or as many as it needs."""
    return reading_json(number, b'"type":"reading",', size_bytes - 1) + b"\n"


def last_line(chunks: int) -> bytes:
    """The line that ends the stream."""
    return b'{"type":"done","chunks":%d}\n' % chunks


async def lines(knobs: Knobs) -> AsyncGenerator[bytes]:
    """The lines of one stream, paced."""
    pace = Pace(knobs.interval_s)
    for number in range(knobs.chunks):
        await pace.wait(number)
        yield line(number, knobs.chunk_bytes)
    await pace.wait(knobs.chunks)
    yield last_line(knobs.chunks)


@router.get(
    "/stream/ndjson",
    summary="Readings as JSON lines",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": '`chunks` lines of `"type":"reading"`, and on top of them one of `"type":"done"`: '
            "`chunks` + 1 chunks in all.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": line(0, 256).decode()}},
        }
    },
)
async def stream_ndjson(knobs: Annotated[Knobs, Query()]) -> StreamingResponse:
    """Each line is a JSON object that a note fills to `chunk_bytes`, the newline included."""
    return ChunkedResponse(lines(knobs), MEDIA_TYPE)
