"""``/stream/file/{name}``: a download of known length, whole or by range, read off the event loop."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import anyio
from fastapi import APIRouter, HTTPException, Query, Request, Response

from streamgauge import __version__
from target_app.knobs import FileKnobs
from target_app.producer import Form, produce
from target_app.ranges import Range, UnsatisfiableRangeError, requested_range
from target_app.response import ChunkedResponse
from target_app.sample_files import FILES, FileShelf
from target_app.streams.catalogue import FILE
from target_app.streams.description import BINARY_ITEM, route_options

#: A read costs two thread switches, so it reads at least this much.
LEAST_READ_BYTES = 65536
router = APIRouter()


class Blocks(Form[bytes]):
    """A file's bytes in chunks. Its length is sent first: it has no end marker, no heartbeat and no early end."""

    has_length = True
    prepares = True

    def __init__(self, path: Path, part: Range, size_bytes: int) -> None:
        self._path = path
        self._unread = part
        self._size_bytes = size_bytes
        self._read_bytes = size_bytes * -(-LEAST_READ_BYTES // size_bytes)
        self._block = memoryview(b"")
        self._file: anyio.AsyncFile[bytes] | None = None

    async def prepare(self) -> None:
        """Read the next block if the last one is used up."""
        if self._block:
            return
        if self._file is None:
            self._file = await anyio.open_file(self._path, "rb", buffering=0)
            await self._file.seek(self._unread.start)
        block = await self._file.read(min(self._read_bytes, len(self._unread)))
        self._unread = Range(self._unread.start + len(block), self._unread.end)
        self._block = memoryview(block)

    def chunk(self, _number: int, /) -> bytes:
        """Cut the next chunk of the block."""
        chunk, self._block = self._block[: self._size_bytes], self._block[self._size_bytes :]
        return bytes(chunk)

    async def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            await self._file.aclose()


@router.get(
    FILE.path,
    **route_options(
        FILE,
        BINARY_ITEM,
        "The file's first `chunks` x `chunk_bytes` bytes, or all of it. `Content-Length` is set, so the body has no "
        "transfer chunks: a reader may count each full 65536 bytes and the rest as a chunk, like the chunks of the "
        "default `chunk_bytes`.",
        others={
            206: {"description": "The requested range, as in `Content-Range`."},
            304: {"description": "`If-None-Match` lists the file's `ETag`."},
            404: {"description": "No file of that name; the response lists the files."},
            412: {"description": "`If-Match` does not list the file's `ETag`."},
            416: {"description": "`Range` begins beyond the end; `Content-Range` has the length."},
        },
        also=sorted({kind.media_type for kind in FILES.values()} - {FILE.media_type}),
    ),
)
async def stream_file(name: str, knobs: Annotated[FileKnobs, Query()], request: Request) -> Response:
    """There are `readings.csv` (4 MiB), `river.txt` (1 MiB) and `telemetry.bin` (8 MiB).

    `Range` counts in the part of the file that `chunks` and `chunk_bytes` select. A range is sent in chunks at the same
    pace, and `fail_at` counts those.
    """
    path, part, headers = await _found(name, knobs, request)
    asked = knobs.model_copy(update={"chunks": -(-len(part) // knobs.chunk_bytes)})
    chunks = produce(Blocks(path, part, knobs.chunk_bytes), asked, request)
    return ChunkedResponse(chunks, FILES[name].media_type, headers, _status(headers))


def _status(headers: Mapping[str, str]) -> int:
    return 206 if "Content-Range" in headers else 200


async def _found(name: str, knobs: FileKnobs, request: Request) -> tuple[Path, Range, dict[str, str]]:
    """Find the file, the requested part of it, and the header fields."""
    shelf: FileShelf = request.app.state.files
    path = (await shelf.open()).find(name)
    if path is None:
        raise HTTPException(404, {"message": f"no file {name!r}", "names": sorted(FILES)})
    size_bytes = min(FILES[name].size_bytes, knobs.chunks * knobs.chunk_bytes)
    # Name, size and version identify the bytes on every host, whenever the files were written.
    headers = {"Accept-Ranges": "bytes", "ETag": f'"{name}-{size_bytes}-{__version__}"'}
    try:
        asked = requested_range(request.headers, headers["ETag"], size_bytes)
    except UnsatisfiableRangeError as error:
        raise HTTPException(416, str(error), {**headers, "Content-Range": f"bytes */{size_bytes}"}) from error
    part = asked or Range(0, size_bytes)
    if asked is not None:
        headers["Content-Range"] = asked.content_range(size_bytes)
    headers["Content-Length"] = str(len(part))
    return path, part, headers
