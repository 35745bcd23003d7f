"""Token streams of OpenAI-compatible services, chat and text completions, as Server-Sent Events.

The stream ends with ``[DONE]``. The own streams of TGI (``/generate_stream``) and llama.cpp (``/completion``) end with
their last frame.
"""

import json
from typing import Any

from streamgauge.wire.decoder import MAX_CHUNK_BYTES, Decoder
from streamgauge.wire.format import Format, Signature
from streamgauge.wire.openai_frames import (
    has_content,
    has_reasoning,
    is_completion,
    is_of_llama_cpp,
    is_of_tgi,
    is_silent,
    usage_of,
    usage_of_timings,
)
from streamgauge.wire.rules import DataIs, Rules
from streamgauge.wire.sse import SseDecoder
from streamgauge.wire.strict_json import json_of
from streamgauge.wire.token_count import Usage
from streamgauge.wire.token_stream import TokenDecoder, count_in, object_in, said_in_event


class OpenAiDecoder(TokenDecoder):
    """Cuts a token stream into the events with generated content. ``done``: ``[DONE]`` came."""

    ENDS_WITH_DONE = True

    def __init__(self, max_chunk_bytes: int = MAX_CHUNK_BYTES, events: Decoder | None = None) -> None:
        events = events or SseDecoder(max_chunk_bytes)
        super().__init__(events, said_in_event)
        if isinstance(events, SseDecoder):
            events.has_error_lines = True

    def read_frame(self, name: str, frame: dict[str, Any]) -> int:  # noqa: ARG002 - the API has no names
        """See ``TokenDecoder``."""
        before = self.usage
        self._read_usage_and_error(frame)
        if "x_groq" in frame and isinstance(frame["x_groq"], dict):
            self._read_usage_and_error(frame["x_groq"])  # Groq puts both into its own object
        if "error" in (frame.get("object"), frame.get("type")):
            self.set_error(frame)  # some servers send the error itself, not an object that contains it
        choices = frame.get("choices")
        if not isinstance(choices, list):
            return self._read_other(frame)
        pieces = 0
        for choice in choices:
            if not isinstance(choice, dict):
                continue
            if choice.get("finish_reason") == "error" or "error" in choice:
                self._read_failure(choice)
            if has_content(choice):
                pieces += 1
                index, reasoning = choice.get("index", 0), has_reasoning(choice)
                if index or reasoning or not self.answered:  # most pieces tell nothing new
                    self.add_piece(index, reasoning=reasoning)
            elif is_silent(choice, begun=self.choices > 0):
                self.add_silent()
        if not pieces and choices and self._grew(before):
            self.add_silent()
        return pieces

    def _read_other(self, frame: dict[str, Any]) -> int:
        """Read a frame of a server's own form."""
        if is_of_tgi(frame):
            token, details = frame["token"], object_in(frame, "details")
            if isinstance(frame.get("generated_text"), str):
                self.done = True
            if details:
                self.usage = Usage(count_in(details, "input_length"), count_in(details, "generated_tokens"))
            return self._read_text("" if token.get("special") else token["text"])
        if is_of_llama_cpp(frame):
            self.done = self.done or frame["stop"]
            self.usage = Usage(count_in(frame, "tokens_evaluated"), count_in(frame, "tokens_predicted"))
            return self._read_text(frame["content"])
        return 0

    def _read_text(self, text: str) -> int:
        if text:
            self.add_piece()
            return 1
        self.add_silent()
        return 0

    def _grew(self, before: Usage | None) -> bool:
        """Whether the server counts more tokens of the completion than ``before``."""
        if self.usage is None or self.usage is before:
            return False
        return (self.usage.completion_tokens or 0) > ((before.completion_tokens or 0) if before else 0)

    def _read_usage_and_error(self, holder: dict[str, Any]) -> None:
        """Store the error and the usage in ``holder``, if there are any."""
        if error := holder.get("error"):
            self.set_error(error)
        usage = holder.get("usage")
        if usage and isinstance(usage, dict):
            self.usage = usage_of(usage)
        elif "timings" in holder and isinstance(holder["timings"], dict):
            self.usage = usage_of_timings(holder["timings"])

    def _read_failure(self, choice: dict[str, Any]) -> None:
        error = choice.get("error")
        if error or choice.get("finish_reason") == "error":
            self.set_error(error or "finish_reason error")


def _asking_for_usage(body: bytes) -> bytes | None:
    """Return a request's body that also asks for the usage; None if it does not ask for a stream."""
    try:
        asked = json_of(body)
    except ValueError:
        return None
    if not isinstance(asked, dict) or asked.get("stream") is not True:
        return None
    options = {**object_in(asked, "stream_options"), "include_usage": True}
    return json.dumps({**asked, "stream_options": options}, separators=(",", ":")).encode()


OPENAI = Format(
    "openai",
    "OPENAI",
    lambda body: OpenAiDecoder(body.max_chunk_bytes).returning(every_frame=body.every_frame),
    media="sse",
    media_if_named=frozenset({"text/plain", "application/octet-stream", ""}),  # the services' own clients do not look
    accept="text/event-stream",
    own_end=Rules((DataIs("[DONE]"),)),
    tells_beside_chunks=True,
    has_events=True,
    has_event_ids=True,
    signature=Signature(
        (b'"choices"', b'"token"', b'"stop"'),
        lambda name, frame: is_completion(frame),  # noqa: ARG005 - the contract of Signature
        lambda events: OpenAiDecoder(events=events),
    ),
    asking_for_usage=_asking_for_usage,
)
