"""One conversation under way: its history, and what its next turn asks."""

from dataclasses import dataclass, field
from random import Random

from streamgauge.load.chat.prompts import Message, Span, Turn

#: Turns that have a name of their own; the later ones share one.
NAMED_TURNS = 4


def name_of(turn: int) -> str:
    """Return the name of the streams of a turn, counted from 1."""
    if turn == 1:
        return "chat"
    return f"chat turn {turn}" if turn <= NAMED_TURNS else f"chat turn {NAMED_TURNS + 1}+"


@dataclass(slots=True)
class Conversation:
    """A conversation, and the messages that the next request repeats."""

    turns: tuple[Turn, ...]
    random: Random
    """Draws what differs from turn to turn."""
    recorded: bool = False
    """Whether the answers in the file, if there are any, go into the history instead of those received."""
    max_tokens: Span | None = None
    done: int = 0
    """How many turns have been asked."""
    history: list[Message] = field(default_factory=list)

    @property
    def goes_on(self) -> bool:
        """Whether a turn is left."""
        return self.done < len(self.turns)

    @property
    def name(self) -> str:
        """The name of the next turn's stream."""
        return name_of(self.done + 1)

    @property
    def needs_answer(self) -> bool:
        """Whether the answer to the next turn has to be collected: a later turn repeats it, and the file has none."""
        return self.done + 1 < len(self.turns) and not self._has_answer(self.turns[self.done])

    def _has_answer(self, turn: Turn) -> bool:
        return self.recorded and bool(turn.answer)

    def ask(self) -> tuple[list[Message], int | None]:
        """Return the messages of the next request, and the most tokens of its answer, None for no limit."""
        turn = self.turns[self.done]
        self.history += turn.messages
        return self.history, self.max_tokens.draw(self.random) if self.max_tokens else turn.max_tokens

    def answered(self, text: str, *, ended_well: bool) -> None:
        """Put the answer to the turn that was asked into the history; a stream that failed ends the conversation."""
        turn = self.turns[self.done]
        self.done += 1
        if not ended_well:
            self.done = len(self.turns)
        elif self._has_answer(turn):
            self.history += turn.answer
        else:
            self.history.append({"role": "assistant", "content": text})
