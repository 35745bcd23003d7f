"""What is on its way out on one connection: sent as far as the kernel takes it, and the rest when it takes more."""

from streamgauge.client.connect.dial import words
from streamgauge.client.connect.transport import Transport
from streamgauge.client.reactor import Reactor, Watch


class Sending:
    """Sends on ``transport``. A failure ends nothing: an answer may still be there to be read."""

    def __init__(self, transport: Transport, reactor: Reactor) -> None:
        self._transport, self._reactor = transport, reactor
        self._watch: Watch | None = None
        #: Why nothing more can be sent; empty while all is well.
        self.failure = ""

    @property
    def under_way(self) -> bool:
        """Whether something waits to be sent."""
        return self._watch is not None

    def send(self, data: bytes) -> None:
        """Send ``data`` behind what waits."""
        self._transport.write(data)
        self._flush()

    def _flush(self) -> None:
        try:
            sent = self._transport.flush()
        except OSError as error:
            self.failure = words(error)
            sent = True
        if sent:
            self.stop()
        elif self._watch is None:
            self._watch = self._reactor.on_writable(self._transport.sock.fileno(), self._flush)

    def stop(self) -> None:
        """Send nothing more."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
