"""``/stream/sync``: a generator that is not async, such as one over a blocking library, streamed without harm.

Given to ``StreamingResponse`` directly, such a generator waits for its next chunk in one of the app's 40 worker
threads: the 41st slow stream does not start, and a thread still waits after its client has disconnected. Here the event
loop waits, and the generator only fetches. Each step costs two thread switches, several times an async chunk.
"""

from collections.abc import Iterator
from itertools import count
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request

from target_app.knobs import Knobs
from target_app.producer import produce
from target_app.response import ChunkedResponse
from target_app.streams.catalogue import SSE_TYPE, SYNC
from target_app.streams.description import EVENT_ITEM, route_options
from target_app.streams.resumption import RESUMABLE, LastEventId, first_chunk
from target_app.streams.sse import Events, event

router = APIRouter()


def fetched(size_bytes: int, first: int = 0) -> Iterator[bytes]:
    """Generate the events from number ``first`` on; reading them may block."""
    for number in count(first):
        yield event(number, size_bytes)


class FetchedEvents(Events):
    """Events from an iterator, each step of which runs in a worker thread."""

    prepares = True

    def __init__(self, source: Iterator[bytes], size_bytes: int) -> None:
        super().__init__(size_bytes)
        self._source = source
        self._next = b""

    async def prepare(self) -> None:
        """Fetch the next event."""
        self._next = await to_thread.run_sync(next, self._source)

    def chunk(self, _number: int, /) -> bytes:
        """Return the fetched event."""
        return self._next


@router.get(
    SYNC.path,
    **route_options(
        SYNC,
        EVENT_ITEM,
        "The same as `/stream/sse`, which is the example to follow if nothing blocks.",
        others=RESUMABLE,
    ),
)
async def stream_sync(
    knobs: Annotated[Knobs, Query()], request: Request, last_event_id: LastEventId = None
) -> ChunkedResponse:
    """Each event is fetched in a worker thread; the event loop waits between two of them."""
    first = first_chunk(last_event_id, knobs.chunks)
    events = FetchedEvents(fetched(knobs.chunk_bytes, first), knobs.chunk_bytes)
    return ChunkedResponse(produce(events, knobs, request, first), SSE_TYPE)
