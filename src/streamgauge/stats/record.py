"""One stream in numbers: what the client knows of it once it has ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from streamgauge.stats.outcome import Outcome


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """What happened to one stream.

    All ``_s`` fields are seconds. ``start_s`` is on the monotonic clock of this process.
    """

    name: str
    protocol: str
    """``sse``, ``ndjson``, ``raw``, … as it was decoded, or as it was asked for if no response came."""
    outcome: Outcome
    start_s: float
    duration_s: float
    """Start until the arrival of the last byte, or until the outcome was known."""
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Response fields by lower-case name; repeated ones are joined by ``, ``."""
    time_to_first_chunk_s: float | None = None
    """At its most, where it is uncertain."""
    time_to_first_chunk_range_s: tuple[float, float] | None = None
    """The least and the most that it can be: the first chunk shared a read with others, or the generator waited for a
    CPU before it sent the request."""
    chunks: int = 0
    bytes: int = 0
    """Body bytes, transfer coding left out."""
    heartbeats: int = 0
    """SSE comments and the like, which are not chunks."""
    stalls: int = 0
    coalesced: int = 0
    """Chunks that shared a read with others: their arrival is known as an interval only."""
    max_chunk_interval_s: float | None = None
    lost: int = 0
    """Sequence numbers that did not come, where the scenario says that chunks have any."""
    repeated: int = 0
    out_of_order: int = 0
    beyond_window: int = 0
    """Chunks whose number is too far behind to tell whether they came late or again."""
    tokens: int | None = None
    """Tokens that a language model generated: as the server counted them, else the pieces of content."""
    time_per_output_token_s: float | None = None
    """(last chunk − first chunk) / (tokens − 1), the tokens of one choice where there are several.

    Tokens that the server counted and kept to itself, as hidden reasoning, are left out. None for a single chunk.
    """
    time_per_output_token_range_s: tuple[float, float] | None = None
    """The least and the most that it can be, where coalesced reads leave it uncertain."""
    reconnects: int = 0
    """How many times the stream was connected to again, where the scenario allows it."""
    reason: str = ""
    """One sentence on what went wrong, for any outcome but ``completed``."""

    @property
    def failed(self) -> bool:
        """Whether the outcome counts as a failure."""
        return self.outcome.failed
