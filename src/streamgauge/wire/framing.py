"""The contract of a framing: it takes a body out of the bytes that arrive, piece by piece."""

from typing import Protocol


class TwoWay(Protocol):
    """The sending side of a framing on which the client sends too."""

    @property
    def closing(self) -> bool:
        """Whether the client has begun to close the stream."""

    def send_close(self) -> None:
        """Begin to close the stream; pieces still come until the peer closes it too."""

    def take_outgoing(self) -> bytes:
        """Take the bytes that wait to be sent."""

    def last_words(self, *, faulty: bool) -> bytes:
        """Take the bytes that are still to be sent before hanging up; ``faulty``: because ``feed`` raised."""


class Framing:
    """How a body is delimited. No piece of it spans two transfer chunks."""

    #: Whether the response has a body at all.
    has_body = True
    #: Whether the sender's own chunks can be seen in the framing.
    has_transfer_chunks = False
    #: Whether another response may follow on the connection.
    self_delimited = True
    #: What came to keep the connection open and is no part of the body.
    heartbeats = 0
    #: The next byte begins a transfer chunk, and nothing that came before it changes its meaning.
    between_chunks = False

    def __init__(self) -> None:
        #: The body is whole.
        self.finished = False
        #: The last piece's transfer chunk goes on in a later read.
        self.partial = False
        #: Bytes after the end of the body.
        self.rest = b""
        #: Something other than the framing that closes the last piece, or the body, came after that piece.
        self.beyond = False
        #: The framing that closes the body, or part of it, came after the last piece.
        self.ending = False

    def feed(self, data: bytes) -> list[bytes]:
        """Return the body's pieces in ``data``, none of them empty. Raises ProtocolError."""
        raise NotImplementedError

    def close(self) -> bool:
        """Note that the peer closed the connection; whether the body is whole."""
        return self.finished

    @property
    def two_way(self) -> TwoWay | None:
        """The sending side, where there is one."""
        return None

    @property
    def error(self) -> str:
        """What the peer gave as the error for which it closed the stream; empty where it gave none."""
        return ""

    def shortfall(self, *, named_end_came: bool) -> str:  # noqa: ARG002 - for those that have one
        """Say what a body that ended cleanly lacks; empty where it lacks nothing."""
        return ""
