"""``/stream/bytes``: the gauge's binary telemetry."""

from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from target_app.knobs import BinaryKnobs, Knobs
from target_app.pacing import ChunkedResponse, Pace
from target_app.telemetry import frame

MEDIA_TYPE = "application/octet-stream"
router = APIRouter(tags=["streams"])


async def frames(knobs: Knobs) -> AsyncGenerator[bytes]:
    """The frames of one stream, paced."""
    pace = Pace(knobs.interval_s)
    for number in range(knobs.chunks):
        await pace.wait(number)
        yield frame(number, knobs.chunk_bytes)


@router.get(
    "/stream/bytes",
    summary="Readings as binary telemetry",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "`chunks` frames of `chunk_bytes` bytes; there is no end marker.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def stream_bytes(knobs: Annotated[BinaryKnobs, Query()]) -> StreamingResponse:
    """A frame: `RVG1`, its number, the payload's length and CRC-32 (big-endian), then records of 12 bytes.

    A record: Unix time (u32), level in m (f32), flow in m3/s (f32). Each frame is one HTTP/1.1 transfer chunk.
    """
    return ChunkedResponse(frames(knobs), MEDIA_TYPE)
