"""Prompts made to a length, of plausible words.

1. Without the model's tokenizer, a length in tokens is an estimate: each word below is one token, with the blank before
   it, in the vocabularies of most models, and so is a full stop (docs/chat.md has figures). A chat template adds a few
   tokens to each message.
2. A text begins as any longer text of the same seed does. So a prefix is shared whatever the lengths are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from streamgauge.load.chat.prompts import Drafted, Message, Prompts, Span, Turn, with_system

_FREQUENT_WORDS = """
    the of and to in is you that it he was for on are as with his they at be this have from or one had by word but not
    what all were we when your can said there use an each which she do how their if will up other about out many then
    them these so some her would make like him into time has look two more write go see number no way could people my
    than first water been call who oil its now find long down day did get come made may part over new sound take only
    little work know place year live me back give most very after thing our just name good sentence man think say great
    where help through much before line right too mean old any same tell boy follow came want show also around form
    three small set put end does another well large must big even such because turn here why ask went men read need
    land different home us move try kind hand picture again change off play air away animal house point page letter
    mother answer found study still learn should world high every near add food between own below country plant last
    school father keep tree never start city earth eye light thought head under story saw left few while along might
    close something seem next hard open example begin life always those both paper together got group often run
    important until children side feet car night walk white sea began grow took river four carry state once book hear
    stop without second later miss idea enough eat face watch far really almost let above girl sometimes mountain cut
    young talk soon list song being leave family body music color stand sun question fish area mark horse
"""
#: Frequent English words.
WORDS = tuple(_FREQUENT_WORDS.split())
_WORDS_OF_A_SENTENCE = 11
#: Tokens that the blocks of a Mooncake trace have, each known by its number.
BLOCK_TOKENS = 512
#: Blocks kept for the next prompt that has them: 10 MB.
_KEPT_BLOCKS = 4096


def text_of(tokens: int, random: Random) -> str:
    """Make a text of so many tokens, by the estimate above; empty for 0."""
    sentences, rest = divmod(tokens, _WORDS_OF_A_SENTENCE + 1)
    words = random.choices(WORDS, k=sentences * _WORDS_OF_A_SENTENCE + rest)
    starts = range(0, len(words), _WORDS_OF_A_SENTENCE)
    parts = [" ".join(words[at : at + _WORDS_OF_A_SENTENCE]).capitalize() for at in starts]
    return " ".join(part + ("." if at < sentences else "") for at, part in enumerate(parts))


@dataclass(frozen=True, slots=True)
class SharedPrefix:
    """A text that all conversations begin with: so many tokens, or a share of each made prompt."""

    tokens: int = 0
    share: float = 0.0

    def split(self, prompt_tokens: int) -> tuple[int, int]:
        """Return the tokens of the shared prefix, and those that are left for the prompt's own."""
        shared = round(prompt_tokens * self.share)
        return self.tokens or shared, prompt_tokens - shared

    @staticmethod
    def text(tokens: int, seed: int) -> str:
        """Return the first tokens of the shared text."""
        return text_of(tokens, Random(f"{seed}/shared"))


class MadePrompts(Prompts):
    """Conversations of made prompts; no two have the same, but for the shared prefix."""

    def __init__(self, tokens: Span, turns: Span, prefix: SharedPrefix) -> None:
        self._tokens, self._turns, self._prefix = tokens, turns, prefix

    def turns(self, number: int, seed: int) -> tuple[Turn, ...]:
        """See ``Prompts``."""
        random = Random(f"{seed}/{number}")
        lengths = [self._tokens.draw(random) for _ in range(self._turns.draw(random))]
        shared, lengths[0] = self._prefix.split(lengths[0])
        made = tuple(Turn((_said(text_of(tokens, random)),)) for tokens in lengths)
        return with_system(made, SharedPrefix.text(shared, seed))

    @property
    def most_turns(self) -> int:
        """See ``Prompts``."""
        return self._turns.most

    def place(self, user: int, process: int) -> int:
        """See ``Prompts``. No user reaches the place of the next within a million conversations."""
        return (process << 40) + user * 1_000_000


def _said(text: str) -> Message:
    return {"role": "user", "content": text}


@dataclass(frozen=True, slots=True)
class TracedPrompt(Drafted):
    """A request of a Mooncake trace: prompts with the same block numbers have the same text there."""

    tokens: int
    blocks: Sequence[int]
    max_tokens: int | None
    line: int
    """What it has beyond its blocks is its own, by this number."""

    def turns(self, seed: int) -> tuple[Turn, ...]:
        """See ``Drafted``."""
        texts, left = [], self.tokens
        for block in self.blocks:
            if left <= 0:
                break
            texts.append(_block(seed, block, min(left, BLOCK_TOKENS)))
            left -= BLOCK_TOKENS
        if left > 0:
            texts.append(text_of(left, Random(f"{seed}/line {self.line}")))
        return (Turn((_said(" ".join(texts)),), max_tokens=self.max_tokens),)


@lru_cache(_KEPT_BLOCKS)
def _block(seed: int, number: int, tokens: int) -> str:
    return text_of(tokens, Random(f"{seed}/block {number}"))
