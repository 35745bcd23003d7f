"""``/stream/sync``: a generator that is not async, as one over a blocking library is, streamed without harm.

Why the streams themselves are async: given to ``StreamingResponse`` as it is, such a generator waits for its next
chunk in a worker thread, of which there are 40 for the whole app, so that the 41st slow stream does not start; and when
the client hangs up, the thread waits on. Here the event loop does the waiting and the generator only ever fetches.
One step costs a change of thread, which is several times what an async chunk costs in all.
"""

from collections.abc import Iterator
from itertools import count
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request

from target_app.knobs import Knobs
from target_app.producing import produce
from target_app.response import ChunkedResponse
from target_app.streams.catalogue import SSE_TYPE, SYNC
from target_app.streams.description import EVENT_ITEM, described
from target_app.streams.sse import Events, event

router = APIRouter()


def fetched(size_bytes: int) -> Iterator[bytes]:
    """The events, one after another, from where reading them may block."""
    for number in count():
        yield event(number, size_bytes)


class FetchedEvents(Events):
    """Events whose chunks an iterator brings: each step of it runs in a worker thread, one at a time."""

    prepares = True

    def __init__(self, source: Iterator[bytes], size_bytes: int) -> None:
        super().__init__(size_bytes)
        self._source = source
        self._next = b""

    async def prepare(self) -> None:
        """Fetch the next event."""
        self._next = await to_thread.run_sync(next, self._source)

    def chunk(self, _number: int, /) -> bytes:
        """What was fetched."""
        return self._next


@router.get(
    SYNC.path,
    **described(SYNC, EVENT_ITEM, "The same as `/stream/sse`, which is what to copy where nothing blocks."),
)
async def stream_sync(knobs: Annotated[Knobs, Query()], request: Request) -> ChunkedResponse:
    """Each event is fetched in a worker thread, but the waiting between two of them is the event loop's."""
    events = FetchedEvents(fetched(knobs.chunk_bytes), knobs.chunk_bytes)
    return ChunkedResponse(produce(events, knobs, request), SSE_TYPE)
