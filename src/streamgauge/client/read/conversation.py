"""What a scenario says on a WebSocket: the request's body as its first message, and what the plan sends."""

from typing import Any

from streamgauge.client.plan import StreamPlan
from streamgauge.client.read.chunk_checks import ChunkChecks, Ending
from streamgauge.wire.decoder import Decoder
from streamgauge.wire.framing import TwoWay
from streamgauge.wire.messages import Answers, Message, messages_of, text_or_bytes


class Conversation:
    """The scenario's side of one WebSocket. Its callable may raise anything."""

    __slots__ = ("_answers", "_decoder", "_first", "_two_way")

    def __init__(self, plan: StreamPlan, two_way: TwoWay, decoder: Decoder) -> None:
        self._two_way, self._decoder = two_way, decoder
        body, send = plan.request.body, plan.send
        self._first: tuple[Message, ...] = (text_or_bytes(body),) if body else ()
        self._answers = send.to if isinstance(send, Answers) else None
        if send is not None and not isinstance(send, Answers):
            self._first += send.messages

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

    def _send(self, messages: tuple[Message, ...]) -> None:
        for message in messages:
            self._two_way.send(message)


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
