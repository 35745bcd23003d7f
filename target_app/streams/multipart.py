"""``/stream/multipart``: the parts of a multipart body (RFC 2046, section 5.1), as cameras send their pictures."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field

from target_app.knobs import Knobs
from target_app.producing import Form, produce
from target_app.readings import reading_json
from target_app.response import ChunkedResponse
from target_app.streams.catalogue import MULTIPART
from target_app.streams.description import LINE_ITEM, described

BOUNDARY = "gauge"
_TYPE = f"boundary={BOUNDARY}"
_DELIMITER = b"\r\n--%b" % BOUNDARY.encode("ascii")
router = APIRouter()


class PartKnobs(Knobs):
    """The knobs of ``/stream/multipart``."""

    subtype: Literal["x-mixed-replace", "mixed"] = Field(
        "x-mixed-replace", description="Whether each part replaces the one before, or they all stay."
    )


def part(content: bytes) -> bytes:
    """A part with its head, from the end of the delimiter line before it to the boundary of the one after it."""
    return b"\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b%b" % (len(content), content, _DELIMITER)


#: All of a part but its content and the digits of that one's length.
_FRAMING_BYTES = len(part(b"")) - 1


class Parts(Form[bytes]):
    """Parts, each sent with the boundary after it: only that tells a reader without its length that it is whole.

    The delimiter's line is ended by what comes next, another part or the two hyphens that close the body. The format
    has no heartbeat.
    """

    preface = _DELIMITER[2:]
    has_terminator = True

    def __init__(self, size_bytes: int) -> None:
        self._content_bytes = size_bytes - _FRAMING_BYTES
        self._content_bytes -= len(str(max(1, self._content_bytes)))

    def chunk(self, number: int) -> bytes:
        """A reading as a part of as many bytes as were asked for, or as it needs."""
        return part(reading_json(number, b'"type":"reading",', self._content_bytes))

    def terminator(self, _chunks: int, /) -> bytes:
        """The hyphens that make the last delimiter the closing one."""
        return b"--\r\n"

    def error(self, message: str) -> bytes:
        """A part of the type ``error``, and no close: who does not know the type sees that the body is not whole."""
        return part(b'{"type":"error","message":"%b"}' % message.encode())


@router.get(
    MULTIPART.path,
    **described(
        MULTIPART,
        LINE_ITEM,
        "`chunks` parts, and on top of them the closing delimiter. A part of the type `error` comes in place of that "
        "where the stream fails.",
        (_DELIMITER[2:] + part(reading_json(0, b'"type":"reading",', 200))).decode(),
        also=["multipart/mixed"],
    ),
)
async def stream_multipart(knobs: Annotated[PartKnobs, Query()], request: Request) -> ChunkedResponse:
    """Each part is a JSON object with its `Content-Type` and `Content-Length`."""
    media_type = f"multipart/{knobs.subtype}; {_TYPE}"
    return ChunkedResponse(produce(Parts(knobs.chunk_bytes), knobs, request), media_type)
