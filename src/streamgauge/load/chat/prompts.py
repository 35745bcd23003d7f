"""What users say: the turns of one conversation after another, and where each user begins."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from math import gcd
from random import Random
from typing import Any

#: A message as OpenAI's chat completions have it: ``role``, ``content``, and whatever else the file says.
Message = dict[str, Any]
#: Near this share of the conversations lies the place where the next user begins: the golden ratio spreads best.
_STEP = 0.618


@dataclass(frozen=True, slots=True)
class Turn:
    """What a user says in one turn; ``answer`` and ``max_tokens`` are what the file has for it."""

    messages: tuple[Message, ...]
    answer: tuple[Message, ...] = ()
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A number, or a range from which one is drawn evenly."""

    least: int
    most: int

    def draw(self, random: Random) -> int:
        """Draw a number."""
        return self.least if self.least == self.most else random.randint(self.least, self.most)


class Prompts(ABC):
    """Conversations by number. The same number gives the same conversation, in every process."""

    @abstractmethod
    def turns(self, number: int, seed: int) -> tuple[Turn, ...]:
        """Return the turns of a conversation; any whole number has one. ``seed`` is that of what is made."""

    @property
    @abstractmethod
    def most_turns(self) -> int:
        """The most turns that a conversation has."""

    @abstractmethod
    def place(self, user: int, process: int) -> int:
        """Return the conversation with which the ``user``-th user of a process begins, both counted from 0."""


class FilePrompts(Prompts):
    """The conversations of a file, again from its beginning after the last."""

    def __init__(self, conversations: "list[tuple[Turn, ...] | Drafted]") -> None:
        self._conversations = conversations
        self._most_turns = max(1 if isinstance(each, Drafted) else len(each) for each in conversations)
        length = len(conversations)
        step = max(1, round(length * _STEP))
        self._step = next(each for each in range(step, step + length + 1) if gcd(each, length) == 1)

    def turns(self, number: int, seed: int) -> tuple[Turn, ...]:
        """See ``Prompts``."""
        found = self._conversations[number % len(self._conversations)]
        return found.turns(seed) if isinstance(found, Drafted) else found

    @property
    def most_turns(self) -> int:
        """See ``Prompts``."""
        return self._most_turns

    def place(self, user: int, process: int) -> int:
        """See ``Prompts``. As many users as the file has conversations begin at as many places."""
        return (user * self._step + process * max(1, self._step // 8)) % len(self._conversations)

    def __len__(self) -> int:
        return len(self._conversations)


class Drafted(ABC):
    """A conversation of one turn, whose text is made when it is asked for."""

    @abstractmethod
    def turns(self, seed: int) -> tuple[Turn, ...]:
        """Make the turn."""


def text_in(message: Message) -> str:
    """Return the text of a message, whose content may be a list of parts."""
    content = message.get("content")
    if isinstance(content, list):
        parts = (each.get("text") for each in content if isinstance(each, dict))
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def with_system(turns: tuple[Turn, ...], text: str) -> tuple[Turn, ...]:
    """Return the turns with this text at the beginning, as the system message or in front of the one that is there."""
    if not (text and turns):
        return turns
    first, *others = turns[0].messages
    if first["role"] == "system":
        first, own = {**first, "content": f"{text}\n\n{text_in(first)}"}, []
    else:
        first, own = {"role": "system", "content": text}, [first]
    return (replace(turns[0], messages=(first, *own, *others)), *turns[1:])


def only_last(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Return one turn that asks the last question, with all that the file has before it as its history."""
    before = [message for turn in turns[:-1] for message in (*turn.messages, *turn.answer)]
    return (replace(turns[-1], messages=(*before, *turns[-1].messages)),)
