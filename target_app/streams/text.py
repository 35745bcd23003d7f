"""``/stream/text``: plain text, piece by piece."""

from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from target_app.knobs import Knobs
from target_app.pacing import ChunkedResponse, Pace
from target_app.prose import TEXT, Endless

MEDIA_TYPE = "text/plain; charset=utf-8"
router = APIRouter(tags=["streams"])
_PROSE = Endless(TEXT.encode("ascii"))


async def pieces(knobs: Knobs) -> AsyncGenerator[bytes]:
    """The pieces of one stream, paced; put together they are the text."""
    pace, size_bytes = Pace(knobs.interval_s), knobs.chunk_bytes
    for number in range(knobs.chunks):
        await pace.wait(number)
        yield _PROSE.piece(number * size_bytes, size_bytes)


@router.get(
    "/stream/text",
    summary="An account of a river as plain text",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "`chunks` pieces of `chunk_bytes` bytes; there is no end marker.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": TEXT[:256]}},
        }
    },
)
async def stream_text(knobs: Annotated[Knobs, Query()]) -> StreamingResponse:
    """The text begins again where it ends. Each piece is one HTTP/1.1 transfer chunk."""
    return ChunkedResponse(pieces(knobs), MEDIA_TYPE)
