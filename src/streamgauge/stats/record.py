"""The record of one stream: its figures once it has ended."""

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from streamgauge.stats.outcome import Outcome

_CATCH = (
    "to call failure() or success() on a record, pass catch_response=True and use a with block: "
    "with self.client.stream(…, catch_response=True) as record:"
)


class Headers(dict[str, str]):
    """Response fields by lower-case name; a look-up ignores the case of the name."""

    __slots__ = ()

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        """Return the field, or ``default``."""
        return super().get(name.lower(), default)


@dataclass(slots=True)  # a frozen one takes seven times as long to make
class StreamRecord:
    """The figures of one stream. Nothing changes them.

    All ``_s`` fields are seconds. ``start_s`` is on the monotonic clock of this process. The times of a stream that an
    open model scheduled begin at its scheduled start.
    """

    name: str
    protocol: str
    """``sse``, ``ndjson``, ``raw``, … as decoded, or as requested if no response came."""
    outcome: Outcome
    start_s: float
    duration_s: float
    """From the start to the arrival of the last byte, or until the outcome was known; an estimate if uncertain."""
    duration_range_s: tuple[float, float] | None = None
    """The least and the most that it can be, if the connection's end was the body's, or the generator waited for a CPU
    before it sent the request."""
    start_delay_s: float | None = None
    """How much later than scheduled the stream began; None if no open model scheduled it. ``start_s`` is the schedule,
    and the times of the stream contain the delay."""
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=Headers)
    """Response fields, in any case of their names; repeated fields are joined by ``, ``."""
    time_to_first_chunk_s: float | None = None
    """An estimate if it is uncertain."""
    time_to_first_chunk_range_s: tuple[float, float] | None = None
    """The least and the most that it can be, if the first chunk shared a read with other data, or the generator waited
    for a CPU before it sent the request."""
    chunks: int = 0
    bytes: int = 0
    """Body bytes, without transfer coding."""
    heartbeats: int = 0
    """SSE comments and the like, which are not chunks; and what the scenario's ``chunk`` leaves out."""
    stalls: int = 0
    coalesced: int = 0
    """Chunks that shared a read with other chunks or with what followed: their arrival is known as an interval only."""
    max_chunk_interval_s: float | None = None
    lost: int = 0
    """Sequence numbers that did not come, if the scenario says where chunks have them."""
    repeated: int = 0
    out_of_order: int = 0
    beyond_window: int = 0
    """Chunks whose number is too far behind to tell whether they are late or repeated."""
    tokens: int | None = None
    """Tokens that a language model generated: the server's count, else the number of pieces of content."""
    prompt_tokens: int | None = None
    """Tokens of the prompt, if the server counts them."""
    time_to_last_token_s: float | None = None
    """Until the last token: the last chunk, or a later frame whose token shows no content, such as a stop token."""
    time_to_first_answer_s: float | None = None
    """Until the first content that is not a model's reasoning; the most that it can be."""
    time_per_output_token_s: float | None = None
    """(last frame that carries a counted token − first chunk) / (tokens − 1); of several choices, the tokens of one.

    Tokens that the server counted but did not send, such as hidden reasoning, and tokens without content before the
    first chunk are left out. None for a single token, and if all tokens came in one frame.
    """
    time_per_output_token_range_s: tuple[float, float] | None = None
    """The least and the most that it can be, if frames that shared a read leave it uncertain."""
    reconnects: int = 0
    """How many times the client connected again, if the scenario allows it."""
    slowed: int = 0
    """1 if the client read slowly on purpose, else 0."""
    reason: str = ""
    """A sentence on the cause, for every outcome except ``completed``; for that one too if no chunk came."""
    quoted: str = ""
    """The end of ``reason`` that quotes the stream's own data, and so differs from stream to stream."""
    url: str = ""
    """Of the last request."""

    def __enter__(self) -> Self:
        """Judge the stream inside a ``with`` block, which ``catch_response=True`` allows."""
        raise TypeError(_CATCH)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        """Leave the block."""
        raise TypeError(_CATCH)

    def failure(self, why: object) -> None:  # noqa: ARG002 - for the record of a caught stream
        """Count the stream as failed for this reason, a text or an exception."""
        raise TypeError(_CATCH)

    def success(self) -> None:
        """Count the stream as a success, whatever its outcome."""
        raise TypeError(_CATCH)

    @property
    def failed(self) -> bool:
        """Whether the outcome counts as a failure."""
        return self.outcome.failed

    @property
    def ok(self) -> bool:
        """Whether the stream did not fail."""
        return not self.failed

    @property
    def status_code(self) -> int:
        """The status, or 0 if no response came: what listeners of Locust's ``request`` event expect of a response."""
        return self.status or 0

    @property
    def content(self) -> "builtins.bytes":
        """Nothing, since the body of a stream is not kept: use ``on_chunk``."""
        return b""

    @property
    def text(self) -> str:
        """Nothing, since the body of a stream is not kept: use ``on_chunk``."""
        return ""

    @property
    def accepted_refusals(self) -> int:
        """1 if the server refused the stream with a status that the scenario accepts, else 0."""
        opened = self.status is None or self.status == 101 or 200 <= self.status < 300
        return int(self.outcome is Outcome.COMPLETED and not opened)

    @property
    def without_chunks(self) -> int:
        """1 if the stream completed and brought no chunk, else 0."""
        return int(self.outcome is Outcome.COMPLETED and not self.chunks and not self.accepted_refusals)
