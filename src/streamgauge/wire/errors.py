"""The error for data that break a wire format."""

from collections.abc import Sequence


class ProtocolError(Exception):
    """Raised if the peer sent data that the standard does not allow, or more than a limit.

    ``before`` holds the chunks or pieces that were complete before the error in the same bytes. They count, so that the
    result does not depend on how reads split the stream.
    """

    def __init__(self, reason: str, before: Sequence[bytes] = ()) -> None:
        super().__init__(reason)
        self.before = list(before)
