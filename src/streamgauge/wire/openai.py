"""Token streams of OpenAI-compatible services, chat and text completions, as Server-Sent Events.

1. ``SseDecoder`` cuts the events out; each is parsed as JSON, once.
2. An event that carries generated content is a chunk; an event with only a role, a finish reason or the usage is not.
3. ``[DONE]``, an error inside the stream and the usage are noted beside the chunks.

A chunk may carry several tokens, so the server's own count of tokens is used if it gives one.
"""

import json
from typing import Any

from streamgauge.wire.decoder import ABSENT, MAX_CHUNK_BYTES, Decoder
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.format import Format
from streamgauge.wire.openai_frames import Usage, has_content, has_reasoning, usage_of
from streamgauge.wire.rules import DataIs, Rules
from streamgauge.wire.sse import Event, SseDecoder
from streamgauge.wire.token_count import TokenCount

MAX_ERROR_CHARACTERS = 500
MAX_CHOICES = 1_024

_scan = json.JSONDecoder().raw_decode
_DATA, _ERROR = b"data: ", b"error:"


class _Events(SseDecoder):
    """Cuts out events, and the lines in which llama.cpp's server reports an error: a field ``error`` without data."""

    def _is_event(self, block: bytes) -> bool:
        return _is_error_line(block) or super()._is_event(block)


def _is_error_line(block: bytes) -> bool:
    return block.startswith(_ERROR) and b"\n" not in block


