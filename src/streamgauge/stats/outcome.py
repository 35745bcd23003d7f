"""How streams end. Every stream that starts has exactly one outcome."""

from enum import StrEnum


class Outcome(StrEnum):
    """The end of one stream, as the client saw it."""

    COMPLETED = "completed"
    """The protocol ended cleanly, and the named end came if the scenario names one."""
    ABORTED = "aborted"
    """The scenario disconnected on purpose."""
    CENSORED = "censored"
    """The run ended before the stream did."""
    INCOMPLETE = "incomplete"
    """The protocol ended cleanly, but the named end did not come."""
    TRUNCATED = "truncated"
    """The connection ended inside the body."""
    IN_BAND_ERROR = "in_band_error"
    """The stream itself reported an error."""
    CHECK_FAILED = "check_failed"
    """A check of the scenario failed: its ``on_chunk`` raised, or it called ``failure`` on the record."""
    STALLED = "stalled"
    """No chunk came within the idle limit, or no end within the total limit."""
    PROTOCOL_ERROR = "protocol_error"
    """The framing broke the standard, or a line, a header or a chunk was too long."""
    HTTP_ERROR = "http_error"
    """The status was 400 or more, or the content type was not the requested one."""
    CONNECT_ERROR = "connect_error"
    """No connection was possible, or TLS failed."""

    @property
    def failed(self) -> bool:
        """Whether this counts as a failure. A censored stream counts as neither."""
        return self not in NOT_FAILED


NOT_FAILED = frozenset({Outcome.COMPLETED, Outcome.ABORTED, Outcome.CENSORED})
