"""What a body began and ended with, for reasons that quote it."""

from streamgauge.wire.frame import MAX_QUOTED, one_line


class Quotes:
    """The beginning and the last frame of one body, and the end of a reason that quotes one of them."""

    __slots__ = ("_beginning", "last_frame", "quoted")

    def __init__(self) -> None:
        #: The last frame that came.
        self.last_frame = b""
        #: Of a body whose first read brought no frame, its beginning.
        self._beginning = b""
        #: The end of a reason, if it quotes the body.
        self.quoted = ""

    def note(self, pieces: list[bytes], frames: list[bytes]) -> None:
        """Note what one read brought."""
        if frames:
            self.last_frame = frames[-1]
        if pieces and not self._beginning:
            self._beginning = pieces[0][: 4 * MAX_QUOTED]

    def quote_beginning(self) -> None:
        """Quote what the body began with."""
        self.quoted = f"; it began with {_quoted(self._beginning)}"

    def quote_end(self, frame: bytes) -> None:
        """Quote the frame with which the body ended, if there is one."""
        self.quoted = f"; it ended with {_quoted(frame)}" if frame else ""


def _quoted(frame: bytes) -> str:
    """Return the beginning of a frame as one printable line in quotes."""
    return repr(one_line(frame[: 4 * MAX_QUOTED].decode("utf-8", "replace"), MAX_QUOTED))
