"""Token streams of Gemini's ``streamGenerateContent``: events (``alt=sse``), or else one JSON array.

Chunks are the frames whose candidates bring parts with content; a part of ``thought`` is reasoning. The stream ends
when every candidate has its ``finishReason``. An ``error`` and a refused prompt (``blockReason``) are errors.

Each frame has the usage so far. Its ``candidatesTokenCount`` is without the thoughts, which are counted beside it.
"""

from typing import Any

from streamgauge.media_types import media_type
from streamgauge.wire.decoder import MAX_CHUNK_BYTES, BodyDescription, Decoder
from streamgauge.wire.format import Format, Signature
from streamgauge.wire.json_array import JsonArrayDecoder
from streamgauge.wire.rules import JsonHas, Rules
from streamgauge.wire.sse import SseDecoder
from streamgauge.wire.token_count import Usage
from streamgauge.wire.token_stream import (
    MAX_CHOICES,
    Said,
    TokenDecoder,
    count_in,
    object_in,
    objects_in,
    said_in_event,
    said_in_text,
)

_ARRAY, _UNFINISHED = "application/json", (None, "", "FINISH_REASON_UNSPECIFIED")  # the last is the API's zero value
#: The members of a part that are generated content.
_CONTENT = ("text", "functionCall", "inlineData", "fileData", "executableCode", "codeExecutionResult")


class GeminiDecoder(TokenDecoder):
    """Cuts an answer into the frames with generated content. ``done``: every candidate has finished."""

    def __init__(
        self, max_chunk_bytes: int = MAX_CHUNK_BYTES, frames: Decoder | None = None, said: Said = said_in_event
    ) -> None:
        super().__init__(frames or SseDecoder(max_chunk_bytes), said)
        #: The candidates that have not finished.
        self._unfinished: set[int] = set()

    def read_frame(self, name: str, frame: dict[str, Any]) -> int:  # noqa: ARG002 - the API has no names
        """See ``TokenDecoder``."""
        if error := frame.get("error"):
            self.set_error(error)
        refused = object_in(frame, "promptFeedback")
        if why := refused.get("blockReason"):
            self.set_error(refused.get("blockReasonMessage") or f"the prompt was blocked: {why}")
        if usage := object_in(frame, "usageMetadata"):
            self._read_usage(usage)
        return sum(self._read_candidate(each) for each in objects_in(frame, "candidates"))

    def _read_candidate(self, candidate: dict[str, Any]) -> int:
        index = candidate.get("index", 0)
        if isinstance(index, int) and index < MAX_CHOICES:
            self._read_finish(index, candidate.get("finishReason"))
        parts = [each for each in objects_in(object_in(candidate, "content"), "parts") if _has_content(each)]
        if parts:
            self.add_piece(index, reasoning=all(each.get("thought") for each in parts))
            return 1
        self.add_silent()
        return 0

    def _read_finish(self, index: int, reason: Any) -> None:
        if reason in _UNFINISHED:
            self._unfinished.add(index)
        else:
            self._unfinished.discard(index)
        self.done = not self._unfinished

    def _read_usage(self, usage: dict[str, Any]) -> None:
        shown, thoughts = count_in(usage, "candidatesTokenCount"), count_in(usage, "thoughtsTokenCount")
        prompt = count_in(usage, "promptTokenCount")
        completion = None if shown is None and thoughts is None else (shown or 0) + (thoughts or 0)
        self.usage = Usage(prompt, completion, thoughts)


def _has_content(part: dict[str, Any]) -> bool:
    return any(part.get(name) for name in _CONTENT)


def _decoder(body: BodyDescription) -> Decoder:
    if media_type(body.content_type) == _ARRAY:
        decoder = GeminiDecoder(frames=JsonArrayDecoder(body.max_chunk_bytes), said=said_in_text)
    else:
        decoder = GeminiDecoder(body.max_chunk_bytes)
    return decoder.returning(every_frame=body.every_frame)


def _is_answer(name: str, frame: dict[str, Any]) -> bool:  # noqa: ARG001 - the contract of Signature
    return bool(objects_in(frame, "candidates") or object_in(frame, "promptFeedback"))


GEMINI = Format(
    "gemini",
    "GEMINI",
    _decoder,
    media="sse",
    media_if_named=frozenset({_ARRAY}),
    accept="text/event-stream, application/json",
    own_end=Rules((JsonHas(("candidates", "0", "finishReason")),)),
    tells_beside_chunks=True,
    has_events=True,
    has_event_ids=True,
    signature=Signature(
        (b'"candidates"', b'"promptFeedback"'), _is_answer, lambda events: GeminiDecoder(frames=events)
    ),
)
