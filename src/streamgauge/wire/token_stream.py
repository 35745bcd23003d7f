"""Token streams of language models: what their formats have in common.

1. Another decoder cuts the body into blocks, such as events or lines; each is parsed as JSON, once.
2. A frame that carries generated content (text, reasoning, a refusal, a tool call's arguments) is a chunk. A frame with
   only a role, a finish reason or the usage is not.
3. The format's own end, an error inside the stream and the usage are noted beside the chunks.

A chunk may carry several tokens, so the server's own count of tokens is used if it gives one. A frame without content
may carry a token that shows none, such as a stop token: it is noted as *silent*.
"""

import json
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Self

from streamgauge.wire.blanks import JSON_BLANKS
from streamgauge.wire.decoder import ABSENT, Decoder
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.sse import Event, SseDecoder
from streamgauge.wire.strict_json import json_of
from streamgauge.wire.token_count import TokenCount, Usage

MAX_ERROR_CHARACTERS = 500
MAX_CHOICES = 1_024
#: The name of an event that has none, and of blocks that have no names.
UNNAMED = "message"
#: The event that reports an error, in every format that has events.
ERROR = "error"

#: Return a block's name and its text.
Said = Callable[[bytes], tuple[str, str]]
_DATA, _DONE = b"data: ", "[DONE]"


def said_in_event(block: bytes) -> tuple[str, str]:
    """Return the name and the data of an event."""
    if is_error_line(block):
        return ERROR, block.partition(b":")[2].decode("utf-8", "replace")
    event = SseDecoder.parse(block)
    return event.event, event.data


def said_in_text(block: bytes) -> tuple[str, str]:
    """Return the text of a block that has no name, such as a line."""
    return UNNAMED, block.decode("utf-8", "replace")


def is_error_line(block: bytes) -> bool:
    """Whether a block is a single field ``error``, in which llama.cpp's server reports an error."""
    return block.startswith(b"error:") and b"\n" not in block


