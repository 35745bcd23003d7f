"""The messages that a scenario sends on a WebSocket: a few at the start, or answers to what comes.

A message is a text, bytes (a binary message), or any other value, which is sent as JSON.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

#: A message as it goes into a frame.
Message = str | bytes


class SendError(ValueError):
    """Raised for a message that cannot be sent."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause in a list of messages: ``send=["hello", Pause(0.5), "are you there?"]``, in seconds.

    Raises SendError for what is no length of time.
    """

    pause_s: float

    def __post_init__(self) -> None:
        if not (isinstance(self.pause_s, int | float) and math.isfinite(self.pause_s) and self.pause_s >= 0):
            raise SendError(f"Pause: expected seconds, 0 or more, got {self.pause_s!r}")


#: One entry of what a scenario sends.
Part = Message | Pause


@dataclass(frozen=True, slots=True)
class StartMessages:
    """Messages that are sent in this order once the WebSocket is open."""

    messages: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """The scenario's callable: it gets None once the WebSocket is open, then each chunk, and returns what to send."""

    to: Callable[[Any], Any]


SendPlan = StartMessages | Answers
#: How scenarios say what to send: one message, a list of messages and pauses, or a callable on each chunk that returns
#: either, or None to send nothing. A JSON array is a list in that list.
Send = Any


def read_send(send: Send | None) -> SendPlan | None:
    """Read what a scenario sends; None if it sends nothing. Raises SendError."""
    if send is None or isinstance(send, StartMessages | Answers):
        return send
    return Answers(send) if callable(send) else StartMessages(messages_of(send))


def messages_of(found: Any) -> tuple[Part, ...]:
    """Return the messages and pauses in a message, a list or tuple of them, or None. Raises SendError."""
    if found is None:
        return ()
    each: Sequence[Any] = found if isinstance(found, list | tuple) else (found,)
    return tuple(map(_message, each))


def text_or_bytes(data: bytes) -> Message:
    """Return ``data`` as a text if it is UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _message(value: Any) -> Part:
    if isinstance(value, Pause):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    try:
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), allow_nan=False)
        text.encode()
    except (TypeError, ValueError) as error:
        raise SendError(f"send: expected a text, bytes or a value that JSON has, got {value!r:.80}: {error}") from None
    return text
