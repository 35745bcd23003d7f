"""How a stream is opened: the fields that its request needs, and the framing of the response that opens it."""

from collections.abc import Mapping

from streamgauge.client.http.request import Request
from streamgauge.wire.format import Format
from streamgauge.wire.framing import Framing
from streamgauge.wire.http1_body import framing_of
from streamgauge.wire.http1_head import Head


class Opening:
    """One attempt to open a stream: by a response with a body, or by an upgrade to the format's own protocol."""

    def __init__(self, request: Request, wire_format: Format, max_chunk_bytes: int) -> None:
        self._method, self._max_chunk_bytes = request.method, max_chunk_bytes
        self._upgrade = None if wire_format.upgrade is None else wire_format.upgrade(request.headers)

    @property
    def upgrade(self) -> Mapping[str, str] | None:
        """The fields that ask for another protocol, in which the request's body then goes; None where there is none."""
        return None if self._upgrade is None else self._upgrade.fields

    def refusal(self, head: Head) -> str:
        """Say why a final response that is no redirect does not open the stream; empty where it does."""
        if self._upgrade is not None:
            return self._upgrade.refusal(head)
        return "" if 200 <= head.status < 300 else status_of(head)

    def framing(self, head: Head) -> Framing:
        """Return the framing of the stream that ``head`` opens. Raises ProtocolError."""
        if self._upgrade is not None:
            return self._upgrade.framing(head, self._max_chunk_bytes)
        return framing_of(head, self._method)


def status_of(head: Head) -> str:
    """Say the status of a response."""
    return f"status {head.status} {head.reason}".rstrip(" ")
