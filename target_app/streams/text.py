"""``/stream/text``: plain text, piece by piece."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from target_app.knobs import PlainKnobs
from target_app.producing import Form, produce
from target_app.prose import TEXT as PROSE
from target_app.prose import Endless
from target_app.response import ChunkedResponse
from target_app.streams.catalogue import TEXT
from target_app.streams.description import described

router = APIRouter()
_PROSE = Endless(PROSE.encode("ascii"))


class Pieces(Form[bytes]):
    """Pieces that put together are the text. No end marker and no heartbeat: all bytes are text."""

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes

    def chunk(self, number: int) -> bytes:
        """The piece at its place."""
        return _PROSE.piece(number * self._size_bytes, self._size_bytes)


@router.get(
    TEXT.path,
    **described(
        TEXT,
        {"type": "string", "description": "One piece of the text, which is one transfer chunk of HTTP/1.1."},
        "`chunks` pieces of `chunk_bytes` bytes; there is no end marker. A stream that fails is cut.",
        PROSE[:256],
    ),
)
async def stream_text(knobs: Annotated[PlainKnobs, Query()], request: Request) -> ChunkedResponse:
    """The text begins again where it ends. Each piece is one HTTP/1.1 transfer chunk."""
    return ChunkedResponse(produce(Pieces(knobs.chunk_bytes), knobs, request), TEXT.media_type)
