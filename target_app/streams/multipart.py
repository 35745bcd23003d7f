"""``/stream/multipart``: the parts of a multipart body (RFC 2046, section 5.1), like pictures from a camera."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field

from target_app.knobs import Knobs
from target_app.producer import Form, produce
from target_app.readings import reading_json
from target_app.response import ChunkedResponse
from target_app.streams.catalogue import MULTIPART
from target_app.streams.description import LINE_ITEM, route_options

BOUNDARY = "gauge"
_TYPE = f"boundary={BOUNDARY}"
_DELIMITER = b"\r\n--%b" % BOUNDARY.encode("ascii")
router = APIRouter()


class PartKnobs(Knobs):
    """The knobs of ``/stream/multipart``."""

    subtype: Literal["x-mixed-replace", "mixed"] = Field(
        "x-mixed-replace", description="Whether each part replaces the one before, or all stay."
    )


def part(content: bytes) -> bytes:
    """Encode a part with its head, from the end of the delimiter line before it to the boundary after it."""
    return b"\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b%b" % (len(content), content, _DELIMITER)


#: The bytes of a part without its content and the digits of the content's length.
_FRAMING_BYTES = len(part(b"")) - 1


class Parts(Form[bytes]):
    """Parts, each sent with the boundary after it, which tells a reader that the part is complete.

    The next part, or the two hyphens that close the body, end the delimiter's line. The format has no heartbeat.
    """

    preface = _DELIMITER[2:]
    has_terminator = True

    def __init__(self, size_bytes: int) -> None:
        self._content_bytes = size_bytes - _FRAMING_BYTES
        self._content_bytes -= len(str(max(1, self._content_bytes)))

    def chunk(self, number: int) -> bytes:
        """Encode a reading as a part of the requested size, or larger if it needs more."""
        return part(reading_json(number, b'"type":"reading",', self._content_bytes))

    def terminator(self, _chunks: int, /) -> bytes:
        """Encode the hyphens that turn the last delimiter into the closing one."""
        return b"--\r\n"

    def error(self, message: str) -> bytes:
        """Encode a part of the type ``error``, without a close, so that any client sees a truncated body."""
        return part(b'{"type":"error","message":"%b"}' % message.encode())


@router.get(
    MULTIPART.path,
    **route_options(
        MULTIPART,
        LINE_ITEM,
        "`chunks` parts, then the closing delimiter. A failing stream ends with a part of the type `error` instead.",
        (_DELIMITER[2:] + part(reading_json(0, b'"type":"reading",', 200))).decode(),
        also=["multipart/mixed"],
    ),
)
async def stream_multipart(knobs: Annotated[PartKnobs, Query()], request: Request) -> ChunkedResponse:
    """Each part is a JSON object with its `Content-Type` and `Content-Length`."""
    media_type = f"multipart/{knobs.subtype}; {_TYPE}"
    return ChunkedResponse(produce(Parts(knobs.chunk_bytes), knobs, request), media_type)
