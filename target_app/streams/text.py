"""``/stream/text``: plain text in pieces."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from target_app.knobs import PlainKnobs
from target_app.producer import Form, produce
from target_app.response import ChunkedResponse
from target_app.sample_text import TEXT as SAMPLE
from target_app.sample_text import Repeating
from target_app.streams.catalogue import TEXT
from target_app.streams.description import route_options

router = APIRouter()
_SAMPLE = Repeating(SAMPLE.encode("ascii"))


class Pieces(Form[bytes]):
    """Pieces of the text. All bytes are text, so there is no end marker and no heartbeat."""

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes

    def chunk(self, number: int) -> bytes:
        """Cut one piece."""
        return _SAMPLE.piece(number * self._size_bytes, self._size_bytes)


@router.get(
    TEXT.path,
    **route_options(
        TEXT,
        {"type": "string", "description": "One piece of the text, which is one HTTP/1.1 transfer chunk."},
        "`chunks` pieces of `chunk_bytes` bytes; there is no end marker. A failing stream is cut.",
        SAMPLE[:256],
    ),
)
async def stream_text(knobs: Annotated[PlainKnobs, Query()], request: Request) -> ChunkedResponse:
    """The text is repeated. Each piece is one HTTP/1.1 transfer chunk."""
    return ChunkedResponse(produce(Pieces(knobs.chunk_bytes), knobs, request), TEXT.media_type)
