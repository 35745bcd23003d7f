"""``/stream/file/{name}``: a download of known length, read off the event loop."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated

import anyio
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import StreamingResponse

from target_app.knobs import FileKnobs, Knobs
from target_app.library import KINDS, Library
from target_app.pacing import ChunkedResponse, Pace

#: A read costs a change of thread, so it fetches at least so much.
LEAST_READ_BYTES = 65536
router = APIRouter(tags=["streams"])


async def blocks(path: Path, length_bytes: int, knobs: Knobs) -> AsyncGenerator[bytes]:
    """The first ``length_bytes`` of a file in chunks, paced."""
    size_bytes = knobs.chunk_bytes
    read_bytes = size_bytes * -(-LEAST_READ_BYTES // size_bytes)
    pace, number = Pace(knobs.interval_s), 0
    async with await anyio.open_file(path, "rb", buffering=0) as file:
        for start in range(0, length_bytes, read_bytes):
            block = await file.read(min(read_bytes, length_bytes - start))
            for offset in range(0, len(block), size_bytes):
                await pace.wait(number)
                yield block[offset : offset + size_bytes]
                number += 1


@router.get(
    "/stream/file/{name}",
    summary="A file, chunk by chunk",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file's first `chunks` x `chunk_bytes` bytes, or all of it. `Content-Length` is set, "
            "so the body has no transfer chunks: a reader may count one for each full 65536 bytes and one for the "
            "rest, which are the chunks that the default `chunk_bytes` sends.",
            "content": {kind.media_type: {"schema": {"type": "string"}} for kind in KINDS.values()},
        },
        404: {"description": "No file of that name; the answer lists those that there are."},
    },
)
async def stream_file(name: str, knobs: Annotated[FileKnobs, Query()], request: Request) -> StreamingResponse:
    """There are `readings.csv` (4 MiB), `river.txt` (1 MiB) and `telemetry.bin` (8 MiB)."""
    library: Library = request.app.state.library
    path = library.find(name)
    if path is None:
        raise HTTPException(404, {"message": f"there is no file {name!r}", "names": sorted(KINDS)})
    length_bytes = min(KINDS[name].size_bytes, knobs.chunks * knobs.chunk_bytes)
    headers = {"Content-Length": str(length_bytes)}
    return ChunkedResponse(blocks(path, length_bytes, knobs), KINDS[name].media_type, headers)
