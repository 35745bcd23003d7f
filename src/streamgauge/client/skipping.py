"""The state of a stream that reads a response which is not the stream: a refusal, or a redirect."""

from collections.abc import Callable
from dataclasses import dataclass

from streamgauge.client.connect.transport import Transport
from streamgauge.client.connection import Connection
from streamgauge.client.http.pool import may_serve_another
from streamgauge.client.http.request import Request
from streamgauge.client.http.skipped_body import SkippedBody
from streamgauge.client.reactor import Watch
from streamgauge.client.read.chunk_checks import Ending
from streamgauge.client.state_table import State
from streamgauge.client.states import AwaitingResponse, Connected
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.reasons import BODY
from streamgauge.wire.http1_head import Head


@dataclass(slots=True)
class Skipping(Connected):
    """See ``State.SKIPPING``. ``ending`` is how the stream ends after the body; None if another request follows.

    The stream counts as ended when the head came, at ``head_ns``. ``deadline`` ends the wait for the body.
    """

    name = State.SKIPPING
    connection: Connection
    head: Head
    ending: Ending | None
    head_ns: int
    body: SkippedBody
    deadline: Watch

    @classmethod
    def of(
        cls, state: AwaitingResponse, answered: tuple[Request, Head, int], ending: Ending | None, deadline: Watch
    ) -> "Skipping":
        """Skip the body of a response; ``answered``: the request, its response's head, and when that came."""
        request, head, head_ns = answered
        body = SkippedBody(request, head, listens=ending is not None)
        return cls(state.connection, head, ending, head_ns, body, deadline)

    def begin(self, rest: bytes, on_over: Callable[[], None], on_more: Callable[[Connection], object]) -> None:
        """Read the body from ``rest`` on. ``on_over``: it is read as far as it will be; ``on_more``: it was read on."""

        def receive(data: bytes, _: int) -> None:
            if data and self.body.feed(data):
                on_more(self.connection)
            else:
                on_over()

        self.connection.reader.pass_to(receive)
        if not self.body.feed(rest):
            on_over()

    def known_ending(self) -> Ending | None:
        """Return how the stream ends after the body, with what the body of a refusal said so far."""
        if self.ending is None or not self.body.said:
            return self.ending
        return self.ending[0], f"{self.ending[1]}{BODY}{self.body.said}"

    def finish(self, outcome: Outcome, request: Request) -> list[Transport]:  # noqa: ARG002
        """See ``BaseState``."""
        self.deadline.stop()
        connection = self.connection
        reusable = may_serve_another(request, self.head, self.body.framing, connection.transport)
        return connection.release(reusable=reusable)
