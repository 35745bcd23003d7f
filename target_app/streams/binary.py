"""``/stream/bytes``: readings as binary frames."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from target_app.binary_frames import frame
from target_app.knobs import BinaryKnobs
from target_app.producer import Form, produce
from target_app.response import ChunkedResponse
from target_app.streams.catalogue import BYTES
from target_app.streams.description import BINARY_ITEM, route_options

router = APIRouter()


class Frames(Form[bytes]):
    """Binary frames, without end marker and heartbeat."""

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes

    def chunk(self, number: int) -> bytes:
        """Encode one frame."""
        return frame(number, self._size_bytes)


@router.get(
    BYTES.path,
    **route_options(
        BYTES,
        {**BINARY_ITEM, "description": "One frame, which is one transfer chunk of HTTP/1.1."},
        "`chunks` frames of `chunk_bytes` bytes; there is no end marker. A failing stream is cut.",
    ),
)
async def stream_bytes(knobs: Annotated[BinaryKnobs, Query()], request: Request) -> ChunkedResponse:
    """A frame: `RVG1`, its number, the payload's length and CRC-32 (big-endian), then records of 12 bytes.

    A record: Unix time (u32), level in m (f32), flow in m3/s (f32). Each frame is one HTTP/1.1 transfer chunk.
    """
    return ChunkedResponse(produce(Frames(knobs.chunk_bytes), knobs, request), BYTES.media_type)
