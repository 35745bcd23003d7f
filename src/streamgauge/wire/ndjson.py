"""Newline-delimited JSON (JSON lines): every line that is not blank is a chunk.

The last line counts whether or not a line end closes it. Blank lines, which some servers send to keep a stream open,
are heartbeats. Lines are parsed as JSON only when somebody looks inside.

A line says that something went wrong by ``"type": "error"``, or by an ``error`` that is not empty.
"""

import json
from typing import Any

from streamgauge.wire.decoder import MAX_CHUNK_BYTES, Decoder
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.format import Format, InBandError


class NdjsonDecoder(Decoder):
    """Takes bytes and returns lines, without their line end."""

    def __init__(self, max_chunk_bytes: int = MAX_CHUNK_BYTES) -> None:
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._max_chunk_bytes = max_chunk_bytes

    @property
    def pending(self) -> bool:
        """Whether part of a line is held."""
        return bool(self._held)

    def feed(self, pieces: list[bytes], partial: bool = False) -> list[bytes]:  # noqa: ARG002 - lines ignore transfer chunks
        """The lines that ``pieces`` complete."""
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
        """The last line, where no line end closed it."""
        held = b"".join(self._held).strip(b" \t\r")
        self._held.clear()
        return [held] if held else []

    @staticmethod
    def parse(chunk: bytes) -> Any:
        """Return the JSON value of a line. Raises ProtocolError where the line is not JSON."""
        try:
            return json.loads(chunk)
        except (ValueError, RecursionError) as error:
            raise ProtocolError(f"expected a line of JSON, got {chunk[:40]!r} ({error})") from None


def _error_of(line: bytes) -> str | None:
    """Return what a line says went wrong; None where it does not say so."""
    try:
        value: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not (value.get("type") == "error" or value.get("error")):
        return None
    return str(value.get("error") or value.get("message") or value)


NDJSON = Format(
    "ndjson",
    "NDJSON",
    lambda body: NdjsonDecoder(body.max_chunk_bytes),
    media="ndjson",
    media_on_request=frozenset(
        {"application/json"}
    ),  # mostly a single value, so only those who ask for lines get lines
    accept="application/x-ndjson, application/jsonl",
    in_band_error=InBandError(b'"error"', _error_of),
)
