"""Resumption after the last event that a client has seen, for every stream whose events have ids.

https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Header
from starlette.exceptions import HTTPException

Knobs = TypeVar("Knobs")
LastEventId = Annotated[
    str | None, Header(description="The `id` of the last event that was read; the stream goes on with the next.")
]
RESUMABLE: Mapping[int | str, dict[str, Any]] = {
    204: {"description": "`Last-Event-ID` is the end marker's: nothing is left, and a browser stops reconnecting."}
}
_ID = re.compile(r"[0-9]{1,6}")


class NothingLeftError(HTTPException):
    """The client has seen the end marker: status 204, at which a browser stops reconnecting."""

    def __init__(self) -> None:
        super().__init__(204)


@dataclass(frozen=True, slots=True)
class Resumed(Generic[Knobs]):
    """The knobs of a stream, and the chunk that it begins with."""

    knobs: Knobs
    first: int


def first_chunk(last_event_id: str | None, chunks: int) -> int:
    """Find the chunk to begin with in a stream of so many; ignore an id that is not ours. Raises NothingLeftError."""
    if last_event_id is None or not _ID.fullmatch(last_event_id):
        return 0
    first = int(last_event_id) + 1
    if first > chunks:
        raise NothingLeftError
    return first
