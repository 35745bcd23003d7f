"""``/stream/ndjson``: one JSON object per line.

As NDJSON (https://github.com/ndjson/ndjson-spec) or as JSON Lines (https://jsonlines.org).
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request
from pydantic import BeforeValidator, Field

from target_app.knobs import Knobs, unset
from target_app.producer import Form, produce
from target_app.readings import reading_json
from target_app.response import ChunkedResponse
from target_app.streams.catalogue import JSONL_TYPE, NDJSON, NDJSON_TYPE
from target_app.streams.description import LINE_ITEM, route_options

router = APIRouter()


class LineKnobs(Knobs):
    """The knobs of ``/stream/ndjson``."""

    form: Annotated[Literal["ndjson", "jsonl"] | None, BeforeValidator(unset)] = Field(
        None,
        description=f"`ndjson` is `{NDJSON_TYPE}`, whose readers skip blank lines, so a blank line is a heartbeat; "
        f"`jsonl` is `{JSONL_TYPE}`, which has no heartbeat. Without it, `Accept` decides.",
    )


def line(number: int, size_bytes: int) -> bytes:
    """Encode reading ``number`` as one line of ``size_bytes`` bytes, or more if it needs them."""
    return reading_json(number, b'"type":"reading",', size_bytes - 1) + b"\n"


class Lines(Form[bytes]):
    """JSON lines."""

    has_terminator = True

    def __init__(self, size_bytes: int, heartbeat: bytes | None) -> None:
        self._size_bytes = size_bytes
        self.heartbeat = heartbeat

    def chunk(self, number: int) -> bytes:
        """Encode a line of the type ``reading``."""
        return line(number, self._size_bytes)

    def terminator(self, chunks: int) -> bytes:
        """Encode the line of the type ``done``."""
        return b'{"type":"done","chunks":%d}\n' % chunks

    def error(self, message: str) -> bytes:
        """Encode the line of the type ``error``."""
        return b'{"type":"error","message":"%b"}\n' % message.encode()


def media_type_for(form: str | None, accept: str) -> str:
    """Choose by the knob, else by the first of the two types in ``Accept`` (RFC 9110, section 12.5.1)."""
    if form is not None:
        return JSONL_TYPE if form == "jsonl" else NDJSON_TYPE
    named = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    return next((name for name in named if name in (NDJSON_TYPE, JSONL_TYPE)), NDJSON_TYPE)


@router.get(
    NDJSON.path,
    **route_options(
        NDJSON,
        LINE_ITEM,
        '`chunks` lines of `"type":"reading"`, then one of `"type":"done"`: `chunks` + 1 chunks in all. '
        'A failing stream ends with one of `"type":"error"` instead.',
        line(0, 256).decode(),
        also=[JSONL_TYPE],
    ),
)
async def stream_ndjson(
    knobs: Annotated[LineKnobs, Query()], request: Request, accept: Annotated[str, Header()] = ""
) -> ChunkedResponse:
    """Each line is a JSON object that a note fills to `chunk_bytes`, the newline included."""
    media_type = media_type_for(knobs.form, accept)
    lines = Lines(knobs.chunk_bytes, b"\n" if media_type == NDJSON_TYPE else None)
    return ChunkedResponse(produce(lines, knobs, request), media_type, {"Vary": "Accept"})
