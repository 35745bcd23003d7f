"""The query parameters that every stream has, their defaults and limits."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from target_app.prose import LONGEST_CHUNK_BYTES

MOST_CHUNKS = 100_000
LONGEST_INTERVAL_MS = 60_000
LONGEST_STREAM_S = 3600
LARGEST_BODY_BYTES = 1 << 30


class Knobs(BaseModel):
    """How many chunks, how often, how large. Anything else in the query is refused, for it would be a slip."""

    model_config = ConfigDict(extra="forbid")

    chunks: int = Field(
        50, ge=1, le=MOST_CHUNKS, description="Chunks to send; an end marker comes on top of them, one interval later."
    )
    interval_ms: float = Field(
        50,
        ge=0,
        le=LONGEST_INTERVAL_MS,
        allow_inf_nan=False,
        description="Milliseconds from the start of one chunk to the next, kept against the clock: no drift. "
        "The first goes out at once. 0 sends as fast as the client reads.",
    )
    chunk_bytes: int = Field(
        256,
        ge=1,
        le=LONGEST_CHUNK_BYTES,
        description="Bytes of a chunk, its format's framing included and HTTP's left out. "
        "One that needs more to be whole gets it.",
    )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.chunks * self.chunk_bytes > LARGEST_BODY_BYTES:
            raise ValueError(f"chunks x chunk_bytes is more than {LARGEST_BODY_BYTES} bytes")
        if self.chunks * self.interval_ms > LONGEST_STREAM_S * 1000:
            raise ValueError(f"chunks x interval_ms is more than {LONGEST_STREAM_S} seconds")
        return self

    @property
    def interval_s(self) -> float:
        """The interval in seconds."""
        return self.interval_ms / 1000


class BinaryKnobs(Knobs):
    """The knobs of ``/stream/bytes``."""

    chunk_bytes: int = Field(
        1024, ge=1, le=LONGEST_CHUNK_BYTES, description="Bytes of a chunk, which is one telemetry frame."
    )


class FileKnobs(Knobs):
    """The knobs of ``/stream/file/{name}``."""

    chunks: int = Field(50, ge=1, le=MOST_CHUNKS, description="Chunks to send at most; the file may end before.")
    interval_ms: float = Field(
        20, ge=0, le=LONGEST_INTERVAL_MS, allow_inf_nan=False, description="Milliseconds from one chunk to the next."
    )
    chunk_bytes: int = Field(65536, ge=1, le=LONGEST_CHUNK_BYTES, description="Bytes of a chunk; the last may be less.")
