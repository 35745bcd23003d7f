"""What a peer can do wrong on the wire."""

from collections.abc import Sequence


class ProtocolError(Exception):
    """The peer sent what no reading of the standard allows, or more than a limit.

    ``before`` is what the same bytes held that was whole before it: it counts, however reads split the stream.
    """

    def __init__(self, reason: str, before: Sequence[bytes] = ()) -> None:
        super().__init__(reason)
        self.before = list(before)
