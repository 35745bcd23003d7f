"""The query parameters that every stream has, their defaults and limits."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from target_app.pacing import beats, token_beats
from target_app.producing import FailHow, Plan
from target_app.prose import LONGEST_CHUNK_BYTES

MOST_CHUNKS = 100_000
LONGEST_INTERVAL_MS = 60_000
LONGEST_STREAM_S = 3600
LARGEST_BODY_BYTES = 1 << 30
#: What is gathered before its first byte goes out is all in memory.
LARGEST_GATHERED_BYTES = 1 << 20
LARGEST_SEED = (1 << 32) - 1

_FAILS_BY = {
    "error": "`error` says so in the stream itself, with a last chunk of its own, and then ends cleanly.",
    "cut": "`cut` breaks the connection off inside the body.",
    "end": "`end` ends cleanly, but without the end marker, as if nothing had happened.",
    "stall": "`stall` falls silent, without a heartbeat, until the longest time that a stream may last is over.",
}


def _fail_how(default: FailHow, *ways: FailHow) -> FailHow:
    """The field; what it offers is for its annotation to say."""
    described = " ".join(_FAILS_BY[way] for way in (default, *ways))
    field: FailHow = Field(default, description=f"How it fails at `fail_at`. {described}")
    return field


class Knobs(BaseModel):
    """How many chunks, how often, how large, and what goes wrong. Anything else in the query would be a slip.

    With the defaults, intervals and durations lie inside the buckets of the catalog's histograms, not on their bounds.
    """

    model_config = ConfigDict(extra="forbid")

    chunks: int = Field(
        50, ge=1, le=MOST_CHUNKS, description="Chunks to send; an end marker comes on top of them, one interval later."
    )
    interval_ms: float = Field(
        60,
        ge=0,
        le=LONGEST_INTERVAL_MS,
        allow_inf_nan=False,
        description="Milliseconds from the start of one chunk to the next, kept against the clock: no drift. "
        "The first goes out at once. 0 sends as fast as the client reads.",
    )
    jitter: float = Field(
        0,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="By what share of the interval a chunk comes late at most: each its own, drawn evenly from 0 on.",
    )
    chunk_bytes: int = Field(
        256,
        ge=1,
        le=LONGEST_CHUNK_BYTES,
        description="Bytes of a chunk, its format's framing included and HTTP's left out. "
        "One that needs more to be whole gets it.",
    )
    fail_at: int | None = Field(
        None,
        ge=0,
        le=MOST_CHUNKS,
        description="The chunk, counted from 0, in whose place the stream fails; `chunks` is the end marker's. "
        "Left out, it does not fail.",
    )
    fail_how: FailHow = _fail_how("error", "cut", "end", "stall")
    seed: int | None = Field(
        None,
        ge=0,
        le=LARGEST_SEED,
        description="Makes what is drawn by chance the same in each stream. Left out, each has its own.",
    )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.chunks * self.chunk_bytes > LARGEST_BODY_BYTES:
            raise ValueError(f"chunks x chunk_bytes is more than {LARGEST_BODY_BYTES} bytes")
        if self.chunks * self.interval_ms > LONGEST_STREAM_S * 1000:
            raise ValueError(f"chunks x interval_ms is more than {LONGEST_STREAM_S} seconds")
        if self.fail_at is not None and self.fail_at > self.chunks:
            raise ValueError("fail_at is more than chunks: the stream would never come to it")
        return self

    @property
    def interval_s(self) -> float:
        """The interval in seconds."""
        return self.interval_ms / 1000

    def plan(self, first: int = 0) -> Plan:
        """What they ask for, of a stream that begins with chunk ``first``.

        One that is resumed where it failed does not fail there again: it would never get any further.
        """
        fail_at = self.fail_at if self.fail_at is not None and (not first or first < self.fail_at) else None
        return Plan(self.chunks, beats(self.interval_s, self.jitter, self.seed), fail_at, self.fail_how, first)


class PlainKnobs(Knobs):
    """The knobs of formats that have no way to say inside the stream that it failed."""

    fail_how: Literal["cut", "end", "stall"] = _fail_how("cut", "end", "stall")  # type: ignore[assignment]


class BinaryKnobs(PlainKnobs):
    """The knobs of ``/stream/bytes``."""

    chunk_bytes: int = Field(
        1024, ge=1, le=LONGEST_CHUNK_BYTES, description="Bytes of a chunk, which is one telemetry frame."
    )


class FileKnobs(Knobs):
    """The knobs of ``/stream/file/{name}``. Its length is announced, so it cannot end before that unnoticed."""

    chunks: int = Field(50, ge=1, le=MOST_CHUNKS, description="Chunks to send at most; the file may end before.")
    interval_ms: float = Field(
        30, ge=0, le=LONGEST_INTERVAL_MS, allow_inf_nan=False, description="Milliseconds from one chunk to the next."
    )
    chunk_bytes: int = Field(65536, ge=1, le=LONGEST_CHUNK_BYTES, description="Bytes of a chunk; the last may be less.")
    fail_how: Literal["cut", "stall"] = _fail_how("cut", "stall")  # type: ignore[assignment]


class TokenKnobs(Knobs):
    """The knobs of the token stream: its chunks are tokens, and its intervals log-normal."""

    chunks: int = Field(50, ge=1, le=10_000, description="Tokens of the answer, unless the request allows only fewer.")
    interval_ms: float = Field(
        20, ge=0, le=10_000, allow_inf_nan=False, description="The median of the milliseconds before each token."
    )
    jitter: float = Field(
        0.5, ge=0, le=1, allow_inf_nan=False, description="The deviation of the interval's logarithm; 0 has no spread."
    )
    chunk_bytes: int = Field(6, ge=1, le=4096, description="Bytes of text that a token brings.")

    def plan(self, first: int = 0) -> Plan:
        """What they ask for."""
        cadence = token_beats(self.interval_s, self.jitter, self.seed)
        return Plan(self.chunks, cadence, self.fail_at, self.fail_how, first)
