"""What a scenario says on a WebSocket: the request's body as its first message, and what the plan sends."""

from collections import deque
from collections.abc import Callable
from typing import Any

from streamgauge.client.plan import StreamPlan
from streamgauge.client.reactor import Reactor, Watch
from streamgauge.client.read.chunk_checks import ChunkChecks, Ending
from streamgauge.wire.decoder import Decoder
from streamgauge.wire.framing import TwoWay
from streamgauge.wire.messages import Answers, Part, Pause, messages_of, text_or_bytes


class Conversation:
    """The scenario's side of one WebSocket. Its callable may raise anything."""

    __slots__ = ("_answers", "_decoder", "_first", "_flush", "_reactor", "_two_way", "_unsent", "_wait")

    def __init__(self, plan: StreamPlan, two_way: TwoWay, decoder: Decoder) -> None:
        self._two_way, self._decoder = two_way, decoder
        body, send = plan.request.body, plan.send
        self._first: tuple[Part, ...] = (text_or_bytes(body),) if body else ()
        self._answers = send.to if isinstance(send, Answers) else None
        if send is not None and not isinstance(send, Answers):
            self._first += send.messages
        #: What follows a pause that has not passed.
        self._unsent: deque[Part] = deque()
        self._wait: Watch | None = None

    def pace(self, reactor: Reactor, flush: Callable[[], None]) -> None:
        """Take the event loop that times pauses, and what sends the messages that follow a pause."""
        self._reactor, self._flush = reactor, flush

    @property
    def answers(self) -> bool:
        """Whether the scenario may answer chunks."""
        return self._answers is not None

    def begin(self) -> None:
        """Send what is sent first."""
        self._send(self._first)
        if self._answers is not None:
            self._send(messages_of(self._answers(None)))

    def answer(self, chunks: list[bytes]) -> None:
        """Send what the scenario answers to each chunk, until this side or the peer has begun to close."""
        if self._answers is None:
            return
        for chunk in chunks:
            if self._two_way.closing:
                return
            self._send(messages_of(self._answers(self._decoder.parse(chunk))))

    def stop(self) -> None:
        """Send nothing more."""
        self._unsent.clear()
        if self._wait is not None:
            self._wait.stop()

    def _send(self, messages: tuple[Part, ...]) -> None:
        if self._unsent or self._wait is not None:
            self._unsent.extend(messages)
            return
        for at, message in enumerate(messages):
            if isinstance(message, Pause):
                self._unsent.extend(messages[at + 1 :])
                self._wait = self._reactor.after(message.pause_s, self._resume)
                return
            self._two_way.send(message)

    def _resume(self) -> None:
        """Send what follows a pause, unless this side or the peer has begun to close."""
        rest, self._wait = tuple(self._unsent), None
        self._unsent.clear()
        if not self._two_way.closing:
            self._send(rest)
            self._flush()


class AnsweringChecks(ChunkChecks):
    """The checks of chunks that the scenario answers: it sees each chunk before its stream may end."""

    def __init__(self, conversation: Conversation, *checked: Any) -> None:
        super().__init__(*checked)
        self._conversation = conversation
        self.eventful = True

    def check(self, chunks: list[bytes]) -> Ending | None:
        """See ``ChunkChecks``."""
        self._conversation.answer(chunks)
        return super().check(chunks)
