"""``/stream/file/{name}``: a download of known length, whole or by range, read off the event loop."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import anyio
from fastapi import APIRouter, HTTPException, Query, Request, Response

from streamgauge import __version__
from target_app.knobs import FileKnobs
from target_app.library import KINDS, Library
from target_app.producing import Form, produce
from target_app.ranges import Range, UnsatisfiableRangeError, asked_range
from target_app.response import ChunkedResponse
from target_app.streams.catalogue import FILE
from target_app.streams.description import BINARY_ITEM, described

#: A read costs a change of thread, so it fetches at least so much.
LEAST_READ_BYTES = 65536
router = APIRouter()


class Blocks(Form[bytes]):
    """A file's bytes in chunks. Its length is announced: it has no end marker, no heartbeat, and no early end."""

    announced = True
    prepares = True

    def __init__(self, path: Path, part: Range, size_bytes: int) -> None:
        self._path = path
        self._unread = part
        self._size_bytes = size_bytes
        self._read_bytes = size_bytes * -(-LEAST_READ_BYTES // size_bytes)
        self._block = memoryview(b"")
        self._file: anyio.AsyncFile[bytes] | None = None

    async def prepare(self) -> None:
        """Read on, where the last read is used up."""
        if self._block:
            return
        if self._file is None:
            self._file = await anyio.open_file(self._path, "rb", buffering=0)
            await self._file.seek(self._unread.start)
        block = await self._file.read(min(self._read_bytes, len(self._unread)))
        self._unread = Range(self._unread.start + len(block), self._unread.end)
        self._block = memoryview(block)

    def chunk(self, _number: int, /) -> bytes:
        """The next chunk of what was read."""
        chunk, self._block = self._block[: self._size_bytes], self._block[self._size_bytes :]
        return bytes(chunk)

    async def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            await self._file.aclose()


@router.get(
    FILE.path,
    **described(
        FILE,
        BINARY_ITEM,
        "The file's first `chunks` x `chunk_bytes` bytes, or all of it. `Content-Length` is set, so the body has no "
        "transfer chunks: a reader may count one for each full 65536 bytes and one for the rest, which are the chunks "
        "that the default `chunk_bytes` sends.",
        others={
            206: {"description": "The part of that which `Range` asks for, as `Content-Range` says."},
            404: {"description": "No file of that name; the answer lists those that there are."},
            416: {"description": "`Range` begins beyond the end; `Content-Range` says how long it is."},
        },
        also=sorted({kind.media_type for kind in KINDS.values()} - {FILE.media_type}),
    ),
)
async def stream_file(name: str, knobs: Annotated[FileKnobs, Query()], request: Request) -> Response:
    """There are `readings.csv` (4 MiB), `river.txt` (1 MiB) and `telemetry.bin` (8 MiB).

    What `chunks` and `chunk_bytes` leave of the file is what `Range` counts in. A range is sent in chunks at the same
    pace, and `fail_at` counts those.
    """
    path, part, headers = _found(name, knobs, request)
    asked = knobs.model_copy(update={"chunks": -(-len(part) // knobs.chunk_bytes)})
    chunks = produce(Blocks(path, part, knobs.chunk_bytes), asked, request)
    return ChunkedResponse(chunks, KINDS[name].media_type, headers, _status(headers))


@router.head(FILE.path, include_in_schema=False)
async def head_of_file(name: str, knobs: Annotated[FileKnobs, Query()], request: Request) -> Response:
    """What a GET would answer, without the body."""
    _, _, headers = _found(name, knobs, request)
    return Response(None, _status(headers), headers, KINDS[name].media_type)


def _status(headers: Mapping[str, str]) -> int:
    return 206 if "Content-Range" in headers else 200


def _found(name: str, knobs: FileKnobs, request: Request) -> tuple[Path, Range, dict[str, str]]:
    """The file, the part of it that is asked for, and the header fields."""
    library: Library = request.app.state.library
    path = library.find(name)
    if path is None:
        raise HTTPException(404, {"message": f"there is no file {name!r}", "names": sorted(KINDS)})
    size_bytes = min(KINDS[name].size_bytes, knobs.chunks * knobs.chunk_bytes)
    # Name, size and version say what the bytes are, on every host, whenever the files were written there.
    headers = {"Accept-Ranges": "bytes", "ETag": f'"{name}-{size_bytes}-{__version__}"'}
    try:
        asked = asked_range(request.headers, headers["ETag"], size_bytes)
    except UnsatisfiableRangeError as error:
        raise HTTPException(416, str(error), {**headers, "Content-Range": f"bytes */{size_bytes}"}) from error
    part = asked or Range(0, size_bytes)
    if asked is not None:
        headers["Content-Range"] = asked.content_range(size_bytes)
    headers["Content-Length"] = str(len(part))
    return path, part, headers
