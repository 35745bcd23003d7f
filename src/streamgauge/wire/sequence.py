"""Check the sequence numbers of a stream: count numbers that are lost, repeated, or out of order.

1. A ``NumberSource`` says where a chunk's number is: an SSE id, a member of its JSON, or the result of a callable.
2. ``SequenceCheck`` stores the greatest number so far, and which of the last ``window`` numbers up to it have come,
   as bits of one integer: its memory does not grow with the stream.
3. A number further behind is repeated if no number is lost. Otherwise it may be late or repeated, which cannot be
   decided any more, and counts as ``beyond_window``. If no number counts so, all counts are exact, in whatever order
   the numbers came.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.rules import MOST_PARSED
from streamgauge.wire.sse import Event
from streamgauge.wire.strict_json import json_of

WINDOW = 1_024
#: Numbers have at most 18 digits, so that every output format can store the count of lost numbers.
_MOST = 10**18

#: Parse a raw chunk, as its decoder does.
Parse = Callable[[bytes], Any]
#: Return a raw chunk's number; None if it has none.
NumberReader = Callable[[bytes], int | None]

_ID_LINE = re.compile(rb"(?:^|\n)id:[ ]?([0-9]{1,18})(?=\n|$)")
_ANY_ID_LINE = re.compile(rb"\nid(?:[:\n]|$)")


class SequenceError(ValueError):
    """Raised for a number source that is not valid."""


class SequenceCheck:
    """Checks the numbers of one stream, which should grow by one. The first number may be any."""

    __slots__ = ("_greatest", "_least", "_seen", "_window", "beyond_window", "due", "lost", "out_of_order", "repeated")

    def __init__(self, first: int | None = None, window: int = WINDOW) -> None:
        #: Numbers between the least (or ``first``, if given) and the greatest that have not come, late ones subtracted.
        self.lost = 0
        #: Chunks whose number had already come.
        self.repeated = 0
        #: Chunks that came for the first time, but after a chunk with a greater number.
        self.out_of_order = 0
        #: Chunks too far behind to tell whether they are late or repeated; this many of ``lost`` may not be lost.
        self.beyond_window = 0
        #: The number that should come next. A caller that sees it come may set it to the next number instead of calling
        #: ``add``.
        self.due: int | None = first
        self._window = window
        self._least = first
        #: The greatest number when ``_seen`` was last updated; all numbers since then came in order.
        self._greatest: int | None = None if first is None else first - 1
        self._seen = 0  # bit i: the number i below the greatest has come

    def add(self, number: int) -> None:
        """Count a chunk with this number."""
        if number == self.due:
            self.due = number + 1
        elif self.due is None:
            self._least = self._greatest = number
            self._seen = 1
            self.due = number + 1
        else:
            self._catch_up(self.due - 1)
            if number >= self.due:
                self._jump(number - self.due + 1)
            else:
                self._look_back(number, self.due - 1 - number)

    def _catch_up(self, greatest: int) -> None:
        """Add the numbers that came in order to ``_seen``."""
        assert self._greatest is not None
        count = min(greatest - self._greatest, self._window)
        self._seen = (self._seen << count | (1 << count) - 1) & ((1 << self._window) - 1)
        self._greatest = greatest

    def _jump(self, step: int) -> None:
        assert self._greatest is not None
        self._greatest += step
        self.due = self._greatest + 1
        self.lost += step - 1
        self._seen = (self._seen << step | 1) & ((1 << self._window) - 1) if step < self._window else 1

    def _look_back(self, number: int, distance: int) -> None:
        assert self._least is not None
        if distance >= self._window:
            if self.lost == 0 and number >= self._least:
                self.repeated += 1
            else:
                self.beyond_window += 1
        elif self._seen >> distance & 1:
            self.repeated += 1
        else:
            self._seen |= 1 << distance
            self.out_of_order += 1
            if number < self._least:
                self.lost += self._least - number - 1
                self._least = number
            else:
                self.lost -= 1


@dataclass(frozen=True, slots=True)
class EventId:
    """The number is the id of an SSE event."""


@dataclass(frozen=True, slots=True)
class JsonMember:
    """The number is the member ``key`` of the JSON object in a chunk."""

    key: str


@dataclass(frozen=True, slots=True)
class CallbackNumber:
    """The scenario's callable returns the number of a parsed chunk."""

    find: Callable[[Any], int | None]


NumberSource = EventId | JsonMember | CallbackNumber
#: How scenarios say where a chunk's number is: ``id`` (of an SSE event), ``json:KEY``, or a callable on the chunk.
Numbering = str | Callable[[Any], int | None] | NumberSource


def read_numbering(numbering: Numbering | None) -> NumberSource | None:
    """Parse the number source of a scenario; None if its chunks have no numbers. Raises SequenceError."""
    if isinstance(numbering, str):
        return _parsed(numbering)
    return numbering if numbering is None or isinstance(numbering, NumberSource) else CallbackNumber(numbering)


@lru_cache(maxsize=MOST_PARSED)
def _parsed(text: str) -> NumberSource:
    kind, _, key = text.partition(":")
    if text == "id":
        return EventId()
    if kind != "json" or not key:
        raise SequenceError(f"expected id, json:KEY or a callable, got {text!r}")
    return JsonMember(key)


def number_reader(source: NumberSource, parse: Parse) -> NumberReader:
    """Make the function that returns the number of a raw chunk; ``parse`` parses the chunk."""
    if isinstance(source, CallbackNumber):
        find = source.find
        return lambda chunk: _whole(find(parse(chunk)))
    if isinstance(source, JsonMember):
        return _json_reader(source.key, parse)
    return lambda chunk: _event_id(chunk, parse)


def _event_id(chunk: bytes, parse: Parse) -> int | None:
    match = _ID_LINE.search(chunk)
    if match and not _ANY_ID_LINE.search(chunk, match.end()):  # the last id of an event is its id
        return int(match[1])
    value = getattr(parse(chunk), "id", None)
    return int(value) if isinstance(value, str) and _is_number(value) else None


def _json_reader(key: str, parse: Parse) -> NumberReader:
    # Most services put the number first, where it can be read without parsing the JSON. A second member of the same
    # name would win, so a chunk that may contain one is parsed.
    name = re.escape(json.dumps(key).encode())
    leading = re.compile(rb"(?:data:[ ]?)?\{[ ]?" + name + rb":[ ]?(-?(?:0|[1-9][0-9]{0,17}))[ ]?[,}]")
    needle = json.dumps(key).encode()

    def read(chunk: bytes) -> int | None:
        match = leading.match(chunk)
        if match and needle not in chunk[match.end() :]:
            return int(match[1])
        try:
            value = parse(chunk)
            if isinstance(value, Event):
                value = json_of(value.data)
            elif isinstance(value, bytes):
                value = json_of(value)
        except (ValueError, ProtocolError):
            return None
        return _whole(value.get(key)) if isinstance(value, dict) else None

    return read


def _whole(value: Any) -> int | None:
    if isinstance(value, str):
        return int(value) if _is_number(value) else None
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= _MOST:
        return None
    return value


def _is_number(text: str) -> bool:
    return len(text) <= 18 and text.removeprefix("-").isdigit() and text.isascii()
