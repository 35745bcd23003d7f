"""One event, line, message or part of a stream, as rules look at it: parsed only as far as they ask, and once."""

from typing import Any

from streamgauge.stats import visible_text
from streamgauge.wire.decoder import ABSENT, Decoder
from streamgauge.wire.digits import whole_number

#: The most characters of a frame that a reason quotes.
MAX_QUOTED = 200


class Frame:
    """A frame: what a decoder cuts out of a body. Frames that carry content are chunks; others may be pings or ends."""

    __slots__ = ("_decoder", "_event", "_json", "answer", "content")

    def __init__(self, content: bytes, decoder: Decoder) -> None:
        #: The bytes without their framing.
        self.content = content
        #: The text that a callable of the scenario returned for it; None if it returned none.
        self.answer: str | None = None
        self._decoder = decoder
        self._event = self._json = _UNREAD

    @property
    def parsed(self) -> Any:
        """What callables of the scenario get. Raises ProtocolError."""
        return self._decoder.parse(self.content)

    @property
    def event(self) -> Any:
        """The SSE event; None if the format has no events."""
        if self._event is _UNREAD:
            self._event = self._decoder.event_of(self.content)
        return self._event

    @property
    def data(self) -> str:
        """The data of an event, or the text of any other frame."""
        return self.content.decode("utf-8", "replace") if self.event is None else str(self.event.data)

    @property
    def json(self) -> Any:
        """The JSON value; ``ABSENT`` if the frame is not JSON."""
        if self._json is _UNREAD:
            self._json = self._decoder.json_of(self.content)
        return self._json

    def is_text(self, text: str) -> bool:
        """Whether the frame's data is exactly ``text``."""
        return self.content == text.encode() if self.event is None else bool(self.event.data == text)


_UNREAD: Any = object()


def one_line(text: str, most: int) -> str:
    """Return at most ``most`` characters of ``text`` as one printable line."""
    return visible_text.one_line(text[: 4 * most])[:most]


def member_at(value: Any, path: tuple[str, ...]) -> Any:
    """Return the member of a JSON value at a path of names and list indices; ``ABSENT`` if there is none."""
    for name in path:
        if isinstance(value, dict):
            value = value.get(name, ABSENT)
        elif isinstance(value, list) and (index := whole_number(name)) is not None:
            value = value[index] if index < len(value) else ABSENT
        else:
            return ABSENT
    return value
