"""How a stream ended. Every stream that starts ends in exactly one outcome."""

from enum import StrEnum


class Outcome(StrEnum):
    """The end of one stream, as the client saw it."""

    COMPLETED = "completed"
    """The protocol ended cleanly, and the named end came where the scenario names one."""
    ABORTED = "aborted"
    """The scenario hung up on purpose."""
    CENSORED = "censored"
    """The run ended first."""
    INCOMPLETE = "incomplete"
    """A clean protocol end, but the named end never came."""
    TRUNCATED = "truncated"
    """The transport ended inside the body."""
    IN_BAND_ERROR = "in_band_error"
    """The stream itself said ``error``."""
    STALLED = "stalled"
    """No chunk within the idle limit, or no end within the total limit."""
    PROTOCOL_ERROR = "protocol_error"
    """Framing that no reading of the standard allows, or an over-long line, header or chunk."""
    HTTP_ERROR = "http_error"
    """A status of 400 or more, or not the content type asked for."""
    CONNECT_ERROR = "connect_error"
    """No connection, or none that could be secured."""

    @property
    def failed(self) -> bool:
        """Whether this counts as a failure. A censored stream counts as neither."""
        return self not in NOT_FAILED


NOT_FAILED = frozenset({Outcome.COMPLETED, Outcome.ABORTED, Outcome.CENSORED})
