"""Token streams of Anthropic's Messages API, as Server-Sent Events.

Each event has a name, which its data repeats as ``type``. Chunks are the ``content_block_delta`` events that bring
text, thinking or a tool's input, and the ``content_block_start`` of a block that comes whole. ``message_start``,
``ping``, signatures, ``message_delta`` and the like are not. The stream ends with ``message_stop``.

The tokens of the prompt are those read from and written to a cache, too. The output tokens that ``message_start``
announces are a placeholder: ``message_delta`` has the count.
"""

from typing import Any

from streamgauge.wire.decoder import MAX_CHUNK_BYTES, Decoder
from streamgauge.wire.format import Format, Signature
from streamgauge.wire.rules import EventIs, Rules
from streamgauge.wire.sse import SseDecoder
from streamgauge.wire.token_count import Usage
from streamgauge.wire.token_stream import ERROR, UNNAMED, TokenDecoder, count_in, object_in, said_in_event

_START, _DELTA, _END = "message_start", "message_delta", "message_stop"
_BLOCK, _PIECE = "content_block_start", "content_block_delta"
_NAMES = frozenset({UNNAMED, _START, _DELTA, _END, _BLOCK, _PIECE})
#: The members of a delta, or of a block that comes whole, that are generated content.
_TEXTS, _THINKING = ("text", "partial_json"), "thinking"
_WHOLE = ("text", "data", "content")
_PROMPT = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


class MessagesDecoder(TokenDecoder):
    """Cuts the events of a message into those with generated content. ``done``: ``message_stop`` came."""

    def __init__(self, max_chunk_bytes: int = MAX_CHUNK_BYTES, events: Decoder | None = None) -> None:
        super().__init__(events or SseDecoder(max_chunk_bytes), said_in_event)
        self._prompt: dict[str, int] = {}

    def is_own(self, name: str) -> bool:
        """See ``TokenDecoder``."""
        return name in _NAMES

    def read_frame(self, name: str, frame: dict[str, Any]) -> int:
        """See ``TokenDecoder``."""
        kind = frame.get("type", name)
        if kind == _PIECE:
            return self._read_delta(object_in(frame, "delta"))
        if kind == _BLOCK:
            return self._read_block_start(object_in(frame, "content_block"))
        if kind == _START:
            self._read_usage(object_in(object_in(frame, "message"), "usage"), None)
        elif kind == _DELTA:
            usage = object_in(frame, "usage")
            self._read_usage(usage, count_in(usage, "output_tokens"))
            self.add_silent()  # the stop token, if there is one
        elif kind == _END:
            self.done = True
        elif kind == ERROR or "error" in frame:
            self.set_error(frame)
        return 0

    def _read_delta(self, delta: dict[str, Any]) -> int:
        if delta.get(_THINKING):
            self.add_piece(reasoning=True)
            return 1
        if any(delta.get(name) for name in _TEXTS):
            self.add_piece()
            return 1
        if delta.get("text") == "":
            self.add_silent()
        return 0

    def _read_block_start(self, block: dict[str, Any]) -> int:
        """Read the start of a block. Redacted thinking and a server tool's result come whole, in no delta."""
        if not any(block.get(name) for name in _WHOLE):
            return 0
        self.add_piece(reasoning=_THINKING in str(block.get("type")))
        return 1

    def _read_usage(self, usage: dict[str, Any], completion_tokens: int | None) -> None:
        self._prompt |= {name: count for name in _PROMPT if (count := count_in(usage, name)) is not None}
        prompt_tokens = sum(self._prompt.values()) if self._prompt else None
        self.usage = Usage(prompt_tokens, completion_tokens)


def _is_message(name: str, frame: dict[str, Any]) -> bool:
    return bool(frame.get("type", name) == _START)


ANTHROPIC = Format(
    "anthropic",
    "ANTHROPIC",
    lambda body: MessagesDecoder(body.max_chunk_bytes).returning(every_frame=body.every_frame),
    media="sse",
    accept="text/event-stream",
    own_end=Rules((EventIs(_END),)),
    tells_beside_chunks=True,
    has_events=True,
    has_event_ids=True,
    signature=Signature((_START.encode(),), _is_message, lambda events: MessagesDecoder(events=events)),
)
