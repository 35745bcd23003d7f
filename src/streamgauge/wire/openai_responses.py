"""Token streams of OpenAI's Responses API, as Server-Sent Events.

Each event has a name, which its data repeats as ``type``. Chunks are the ``….delta`` events that bring text, reasoning,
a refusal, arguments, code or speech, and partial images. The stream ends with ``response.completed``, and with
``response.incomplete`` if it reached the length that the request allows. ``response.failed``, any other
``response.incomplete`` and ``error`` are errors.
"""

from typing import Any

from streamgauge.wire.decoder import MAX_CHUNK_BYTES, Decoder
from streamgauge.wire.format import Format, Signature
from streamgauge.wire.rules import EventIs, Rules
from streamgauge.wire.sse import SseDecoder
from streamgauge.wire.token_count import Usage
from streamgauge.wire.token_stream import ERROR, UNNAMED, TokenDecoder, count_in, object_in, said_in_event

_OWN, _DELTA, _IMAGE = "response.", ".delta", ".partial_image"
_COMPLETED, _INCOMPLETE, _FAILED = "response.completed", "response.incomplete", "response.failed"
#: The reason of an incomplete response that the request itself asked for.
_LENGTH = "max_output_tokens"


class ResponsesDecoder(TokenDecoder):
    """Cuts the events of a response into those with generated content. ``done``: ``response.completed`` came."""

    def __init__(self, max_chunk_bytes: int = MAX_CHUNK_BYTES, events: Decoder | None = None) -> None:
        super().__init__(events or SseDecoder(max_chunk_bytes), said_in_event)

    def is_own(self, name: str) -> bool:
        """See ``TokenDecoder``."""
        return name == UNNAMED or name.startswith(_OWN)

    def read_frame(self, name: str, frame: dict[str, Any]) -> int:
        """See ``TokenDecoder``."""
        kind = _kind(name, frame)
        if kind.endswith(_DELTA):
            if frame.get("delta"):
                self.add_piece(reasoning="reasoning" in kind)
                return 1
            self.add_silent()
        elif kind.endswith(_IMAGE) and frame.get("partial_image_b64"):
            self.add_piece()
            return 1
        elif kind in (_COMPLETED, _INCOMPLETE, _FAILED):
            self._read_end(kind, object_in(frame, "response"))
        elif kind == ERROR or "error" in frame:
            self.set_error(frame)
        return 0

    def _read_end(self, kind: str, response: dict[str, Any]) -> None:
        usage = object_in(response, "usage")
        if usage:
            details = object_in(usage, "output_tokens_details")
            self.usage = Usage(
                count_in(usage, "input_tokens"),
                count_in(usage, "output_tokens"),
                count_in(details, "reasoning_tokens"),
            )
        self.add_silent()
        if kind == _FAILED:
            self.set_error(response.get("error") or "response.failed")
        elif kind == _INCOMPLETE and (why := _why_incomplete(response)) != _LENGTH:
            self.set_error(f"response.incomplete: {why}")
        else:
            self.done = True


def _kind(name: str, frame: dict[str, Any]) -> str:
    """Return the type of an event: that in its data, else its name."""
    kind = frame.get("type")
    return kind if isinstance(kind, str) else name


def _why_incomplete(response: dict[str, Any]) -> str:
    return str(object_in(response, "incomplete_details").get("reason") or "no reason given")


def _is_response(name: str, frame: dict[str, Any]) -> bool:
    return _kind(name, frame).startswith(_OWN) and any(
        each in frame for each in ("response", "sequence_number", "delta")
    )


RESPONSES = Format(
    "openai-responses",
    "OPENAI-RESPONSES",
    lambda body: ResponsesDecoder(body.max_chunk_bytes).returning(every_frame=body.every_frame),
    media="sse",
    accept="text/event-stream",
    own_end=Rules((EventIs(_COMPLETED),)),
    tells_beside_chunks=True,
    has_events=True,
    has_event_ids=True,
    signature=Signature((b"response.",), _is_response, lambda events: ResponsesDecoder(events=events)),
)
