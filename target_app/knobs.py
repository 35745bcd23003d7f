"""The query parameters of the streams, their defaults and limits."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from target_app.pacing import due_times, token_due_times
from target_app.producer import FailHow, Plan, fails_at
from target_app.sample_text import LONGEST_CHUNK_BYTES

MOST_CHUNKS = 100_000
LONGEST_INTERVAL_MS = 60_000
LONGEST_STREAM_S = 3600
LARGEST_BODY_BYTES = 1 << 30
#: A body that is collected before its first byte is sent is all in memory.
LARGEST_COLLECTED_BYTES = 1 << 20
LARGEST_SEED = (1 << 32) - 1

_FAILS_BY = {
    "error": "`error` sends an error as the last chunk and then ends cleanly.",
    "cut": "`cut` closes the connection inside the body.",
    "end": "`end` ends cleanly, but without the end marker.",
    "stall": "`stall` sends nothing, not even a heartbeat, until the stream reaches its longest duration.",
}


def unset(value: object) -> object:
    """Read a knob that may be null: a query writes that as nothing after the ``=``, as a form does, or as ``null``."""
    return None if value in ("", "null") else value


def _fail_how(default: FailHow, *ways: FailHow) -> FailHow:
    """Describe the field; its annotation has the choices."""
    described = " ".join(_FAILS_BY[way] for way in (default, *ways))
    field: FailHow = Field(default, description=f"How the stream fails at `fail_at`. {described}")
    return field


class Knobs(BaseModel):
    """How many chunks, how often, how large, and how the stream fails. Unknown parameters are refused.

    With the defaults, intervals and durations lie inside buckets of the catalog's histograms, not on their bounds.
    """

    model_config = ConfigDict(extra="forbid")

    chunks: int = Field(
        50, ge=1, le=MOST_CHUNKS, description="Number of chunks; the end marker follows one interval later."
    )
    interval_ms: float = Field(
        60,
        ge=0,
        le=LONGEST_INTERVAL_MS,
        allow_inf_nan=False,
        description="Milliseconds from the start of one chunk to the next, without drift. "
        "The first is sent at once. 0 sends as fast as the client reads.",
    )
    jitter: float = Field(
        0,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="The largest delay of a chunk as a share of the interval; each delay is drawn uniformly from 0 on.",
    )
    chunk_bytes: int = Field(
        256,
        ge=1,
        le=LONGEST_CHUNK_BYTES,
        description="Bytes of a chunk, with its format's framing and without HTTP's. "
        "A chunk that needs more is longer.",
    )
    fail_at: Annotated[int | None, BeforeValidator(unset)] = Field(
        None,
        ge=0,
        le=MOST_CHUNKS,
        description="The chunk, counted from 0, instead of which the stream fails; `chunks` stands for the end marker. "
        "Without it the stream does not fail.",
    )
    fail_how: FailHow = _fail_how("error", "cut", "end", "stall")
    seed: Annotated[int | None, BeforeValidator(unset)] = Field(
        None,
        ge=0,
        le=LARGEST_SEED,
        description="Makes random values the same in each stream. Without it each stream has its own.",
    )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.chunks * self.chunk_bytes > LARGEST_BODY_BYTES:
            raise ValueError(f"chunks x chunk_bytes is more than {LARGEST_BODY_BYTES} bytes")
        if self.chunks * self.interval_ms > LONGEST_STREAM_S * 1000:
            raise ValueError(f"chunks x interval_ms is more than {LONGEST_STREAM_S} seconds")
        if self.fail_at is not None and self.fail_at > self.chunks:
            raise ValueError("fail_at is more than chunks: the stream would never reach it")
        return self

    @property
    def interval_s(self) -> float:
        """The interval in seconds."""
        return self.interval_ms / 1000

    def plan(self, first: int = 0) -> Plan:
        """Make the plan of a stream that begins with chunk ``first``."""
        due = due_times(self.interval_s, self.jitter, self.seed)
        return Plan(self.chunks, due, fails_at(self.fail_at, first), self.fail_how, first)


class PlainKnobs(Knobs):
    """The knobs of formats that cannot send an error."""

    fail_how: Literal["cut", "end", "stall"] = _fail_how("cut", "end", "stall")  # type: ignore[assignment]


class BinaryKnobs(PlainKnobs):
    """The knobs of ``/stream/bytes``."""

    chunk_bytes: int = Field(1024, ge=1, le=LONGEST_CHUNK_BYTES, description="Bytes of a chunk, which is one frame.")


class FileKnobs(Knobs):
    """The knobs of ``/stream/file/{name}``. Its length is sent first, so it has no early clean end."""

    chunks: int = Field(50, ge=1, le=MOST_CHUNKS, description="Most chunks to send; the file may end before.")
    interval_ms: float = Field(
        30, ge=0, le=LONGEST_INTERVAL_MS, allow_inf_nan=False, description="Milliseconds from one chunk to the next."
    )
    chunk_bytes: int = Field(
        65536, ge=1, le=LONGEST_CHUNK_BYTES, description="Bytes of a chunk; the last may be shorter."
    )
    fail_how: Literal["cut", "stall"] = _fail_how("cut", "stall")  # type: ignore[assignment]


class TokenKnobs(Knobs):
    """The knobs of the chat completion: its chunks are tokens, its intervals log-normal."""

    chunks: int = Field(50, ge=1, le=10_000, description="Tokens of the answer, unless the request allows fewer.")
    interval_ms: float = Field(
        20, ge=0, le=10_000, allow_inf_nan=False, description="Median of the milliseconds before each token."
    )
    jitter: float = Field(
        0.5,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Standard deviation of the interval's logarithm; 0 has no spread.",
    )
    chunk_bytes: int = Field(6, ge=1, le=4096, description="Bytes of a token's text.")

    def plan(self, first: int = 0) -> Plan:
        """Make the plan of a stream that begins with chunk ``first``."""
        due_times = token_due_times(self.interval_s, self.jitter, self.seed)
        return Plan(self.chunks, due_times, self.fail_at, self.fail_how, first)
