"""What model servers send, step by step, and what comes of it, computed by hand.

A script is written after what a server sends, in frames of our own. A number is a pause. ``first`` marks the frame with
the first content, ``last`` the frame of the last token; ``between`` is how many tokens lie between the two, plus one.
"""

import json
from dataclasses import dataclass
from typing import Any

#: Between two tokens, in seconds.
GAP = 0.03


@dataclass(frozen=True)
class Frame:
    """One write of the server. ``first``, ``last``: see above."""

    data: bytes
    first: bool = False
    last: bool = False


Step = Frame | float


@dataclass(frozen=True)
class Script:
    """A stream, and its figures as computed by hand."""

    protocol: str
    steps: list[Step]
    chunks: int
    tokens: int
    prompt: int | None = None
    between: int = 0
    """By how many tokens the time from ``first`` to ``last`` is divided; 0 if there is no time per token."""
    outcome: str = "completed"
    reason: str = ""
    """Words of it."""
    content_type: str = "text/event-stream"
    answer: int = 0
    """Which chunk is the first that is not reasoning, counted from 1; 0 for the first."""
    found: bool = True
    """Whether ``auto`` finds the protocol."""


def first(frame: Frame) -> Frame:
    """Mark the frame with the first content."""
    return Frame(frame.data, first=True, last=frame.last)


def last(frame: Frame) -> Frame:
    """Mark the frame of the last token."""
    return Frame(frame.data, first=frame.first, last=True)


def event(value: Any, name: str = "") -> Frame:
    """Make an event; ``ensure_ascii`` is off, as in most servers, so that frames hold characters of several bytes."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Frame((f"event: {name}\n" if name else "").encode() + b"data: " + text.encode() + b"\n\n")


def line(**value: Any) -> Frame:
    """Make a JSON line."""
    return Frame(
        json.dumps({"model": "m", "created_at": "2026-01-01T00:00:00Z", **value}, ensure_ascii=False).encode() + b"\n"
    )


def delta(finish: str | None = None, usage: Any = None, **content: Any) -> Frame:
    """Make a frame of a chat completion."""
    choice = {"index": 0, "delta": content, "logprobs": None, "finish_reason": finish}
    frame = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return event(frame | ({} if usage is None else {"usage": usage}))


def counted(prompt: int, completion: int) -> dict[str, int]:
    """Make a usage."""
    return {"prompt_tokens": prompt, "total_tokens": prompt + completion, "completion_tokens": completion}


def usage(prompt: int, completion: int) -> Frame:
    """Make the frame with the usage, which has no choices."""
    return event({"object": "chat.completion.chunk", "choices": [], "usage": counted(prompt, completion)})


DONE = event("[DONE]")
ROLE = delta(role="assistant", content="")
