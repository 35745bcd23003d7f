"""Sends on one connection: as much as the kernel takes now, and the rest when it takes more."""

from streamgauge.client.connect.dial import describe
from streamgauge.client.connect.transport import Transport
from streamgauge.client.reactor import Reactor, Watch


class Sending:
    """Sends on ``transport``. A failure ends nothing: a response may still be there to be read."""

    __slots__ = ("_reactor", "_transport", "_watch", "failure")

    def __init__(self, transport: Transport, reactor: Reactor) -> None:
        self._transport, self._reactor = transport, reactor
        #: Waits until the kernel takes more; None while nothing is unsent.
        self._watch: Watch | None = None
        #: Why nothing more can be sent; empty while sending works.
        self.failure = ""

    @property
    def unfinished(self) -> bool:
        """Whether data is unsent."""
        return self._watch is not None

    def send(self, data: bytes) -> None:
        """Send ``data`` after what is unsent."""
        self._transport.write(data)
        self._flush()

    def _flush(self) -> None:
        try:
            sent = self._transport.flush()
        except OSError as error:
            self.failure = describe(error)
            sent = True
        if sent:
            self.stop()
        elif self._watch is None:
            self._watch = self._reactor.on_writable(self._transport.sock.fileno(), self._flush)

    def stop(self) -> None:
        """Stop sending; what is unsent is dropped."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