class OpenAiDecoder(Decoder):
    """Cuts a token stream into the events with generated content. ``done``: ``[DONE]`` came."""

    def __init__(self, max_chunk_bytes: int = MAX_CHUNK_BYTES, *, every_frame: bool = False) -> None:
        #: Whether ``feed`` returns all events, so that rules can look at them.
        self._every_frame = every_frame
        #: The last usage that came.
        self.usage: Usage | None = None
        #: How many choices the stream has: the greatest index, counted from 1.
        self.choices = 0
        self._deltas = 0
        self._shows_reasoning = False
        self._beyond = False
        self._events = _Events(max_chunk_bytes)
        self._parsed: list[tuple[bytes, Any]] = []

    @property
    def pending(self) -> bool:
        """Whether part of an event is held, or an event without content came after the last chunk."""
        return self._events.pending or self._beyond

    @property
    def unfinished(self) -> bool:
        """See ``Decoder``."""
        return self._events.unfinished

    @property
    def tokens_are_counted(self) -> bool:
        """Whether the server counted the tokens; if not, each piece of content of a choice counts as one token.

        Some servers send a usage of zeros with every event: after content, zero is not a count.
        """
        counted = self.usage.completion_tokens if self.usage else None
        return counted is not None and (counted > 0 or not self._deltas)

    @property
    def tokens(self) -> int:
        """The number of tokens generated so far, over all choices."""
        if self.usage is None or self.usage.completion_tokens is None or not self.tokens_are_counted:
            return self._deltas
        return self.usage.completion_tokens

    @property
    def shown_tokens(self) -> int:
        """The part of ``tokens`` that the events carried, without hidden reasoning and rejected predictions.

        Services count their hidden reasoning in the usage. Some also report as reasoning what they send as content, so
        at least one token for each piece of content is left.
        """
        tokens, usage = self.tokens, self.usage
        if usage is None or not self.tokens_are_counted:
            return tokens
        hidden = (usage.rejected_tokens or 0) + (0 if self._shows_reasoning else usage.reasoning_tokens or 0)
        return max(tokens - hidden, min(tokens, self._deltas))

    def token_count(self) -> TokenCount:
        """See ``Decoder``."""
        return TokenCount(self.tokens, self.shown_tokens, self.choices)

    def feed(self, pieces: list[bytes], partial: bool = False) -> list[bytes]:
        """Return the events with content that ``pieces`` complete. Raises ProtocolError, also for invalid JSON."""
        self._parsed, problem, read = [], None, 0
        try:
            blocks = self._events.feed(pieces, partial)
        except ProtocolError as error:
            blocks, problem = error.before, error
        try:
            for block in blocks:
                self._read_block(block)
                read += 1
        except ProtocolError as error:
            problem = error
        chunks = [block for block, _ in self._parsed]
        self.heartbeats = self._events.heartbeats
        self._beyond = bool(blocks) and (not chunks or chunks[-1] is not blocks[-1])
        if blocks:
            self.last_frame = blocks[-1]
        if self._every_frame:
            chunks, self._beyond = blocks[:read], False
        if problem is not None:
            problem.before = chunks
            raise problem
        return chunks

    def _read_block(self, block: bytes) -> None:
        frame = self._frame(block)
        deltas = 0 if frame is None else self._read_frame(frame)
        if deltas:
            self._deltas += deltas
            self._parsed.append((block, frame))

    def parse(self, chunk: bytes) -> Any:
        """Return the JSON of an event, which is cached until the next ``feed``; the text of one such as ``[DONE]``."""
        value = self.json_of(chunk)
        return self.event_of(chunk).data if value is ABSENT else value

    def is_chunk(self, frame: bytes) -> bool:
        """See ``Decoder``: whether the event carries generated content."""
        return any(block is frame for block, _ in self._parsed)

    def event_of(self, frame: bytes) -> Event:
        """See ``Decoder``."""
        return SseDecoder.parse(frame)

    def json_of(self, frame: bytes) -> Any:
        """See ``Decoder``."""
        for block, value in self._parsed:
            if block is frame:
                return value
        return super().json_of(frame)

    def _frame(self, block: bytes) -> dict[str, Any] | None:
        """Return the JSON object of an event; None if it is ``[DONE]``, an error or another JSON value."""
        if block.startswith(_DATA) and b"\n" not in block:
            name, data = "message", block[len(_DATA) :].decode("utf-8", "replace")
        elif _is_error_line(block):
            said = block[len(_ERROR) :].decode("utf-8", "replace").strip()
            self._set_error(_json_or_none(said) or said)
            return None
        else:
            event = SseDecoder.parse(block)
            name, data = event.event, event.data
        if data.strip() == "[DONE]":
            self.done = True
            return None
        # The API has no named events, so the data of a named event need not be JSON.
        value = _json(data) if name == "message" else _json_or_none(data)
        if name == "error":
            self._set_error(data if value is None else value)
            return None
        return value if isinstance(value, dict) else None

    def _read_frame(self, frame: dict[str, Any]) -> int:
        """Store a frame's usage and error; return how many choices it carries content of."""
        self._read_usage_and_error(frame)
        if "x_groq" in frame and isinstance(frame["x_groq"], dict):
            self._read_usage_and_error(frame["x_groq"])  # Groq puts both into its own object
        if "error" in (frame.get("object"), frame.get("type")):
            self._set_error(frame)  # some servers send the error itself, not an object that contains it
        choices = frame.get("choices")
        if not isinstance(choices, list):
            return 0
        deltas = 0
        for choice in choices:
            if not isinstance(choice, dict):
                continue
            if choice.get("finish_reason") == "error" or "error" in choice:
                self._read_failure(choice)
            if has_content(choice):
                deltas += 1
                if not self._shows_reasoning:
                    self._shows_reasoning = has_reasoning(choice)
                index = choice.get("index", 0)
                if isinstance(index, int) and self.choices <= index < MAX_CHOICES:
                    self.choices = index + 1
        return deltas

    def _read_usage_and_error(self, holder: dict[str, Any]) -> None:
        """Store the error and the usage in ``holder``, if there are any."""
        if error := holder.get("error"):
            self._set_error(error)
        usage = holder.get("usage")
        if usage and isinstance(usage, dict):
            self.usage = usage_of(usage)

    def _read_failure(self, choice: dict[str, Any]) -> None:
        error = choice.get("error")
        if error or choice.get("finish_reason") == "error":
            self._set_error(error or "finish_reason error")

    def _set_error(self, error: Any) -> None:
        if self.error is not None:
            return
        if isinstance(error, dict):
            error = error.get("error") or error
        if isinstance(error, dict):
            message = error.get("message")
            error = message if isinstance(message, str) and message else json.dumps(error)
        self.error = str(error)[:MAX_ERROR_CHARACTERS] or "error"


def _json(data: str) -> Any:
    try:
        text = data.strip()
        value, end = _scan(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"expected JSON in an event's data, got {data[:80]!r}: {error}") from None
    if end != len(text):
        raise ProtocolError(f"expected JSON in an event's data, got {data[:80]!r}: more follows at {end}")
    return value


def _json_or_none(data: str) -> Any:
    try:
        return _json(data)
    except ProtocolError:
        return None


OPENAI = Format(
    "openai",
    "OPENAI",
    lambda body: OpenAiDecoder(body.max_chunk_bytes, every_frame=body.every_frame),
    media="sse",
    accept="text/event-stream",
    own_end=Rules((DataIs("[DONE]"),)),
    tells_beside_chunks=True,
    has_events=True,
    has_event_ids=True,
)
