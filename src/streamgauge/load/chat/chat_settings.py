"""What the options of the chat scenario come to: its prompts, and the conversations that users hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from streamgauge.load.chat import chat_options
from streamgauge.load.chat.api_forms import ApiForm, Ask
from streamgauge.load.chat.chat_conversation import Conversation
from streamgauge.load.chat.chat_options import ANSWERS, API, LENGTH, PREFIX, PROMPTS, SEED, THINK, TURNS
from streamgauge.load.chat.made_prompts import MadePrompts, SharedPrefix
from streamgauge.load.chat.prompts import Message, Prompts, Span, only_last, with_system


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """The settings of one run."""

    form: ApiForm
    model: str
    prompts: Prompts
    prefix: SharedPrefix
    """Of prompts from a file; made prompts have theirs."""
    turns: Span | None
    """Of prompts from a file, how many turns at most; None for all."""
    only_last: bool
    recorded: bool
    think_s: tuple[float, float]
    max_tokens: Span | None
    temperature: float | None
    extra: dict[str, Any]
    seed: int

    @property
    def most_turns(self) -> int:
        """The most turns of a conversation."""
        if self.only_last:
            return 1
        return min(self.prompts.most_turns, self.turns.most if self.turns else self.prompts.most_turns)

    def conversation(self, number: int) -> Conversation:
        """Begin the conversation of this number; the same number begins the same one."""
        random = Random(f"{self.seed}/conversation {number}")
        turns = self.prompts.turns(number, self.seed)
        if self.only_last:
            turns = only_last(turns)
        elif self.turns:
            turns = turns[: self.turns.draw(random)]
        turns = with_system(turns, SharedPrefix.text(self.prefix.tokens, self.seed))
        return Conversation(turns, random, self.recorded, self.max_tokens)

    def body(self, messages: list[Message], max_tokens: int | None) -> dict[str, Any]:
        """Return the body of a request with these messages."""
        return _merged(self.form.body(Ask(self.model, messages, max_tokens, self.temperature)), self.extra)


def chat_settings(parsed: Any) -> ChatSettings:
    """Read the settings from Locust's parsed options. Raises ValueError that names the option and its value."""
    seed, prefix = SEED.value(parsed), PREFIX.value(parsed, SharedPrefix())
    turns, last = TURNS.value(parsed), TURNS.value(parsed, Span(1, 1)) is None
    prompts: Prompts | None = PROMPTS.value(parsed)
    if prompts is not None:
        _refuse(parsed, LENGTH, f"not with {PROMPTS.flag}, whose prompts have their own lengths")
        if prefix.share:
            raise ValueError(f"{PREFIX.flag}: expected a number of tokens with {PROMPTS.flag}, got a share")
    else:
        _refuse(parsed, ANSWERS, f"only with {PROMPTS.flag}: made prompts have no answers")
        if last:
            raise ValueError(
                f"{TURNS.flag}: {chat_options.LAST} is only for {PROMPTS.flag}; expected a number of turns"
            )
        prompts = MadePrompts(LENGTH.value(parsed), turns or Span(1, 1), prefix)
        prefix, turns = SharedPrefix(), None
    settings = ChatSettings(
        form=API.value(parsed),
        model=chat_options.MODEL_NAME.value(parsed),
        prompts=prompts,
        prefix=prefix,
        turns=turns,
        only_last=last,
        recorded=last or ANSWERS.value(parsed),
        think_s=THINK.value(parsed, (0.0, 0.0)),
        max_tokens=chat_options.MAX_TOKENS.value(parsed),
        temperature=chat_options.TEMPERATURE.value(parsed),
        extra=chat_options.EXTRA.value(parsed, {}),
        seed=seed,
    )
    if settings.think_s[1] and settings.most_turns < 2:
        raise ValueError(f"{THINK.flag}: no conversation has a second turn; set {TURNS.flag} to 2 or more")
    return settings


def _refuse(parsed: Any, option: Any, why: str) -> None:
    if text := getattr(parsed, option.dest, ""):
        raise ValueError(f"{option.flag}: {why}, got {text!r}; leave one of them out")


def _merged(body: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body with further fields; those of an object that both have are merged."""
    both = {name: _merged(body[name], value) for name, value in extra.items() if _objects(body.get(name), value)}
    return {**body, **extra, **both}


def _objects(*values: Any) -> bool:
    return all(isinstance(each, dict) for each in values)
