"""A connection in use by one stream."""

from collections.abc import Callable
from dataclasses import dataclass

from streamgauge.client.connect.transport import Transport
from streamgauge.client.http.sending import Sending
from streamgauge.client.read.connection_reader import ConnectionReader, OnData
from streamgauge.client.read.paced_reader import PacedReader
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.read.timing import ChunkTimer


@dataclass(slots=True)
class Connection:
    """A connection in use: its transport, what reads from it, and what sends on it."""

    transport: Transport
    reader: ConnectionReader
    sending: Sending

    @classmethod
    def watched(
        cls, transport: Transport, context: ProcessContext, on_data: OnData, on_error: Callable[[OSError], None]
    ) -> "Connection":
        """Begin to read from ``transport``."""
        reactor, clock, lag = context.reactor, context.clock, context.process_stats.lag
        reader = ConnectionReader(transport, reactor, clock, lag, on_data, on_error)
        return cls(transport, reader, Sending(transport, reactor))

    @classmethod
    def paced(
        cls,
        transport: Transport,
        context: ProcessContext,
        on_data: OnData,
        on_error: Callable[[OSError], None],
        bytes_per_s: float,
        timer: ChunkTimer,
    ) -> "Connection":
        """Begin to read from ``transport``, slowly on purpose."""
        reader = PacedReader(transport, context, on_data, on_error, bytes_per_s, timer)
        return cls(transport, reader, Sending(transport, context.reactor))

    def release(self, *, reusable: bool = False) -> list[Transport]:
        """Stop reading and sending. Return the transport if it may serve other requests; else close it."""
        reusable = reusable and not self.sending.unfinished
        self.reader.stop()
        self.sending.stop()
        if reusable:
            self.transport.rest()
            return [self.transport]
        self.transport.close()
        return []
