"""The generated content of token streams in OpenAI's chat and completion format, which its clients time.

A stream whose first event names such an object is a token stream. Only its events with content are chunks: not the
role, the finish reason, the usage or ``[DONE]``, since load generators do not count them either.
"""

import re

from streamgauge.asgi.chunk_counting import ChunkCounter, EventCounter

_OBJECTS = (b'"chat.completion.chunk"', b'"text_completion"')
_CONTENT = b'"content":"'
_TEXT = re.compile(
    rb'"(?:content|text|reasoning(?:_content|_text)?|thinking|refusal|arguments|input|transcript|data)"\s*:\s*"[^"]'
)
_QUOTE = 0x22
_BLANK_LINE = re.compile(rb"\r?\n\r?\n|\r\r")
#: An unfinished event that is longer counts as a chunk, so that nothing unbounded is held.
_MAX_EVENT_BYTES = 1 << 20


def starts_token_stream(body: bytes) -> bool:
    """Return whether ``body``, the start of an event stream, starts a token stream."""
    return any(name in body for name in _OBJECTS)


def has_content(event: bytes) -> bool:
    """Return whether an event of a token stream carries text, speech, or arguments of a call."""
    at = event.find(_CONTENT)
    if at >= 0 and event[at + len(_CONTENT)] != _QUOTE:  # most do
        return True
    return _TEXT.search(event) is not None


class TokenCounter(ChunkCounter):
    """Token streams: an event with generated content is a chunk, and comments alone are a heartbeat."""

    __slots__ = ("_heartbeats", "_held", "between")

    closing_bytes = EventCounter.closing_bytes

    def __init__(self) -> None:
        self.between = True
        self._held = b""
        self._heartbeats = 0

    @staticmethod
    def whole(body: bytes, /) -> int:
        """Return the size of one event with content, else 0."""
        return EventCounter.whole(body) if has_content(body) else 0

    def count(self, body: bytes, /) -> int:
        """Return how many events with content end in ``body``."""
        if self.between and EventCounter.whole(body):
            return int(has_content(body))
        *blocks, rest = _BLANK_LINE.split(self._held + body)
        chunks = sum(self._count_block(block) for block in blocks)
        if len(rest) > _MAX_EVENT_BYTES:
            chunks, rest = chunks + 1, b""
        self._held, self.between = rest, not rest.strip(b"\r\n")
        return chunks

    def heartbeats(self) -> int:
        """Return how many blocks of comments alone have ended since the last call."""
        seen, self._heartbeats = self._heartbeats, 0
        return seen

    def _count_block(self, block: bytes) -> int:
        lines = block.splitlines()
        if all(line.startswith(b":") for line in lines):
            self._heartbeats += bool(lines)
            return 0
        return int(has_content(block))
