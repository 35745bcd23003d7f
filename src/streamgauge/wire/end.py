"""The named end of a stream: what must have come for a clean protocol end to count as ``completed``.

``event:NAME`` an SSE event of that name · ``data:TEXT`` a chunk with exactly this text (an SSE event's data, a line, a
raw chunk) · ``chunks:N`` at least N chunks · or a callable that is given each parsed chunk and says
whether it is the end.
"""

from collections.abc import Callable
from typing import Any

from streamgauge.wire.decoder import Decoder
from streamgauge.wire.digits import is_whole

#: Given the raw chunk and its number, counted from 1: whether it is the end.
EndTest = Callable[[bytes, int], bool]
End = str | Callable[[Any], bool]


class EndError(ValueError):
    """An ``end`` that names nothing."""


def check_end(end: str) -> str:
    """``end`` itself, where it is well formed. Raises EndError."""
    kind, colon, value = end.partition(":")
    if not colon or kind not in ("event", "data", "chunks") or not value:
        raise EndError(f"expected event:NAME, data:TEXT or chunks:N, got {end!r}")
    if kind == "chunks" and not (is_whole(value) and int(value)):
        raise EndError(f"expected chunks:N with a whole number of at least 1, got {end!r}")
    try:
        end.encode()
    except UnicodeEncodeError:
        raise EndError(f"expected an end that UTF-8 can carry, got {end!r}") from None
    return end


def needle_of(end: str) -> bytes:
    """What every chunk that can be this ``end`` holds; empty where there is no such thing.

    Lines of an event's data stand apart in it, and U+FFFD can stand for bytes that are no UTF-8.
    """
    kind, _, value = end.partition(":")
    if kind == "chunks" or end == "event:message" or "\n" in value or "\ufffd" in value:
        return b""  # events that the stream names none are messages
    return value.encode()


def end_test(end: End, decoder: Decoder, protocol: str) -> EndTest:
    """The test that each chunk of a stream of ``protocol`` is put to. Raises EndError."""
    if callable(end):
        return lambda chunk, number: bool(end(decoder.parse(chunk)))  # noqa: ARG005 - the contract of EndTest
    kind, _, value = check_end(end).partition(":")
    if kind == "chunks":
        least = int(value)
        return lambda chunk, number: number >= least  # noqa: ARG005
    if kind == "data" and protocol != "sse":
        text = value.encode()
        return lambda chunk, number: chunk == text  # noqa: ARG005
    if protocol != "sse":
        raise EndError(f"{end!r} names an SSE event, and the stream is {protocol}")
    needle, attribute = needle_of(end), kind
    return lambda chunk, number: needle in chunk and getattr(decoder.parse(chunk), attribute) == value  # noqa: ARG005