class TokenDecoder(Decoder):
    """Cuts a token stream into the frames with generated content. ``done``: the format's own end came."""

    #: Whether ``[DONE]`` is the format's own end. Servers also send it behind the end of other formats.
    ENDS_WITH_DONE = False

    def __init__(self, blocks: Decoder, said: Said) -> None:
        #: The last usage that came.
        self.usage: Usage | None = None
        #: How many choices the stream has: the greatest index, counted from 1.
        self.choices = 0
        #: Whether a piece of content came that is not reasoning.
        self.answered = False
        self._blocks, self._said, self._of_events = blocks, said, said is said_in_event
        self._pieces = self._empty = 0
        self._silent_before = self._silent_after = 0
        self._is_silent = self._shows_reasoning = self._beyond = self._every_frame = False
        self._parsed: list[tuple[bytes, Any]] = []

    def returning(self, *, every_frame: bool) -> Self:
        """Return this decoder, whose ``feed`` returns all frames if ``every_frame``, so that rules can look at them."""
        self._every_frame = every_frame
        return self

    @abstractmethod
    def read_frame(self, name: str, frame: dict[str, Any]) -> int:
        """Note what a frame says; return how many pieces of content it carries: one for each choice.

        Call ``add_piece`` for each piece, and ``add_silent`` for a token that shows nothing.
        """

    def is_own(self, name: str) -> bool:
        """Whether an event of this name belongs to the format, so that its data must be JSON."""
        return name == UNNAMED

    @property
    def pending(self) -> bool:
        """Whether part of a block is held, or a block without content came after the last chunk."""
        return self._blocks.pending or self._beyond

    @property
    def unfinished(self) -> bool:
        """See ``Decoder``."""
        return self._blocks.unfinished

    @property
    def tokens_are_counted(self) -> bool:
        """Whether the server counted the tokens; if not, each piece of content of a choice counts as one token.

        Some servers send a usage of zeros with every event: after content, zero is not a count.
        """
        counted = self.usage.completion_tokens if self.usage else None
        return counted is not None and (counted > 0 or not self._pieces)

    @property
    def tokens(self) -> int:
        """The number of tokens generated so far, over all choices."""
        if self.usage is None or self.usage.completion_tokens is None or not self.tokens_are_counted:
            return self._pieces
        return self.usage.completion_tokens

    @property
    def shown_tokens(self) -> int:
        """The part of ``tokens`` that the frames carried, without hidden reasoning and rejected predictions.

        Services count their hidden reasoning in the usage. Some also report as reasoning what they send as content, so
        at least one token for each piece of content is left.
        """
        tokens, usage = self.tokens, self.usage
        if usage is None or not self.tokens_are_counted:
            return tokens
        hidden = (usage.rejected_tokens or 0) + (0 if self._shows_reasoning else usage.reasoning_tokens or 0)
        return max(tokens - hidden, min(tokens, self._pieces))

    def token_count(self) -> TokenCount:
        """See ``Decoder``."""
        return TokenCount(
            self.tokens,
            self.shown_tokens,
            self.choices,
            None if self.usage is None else self.usage.prompt_tokens,
            self._pieces if self.tokens_are_counted else None,
            self._silent_before,
            self._silent_after,
        )

    def feed(self, pieces: list[bytes], partial: bool = False) -> list[bytes]:
        """Return the frames with content that ``pieces`` complete. Raises ProtocolError, also for invalid JSON."""
        try:
            blocks = self._blocks.feed(pieces, partial)
        except ProtocolError as error:
            return self.take_blocks(error.before, error)
        return self.take_blocks(blocks)

    def close(self) -> list[bytes]:
        """Return the frame with content that the end of the body completes, if there is one."""
        if blocks := self._blocks.close():
            return self.take_blocks(blocks)
        self.silent_token = False
        return []

    def take_blocks(self, blocks: list[bytes], problem: ProtocolError | None = None) -> list[bytes]:
        """Return those blocks that carry content. Raises ProtocolError, also the ``problem`` that came after them."""
        self._parsed, read = [], 0
        self.silent_token = False
        try:
            for block in blocks:
                self._read_block(block)
                read += 1
        except ProtocolError as error:
            problem = error
        chunks = [block for block, _ in self._parsed]
        self.heartbeats = self._blocks.heartbeats + self._empty
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
        if self._of_events and block.startswith(_DATA) and b"\n" not in block:  # most events are one line
            name, text = UNNAMED, block[len(_DATA) :].decode("utf-8", "replace")
        else:
            name, text = self._said(block)
        text = text.strip(JSON_BLANKS)
        if not text or text == _DONE or name == ERROR:
            self._read_mark(name, text)
            return
        try:
            frame = json_value(text)
        except ProtocolError:
            if self.is_own(name):
                raise
            return
        if not isinstance(frame, dict):
            return
        if pieces := self.read_frame(name, frame):
            self._pieces += pieces
            self._parsed.append((block, frame))
            self._is_silent = self.silent_token = False
        elif self._is_silent:
            self._is_silent, self.silent_token = False, True
            if self._pieces:
                self._silent_after += 1
            else:
                self._silent_before += 1

    def _read_mark(self, name: str, text: str) -> None:
        """Read a block that is no frame: an error, ``[DONE]``, or one without data that keeps the stream open."""
        if name == ERROR:
            self.set_error(json_or_none(text) or text)
        elif text:
            self.done = self.done or self.ENDS_WITH_DONE
        else:
            self._empty += 1

    def add_piece(self, index: Any = 0, *, reasoning: bool = False) -> None:
        """Note a piece of content of the choice ``index``."""
        if isinstance(index, int) and self.choices <= index < MAX_CHOICES:
            self.choices = index + 1
        if reasoning:
            self._shows_reasoning = True
        else:
            self.answered = True

    def add_silent(self) -> None:
        """Note that the frame may carry a token that shows no content."""
        self._is_silent = True

    def set_error(self, error: Any) -> None:
        """Store the stream's first error: a text, or an object that holds one."""
        if self.error is None:
            self.error = words_of(error)[:MAX_ERROR_CHARACTERS] or "error"

    def parse(self, chunk: bytes) -> Any:
        """Return the JSON of a frame, which is cached until the next ``feed``; the text of one such as ``[DONE]``."""
        value = self.json_of(chunk)
        return self._said(chunk)[1] if value is ABSENT else value

    def is_chunk(self, frame: bytes) -> bool:
        """See ``Decoder``: whether the frame carries generated content."""
        return any(block is frame for block, _ in self._parsed)

    def event_of(self, frame: bytes) -> Event | None:
        """See ``Decoder``."""
        return SseDecoder.parse(frame) if self._of_events else None

    def json_of(self, frame: bytes) -> Any:
        """See ``Decoder``."""
        for block, value in self._parsed:
            if block is frame:
                return value
        return super().json_of(frame)


def words_of(error: Any) -> str:
    """Return the words of an error: its message if it has one."""
    if isinstance(error, dict):
        error = error.get("error") or error
    if isinstance(error, dict):
        message = error.get("message")
        error = message if isinstance(message, str) and message else json.dumps(error)
    return str(error)


def count_in(usage: Mapping[str, Any], name: str) -> int | None:
    """Return the count of this name; None if there is none."""
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def object_in(holder: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the object of this name; an empty one if there is none."""
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def objects_in(holder: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the objects in the list of this name; no objects if there is no list."""
    value = holder.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def json_value(text: str) -> Any:
    """Parse JSON. Raises ProtocolError."""
    try:
        return json_of(text)
    except ValueError as error:
        raise ProtocolError(f"expected JSON in an event's data, got {text[:80]!r}: {error}") from None


def json_or_none(text: str) -> Any:
    """Parse JSON; None if it is not JSON."""
    try:
        return json_value(text)
    except ProtocolError:
        return None
