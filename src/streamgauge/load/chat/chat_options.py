"""The options of the chat scenario: ``--chat-…``, which only runs with that scenario have.

Their names do not begin with ``--stream-``: those options are common to all scenarios, and apply to this one as well.
"""

from collections.abc import Callable
from typing import Any

from streamgauge.durations import seconds_of
from streamgauge.load.chat.api_forms import FORMS, ApiForm
from streamgauge.load.chat.made_prompts import SharedPrefix
from streamgauge.load.chat.prompt_store import prompts_in
from streamgauge.load.chat.prompts import Span
from streamgauge.load.checks import LONGEST_S
from streamgauge.load.option import Option
from streamgauge.wire.digits import whole_number
from streamgauge.wire.strict_json import json_of

#: Longest prompt that is made, in tokens, and most turns.
MOST_TOKENS, MOST_TURNS = 10_000_000, 10_000
LAST, RECEIVED, RECORDED = "last", "received", "recorded"
#: Fields of a request that the scenario sets itself.
_OWN_FIELDS = ("messages", "prompt", "input", "stream")


def _name(text: str) -> str:
    if not text.strip():
        raise ValueError(f"expected a name, got {text!r}")
    return text.strip()


def _form(text: str) -> ApiForm:
    if text.strip() not in FORMS:
        raise ValueError(f"expected one of {', '.join(FORMS)}, got {text!r}")
    return FORMS[text.strip()]


def _span(most: int, example: str) -> Callable[[str], Span]:
    """Make the function that reads a whole number, or a range of them."""

    def read(text: str) -> Span:
        least, dots, last = (part.strip() for part in text.partition(".."))
        low, high = whole_number(least), whole_number(last if dots else least)
        if low is None or high is None or not 1 <= low <= high <= most:
            raise ValueError(f"expected a number such as {example}, from 1 to {most}, got {text!r}")
        return Span(low, high)

    return read


_tokens = _span(MOST_TOKENS, "200, or a range such as 100..400")
_some_turns = _span(MOST_TURNS, f"3, or a range such as 2..5, or {LAST}")


def _turns(text: str) -> Span | None:
    """Read the number of turns; None for the last turn alone."""
    return None if text.strip() == LAST else _some_turns(text)


def _prefix(text: str) -> SharedPrefix:
    number, sign, more = text.strip().partition("%")
    found = whole_number(number.strip())
    if found is None or more or not 1 <= found <= (99 if sign else MOST_TOKENS):
        raise ValueError(f"expected a number of tokens such as 200, or a share such as 50%, got {text!r}")
    return SharedPrefix(share=found / 100) if sign else SharedPrefix(tokens=found)


def _answers(text: str) -> bool:
    """Read whether the answers in the file go into the history."""
    if text.strip() not in (RECEIVED, RECORDED):
        raise ValueError(f"expected {RECEIVED} or {RECORDED}, got {text!r}")
    return text.strip() == RECORDED


def _pause(text: str) -> tuple[float, float]:
    """Read a duration, or a range of durations, in seconds."""
    least, dots, most = (part.strip() for part in text.partition(".."))
    try:
        found = seconds_of(least), seconds_of(most if dots else least)
    except ValueError:
        found = (1.0, 0.0)
    if not 0 <= found[0] <= found[1] <= LONGEST_S:
        raise ValueError(f"expected a duration such as 0.5s, or a range such as 1s..3s, got {text!r}")
    return found


def _temperature(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 100:
        raise ValueError(f"expected a number such as 0.7, from 0 to 100, got {text!r}")
    return found


def _extra(text: str) -> dict[str, Any]:
    try:
        found = json_of(text)
    except ValueError as error:
        raise ValueError(f'expected a JSON object such as {{"seed": 1}}, got {text!r}: {error}') from None
    if not isinstance(found, dict):
        raise ValueError(f'expected a JSON object such as {{"seed": 1}}, got {text!r}')
    if own := [name for name in _OWN_FIELDS if name in found]:
        raise ValueError(f"expected fields that the scenario does not set itself, got {own[0]!r} in {text!r}")
    return found


def _seed(text: str) -> int:
    if (found := whole_number(text.strip())) is None:
        raise ValueError(f"expected a whole number such as 1, got {text!r}")
    return found


API = Option("--chat-api", "NAME", _form, f"Form of the API: {', '.join(FORMS)}", default="chat", label="API")
MODEL_NAME = Option(
    "--chat-model", "NAME", _name, "Name of the model, as the service knows it", default="test-model", label="Model"
)
PROMPTS = Option(
    "--chat-prompts",
    "FILE",
    prompts_in,
    "File of prompts: JSON lines of messages or prompts, ShareGPT, or a Mooncake trace; default made prompts",
    label="Prompts from a file",
)
LENGTH = Option(
    "--chat-prompt-tokens",
    "N|A..B",
    _tokens,
    "Length of made prompts in tokens (estimated), such as 200 or 100..400",
    default="200",
    label="Tokens of made prompts",
)
PREFIX = Option(
    "--chat-shared-prefix",
    "N|P%",
    _prefix,
    "System message that all conversations share: N tokens more, or a share of each made prompt; default none",
    label="Shared prefix",
)
TURNS = Option(
    "--chat-turns",
    "N|A..B|last",
    _turns,
    "Turns of a conversation; from a file at most so many, or only the last; default all of a file, 1 if made",
    label="Turns",
)
ANSWERS = Option(
    "--chat-answers",
    f"{RECEIVED}|{RECORDED}",
    _answers,
    f"Which answers the next turn repeats: those {RECEIVED}, or those {RECORDED} in the file",
    default=RECEIVED,
    label="Answers in the history",
)
THINK = Option(
    "--chat-think-time",
    "TIME|A..B",
    _pause,
    "Pause before each next turn, such as 0.5s or 1s..3s; default none",
    label="Think time",
)
MAX_TOKENS = Option(
    "--chat-max-tokens",
    "N|A..B",
    _tokens,
    "Most tokens of an answer; default what the file says, or the server's own",
    label="Most tokens of an answer",
)
TEMPERATURE = Option(
    "--chat-temperature", "T", _temperature, "Temperature; default the server's own", label="Temperature"
)
EXTRA = Option(
    "--chat-extra", "JSON", _extra, 'Further fields of the request, such as {"seed": 1}', label="Further fields"
)
SEED = Option("--chat-seed", "N", _seed, "Seed of made prompts, lengths and pauses", default="0", label="Seed")
OPTIONS = (API, MODEL_NAME, PROMPTS, LENGTH, PREFIX, TURNS, ANSWERS, THINK, MAX_TOKENS, TEMPERATURE, EXTRA, SEED)
