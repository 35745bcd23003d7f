"""The contract of a framing, which extracts a body from the arriving bytes, piece by piece."""

from typing import Protocol


class TwoWay(Protocol):
    """The sending side of a framing on which the client sends too."""

    @property
    def closing(self) -> bool:
        """Whether the client has begun to close the stream."""

    def send(self, message: str | bytes) -> None:
        """Send a text or binary message. Raises ValueError once the client has begun to close the stream."""

    def send_close(self) -> None:
        """Begin to close the stream; pieces still come until the peer closes it as well."""

    def take_outgoing(self) -> bytes:
        """Return the bytes that wait to be sent, and forget them."""

    def closing_bytes(self, *, faulty: bool) -> bytes:
        """Return the last bytes to send before disconnecting; ``faulty``: because ``feed`` raised."""


class Framing:
    """How a body is delimited. No piece of it spans two transfer chunks."""

    #: Whether the response has a body at all.
    has_body = True
    #: Whether the framing shows the sender's own chunks.
    has_transfer_chunks = False
    #: Whether another response may follow on the connection.
    self_delimited = True
    #: How many heartbeats came that are not part of the body.
    heartbeats = 0
    #: Whether the next byte begins a transfer chunk whose meaning does not depend on earlier bytes.
    between_chunks = False

    def __init__(self) -> None:
        #: Whether the body is complete.
        self.finished = False
        #: Whether the transfer chunk of the last piece continues in a later read.
        self.partial = False
        #: Bytes after the end of the body.
        self.rest = b""
        #: Whether bytes came after the last piece, other than the framing that closes that piece or the body.
        self.beyond = False
        #: Whether the framing that closes the body, or part of it, came after the last piece.
        self.ending = False

    def feed(self, data: bytes) -> list[bytes]:
        """Return the body's pieces in ``data``, none of them empty. Raises ProtocolError."""
        raise NotImplementedError

    def close(self) -> bool:
        """Note that the peer closed the connection; return whether the body is complete."""
        return self.finished

    @property
    def two_way(self) -> TwoWay | None:
        """The sending side; None if the client cannot send."""
        return None

    @property
    def error(self) -> str:
        """The error with which the peer closed the stream; empty if it gave none."""
        return ""

    def shortfall(self, *, named_end_came: bool) -> str:  # noqa: ARG002 - for framings that have a shortfall
        """Say what a body that ended cleanly lacks; empty if it lacks nothing."""
        return ""
