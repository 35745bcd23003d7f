"""Newline-delimited JSON (JSON lines): every line that is not blank is a chunk.

The last line counts even without a line end. Blank lines, which some servers send to keep a stream open, are
heartbeats. A line is parsed as JSON only if its content is needed.
"""

from typing import Any

from streamgauge.wire.decoder import MAX_CHUNK_BYTES, Decoder
from streamgauge.wire.error_object import ErrorObject
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.format import Format
from streamgauge.wire.rules import Rules
from streamgauge.wire.strict_json import json_of


class NdjsonDecoder(Decoder):
    """Cuts a body into lines, without their line ends."""

    def __init__(self, max_chunk_bytes: int = MAX_CHUNK_BYTES) -> None:
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._max_chunk_bytes = max_chunk_bytes

    @property
    def pending(self) -> bool:
        """Whether part of a line is held."""
        return bool(self._held)

    def feed(self, pieces: list[bytes], partial: bool = False) -> list[bytes]:  # noqa: ARG002 - lines ignore transfer chunks
        """Return the lines that ``pieces`` complete."""
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        *lines, rest = data.split(b"\n")
        may_be_long = self._held_bytes + len(data) > self._max_chunk_bytes
        if lines and self._held:
            lines[0] = b"".join((*self._held, lines[0]))
            self._held.clear()
            self._held_bytes = 0
        if may_be_long:
            self._check(lines)
        chunks = self._not_blank(lines)
        if rest:
            self._held.append(rest)
            self._held_bytes += len(rest)
            if self._held_bytes > self._max_chunk_bytes:
                raise self._too_long(chunks)
        return chunks

    def _check(self, lines: list[bytes]) -> None:
        for position, line in enumerate(lines):
            if len(line) > self._max_chunk_bytes:
                raise self._too_long(self._not_blank(lines[:position]))

    def _too_long(self, before: list[bytes]) -> ProtocolError:
        return ProtocolError(f"line longer than {self._max_chunk_bytes} bytes", before)

    def _not_blank(self, lines: list[bytes]) -> list[bytes]:
        chunks = [stripped for line in lines if (stripped := line.strip(b" \t\r"))]
        self.heartbeats += len(lines) - len(chunks)
        return chunks

    def close(self) -> list[bytes]:
        """Return the last line, if no line end closed it."""
        held = b"".join(self._held).strip(b" \t\r")
        self._held.clear()
        return [held] if held else []

    @staticmethod
    def parse(chunk: bytes) -> Any:
        """Return the JSON value of a line. Raises ProtocolError if the line is not JSON."""
        try:
            return json_of(chunk)
        except ValueError as error:
            raise ProtocolError(f"expected a line of JSON, got {chunk[:40]!r} ({error})") from None


NDJSON = Format(
    "ndjson",
    "NDJSON",
    lambda body: NdjsonDecoder(body.max_chunk_bytes),
    media="ndjson",
    # Many services send lines under these, or under no type at all: read as lines only if the scenario says so.
    media_if_named=frozenset({"application/json", "text/json", "text/plain", "application/octet-stream", ""}),
    accept="application/x-ndjson, application/jsonl",
    error=Rules((ErrorObject(),)),
)
