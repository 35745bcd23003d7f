"""The named end of a stream: a clean protocol end counts as ``completed`` only if the named end came.

``event:NAME`` is an SSE event of that name; ``data:TEXT`` a chunk with exactly this text (an SSE event's data, a line,
a raw chunk); ``chunks:N`` at least N chunks. A callable gets each parsed chunk and returns whether it is the end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from streamgauge.wire.digits import whole_number

#: How many parsed texts are cached for all streams; a scenario names a few.
MOST_PARSED = 256
#: Parse a raw chunk, as its decoder does.
Parse = Callable[[bytes], Any]
#: Take a raw chunk and its number, counted from 1; return whether it is the end.
EndTest = Callable[[bytes, int], bool]


class EndError(ValueError):
    """Raised for an ``end`` that is not valid."""


@dataclass(frozen=True, slots=True)
class EventEnd:
    """An SSE event of this name."""

    name: str


@dataclass(frozen=True, slots=True)
class DataEnd:
    """A chunk with exactly this text."""

    text: str


@dataclass(frozen=True, slots=True)
class ChunksEnd:
    """At least this number of chunks."""

    least: int


@dataclass(frozen=True, slots=True)
class CallbackEnd:
    """A parsed chunk that the scenario's callable accepts as the end."""

    is_end: Callable[[Any], object]


NamedEnd = EventEnd | DataEnd | ChunksEnd | CallbackEnd
#: How scenarios name an end.
End = str | Callable[[Any], object] | NamedEnd


def read_end(end: End | None) -> NamedEnd | None:
    """Parse the end that a scenario or an option names; None if it names none. Raises EndError."""
    if isinstance(end, str):
        return _parsed(end)
    return end if end is None or isinstance(end, NamedEnd) else CallbackEnd(end)


@lru_cache(maxsize=MOST_PARSED)
def _parsed(text: str) -> NamedEnd:
    kind, colon, value = text.partition(":")
    if not colon or kind not in ("event", "data", "chunks") or not value:
        raise EndError(f"expected event:NAME, data:TEXT or chunks:N, got {text!r}")
    if kind == "chunks":
        if not (least := whole_number(value)):
            raise EndError(f"expected chunks:N with a whole number of at least 1, got {text!r}")
        return ChunksEnd(least)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise EndError(f"expected an end that can be encoded as UTF-8, got {text!r}") from None
    return EventEnd(value) if kind == "event" else DataEnd(value)


def needle_of(end: NamedEnd | None) -> bytes:
    """Return bytes that every chunk contains that can be this end; empty if there are no such bytes.

    There are none for the event name ``message``, which unnamed events have; for text with line ends, since each line
    of an event's data has its own field; and for text with U+FFFD, which also replaces invalid UTF-8.
    """
    if isinstance(end, EventEnd):
        text = "" if end.name == "message" else end.name
    else:
        text = end.text if isinstance(end, DataEnd) else ""
    return b"" if "\n" in text or "\ufffd" in text else text.encode()


def end_test(end: NamedEnd, parse: Parse, *, of_events: bool) -> EndTest:
    """Make the test for the end, to be called with each chunk; ``of_events``: ``parse`` returns an SSE event."""
    needle = needle_of(end)
    if isinstance(end, CallbackEnd):
        is_end = end.is_end
        return lambda chunk, number: bool(is_end(parse(chunk)))  # noqa: ARG005 - the contract of EndTest
    if isinstance(end, ChunksEnd):
        least = end.least
        return lambda chunk, number: number >= least  # noqa: ARG005
    if isinstance(end, EventEnd):
        name = end.name
        return lambda chunk, number: needle in chunk and parse(chunk).event == name  # noqa: ARG005
    text, whole = end.text, end.text.encode()
    if of_events:
        return lambda chunk, number: needle in chunk and parse(chunk).data == text  # noqa: ARG005
    return lambda chunk, number: chunk == whole  # noqa: ARG005
