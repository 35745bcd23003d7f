"""Rules on the frames of a stream: which are chunks, which frame is the named end, which one reports an error.

1. A rule is ``event:NAME``, ``data:TEXT``, ``json:MEMBER``, ``json:MEMBER=VALUE`` or a callable on the parsed frame,
   each of them also after ``not``; for an end, ``chunks:N`` too.
2. ``Rules`` combines several: at least one of those without ``not`` must match, and none of those with ``not`` may.
3. Each rule has a ``guard``, bytes that every frame contains which it can match. A frame without any guard is not
   parsed.

``read_end``, ``read_error`` and ``read_chunk`` parse what scenarios and options say, once.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from streamgauge.wire.decoder import ABSENT
from streamgauge.wire.digits import whole_number
from streamgauge.wire.frame import Frame, member_at

#: How many parsed texts are cached for all streams; a scenario names a few.
MOST_PARSED = 256
_NOT = "not "

_PLAIN_WORD = re.compile(r"[0-9A-Za-z_-]+")


class RuleError(ValueError):
    """Raised for an ``end``, ``error`` or ``chunk`` that is not valid."""


class Rule:
    """A condition on one frame."""

    __slots__ = ()

    @property
    def guard(self) -> bytes:
        """Bytes that every frame contains that can match; empty if there are no such bytes."""
        return b""

    def matches(self, frame: Frame) -> bool:
        """Whether the frame meets the condition."""
        raise NotImplementedError

    def said(self, frame: Frame) -> str:
        """Return what a matching frame says about an error."""
        return frame.data


@dataclass(frozen=True, slots=True)
class Always(Rule):
    """Every frame."""

    def matches(self, frame: Frame) -> bool:  # noqa: ARG002 - the contract of Rule
        """See ``Rule``."""
        return True


@dataclass(frozen=True, slots=True)
class EventIs(Rule):
    """An SSE event of this name. Unnamed events have the name ``message``."""

    name: str

    @property
    def guard(self) -> bytes:
        """See ``Rule``. There is none for ``message``."""
        return b"" if self.name == "message" else _bytes_of(self.name)

    def matches(self, frame: Frame) -> bool:
        """See ``Rule``."""
        return frame.event is not None and bool(frame.event.event == self.name)


@dataclass(frozen=True, slots=True)
class DataIs(Rule):
    """A frame with exactly this text: an SSE event's data, a line, a message."""

    text: str

    @property
    def guard(self) -> bytes:
        """See ``Rule``."""
        return _bytes_of(self.text)

    def matches(self, frame: Frame) -> bool:
        """See ``Rule``."""
        return frame.is_text(self.text)


@dataclass(frozen=True, slots=True)
class JsonHas(Rule):
    """A frame of JSON whose member at ``path`` is ``value``; if that is None, is there and neither null nor false."""

    path: tuple[str, ...]
    value: str | None = None

    @property
    def guard(self) -> bytes:
        """See ``Rule``. JSON may spell a name with escapes; a plain word is always sent as it is."""
        names = [name for name in self.path if whole_number(name) is None]
        name = names[-1] if names else ""
        return name.encode() if _PLAIN_WORD.fullmatch(name) else b""

    def matches(self, frame: Frame) -> bool:
        """See ``Rule``."""
        found = member_at(frame.json, self.path)
        if self.value is None or found is ABSENT:
            return found is not ABSENT and found is not None and found is not False
        return found == self.value if isinstance(found, str) else _is_json(found, self.value)

    def said(self, frame: Frame) -> str:
        """See ``Rule``."""
        return message_of(member_at(frame.json, self.path)) if self.value is None else frame.data


@dataclass(frozen=True, slots=True)
class Callback(Rule):
    """A parsed frame that the scenario's callable accepts; a text that it returns is the reason."""

    call: Callable[[Any], object]

    def matches(self, frame: Frame) -> bool:
        """See ``Rule``."""
        answer = self.call(frame.parsed)
        frame.answer = answer if isinstance(answer, str) else None
        return bool(answer)

    def said(self, frame: Frame) -> str:
        """See ``Rule``."""
        return frame.data if frame.answer is None else frame.answer


@dataclass(frozen=True, slots=True)
class ChunkCount(Rule):
    """The chunk of this number, counted from 1. ``Rules.count`` has the number; no frame matches by itself."""

    number: int

    def matches(self, frame: Frame) -> bool:  # noqa: ARG002 - the contract of Rule
        """See ``Rule``."""
        return False


@dataclass(frozen=True, slots=True)
class Rules:
    """Several rules: at least one of ``any_of`` must match, and none of ``none_of``. Without any, none matches."""

    any_of: tuple[Rule, ...] = ()
    none_of: tuple[Rule, ...] = ()

    @property
    def count(self) -> int | None:
        """The number of the chunk that matches whatever it contains; None if there is none."""
        return min((rule.number for rule in self.any_of if isinstance(rule, ChunkCount)), default=None)

    @property
    def usually(self) -> bool:
        """Whether a frame matches that contains no guard."""
        return any(isinstance(rule, Always) for rule in self.any_of)

    @property
    def guards(self) -> tuple[bytes, ...] | None:
        """The guards of the rules; None if every frame must be parsed."""
        guards = tuple(rule.guard for rule in self.on_frames)
        return guards if all(guards) else None

    @property
    def on_frames(self) -> tuple[Rule, ...]:
        """The rules that depend on what a frame contains."""
        return tuple(rule for rule in (*self.any_of, *self.none_of) if not isinstance(rule, Always | ChunkCount))

    @property
    def has_callbacks(self) -> bool:
        """Whether a callable of the scenario sees the frames."""
        return any(isinstance(rule, Callback) for rule in self.on_frames)

    def event_name(self) -> str | None:
        """Return the name of an SSE event that a rule names; None if none does."""
        return next((rule.name for rule in self.on_frames if isinstance(rule, EventIs)), None)

    def match(self, frame: Frame) -> Rule | None:
        """Return the rule that the frame matches; None if it matches none, or one after ``not``."""
        for rule in self.any_of:
            if rule.matches(frame):
                return None if any(other.matches(frame) for other in self.none_of) else rule
        return None


#: No frame matches.
OFF = Rules()
#: How scenarios name a rule: its text, a callable, False for none, or several.
Named = str | Callable[[Any], object] | Rules | Iterable[str | Callable[[Any], object]] | bool
_TEXTS = "event:NAME, data:TEXT, json:MEMBER[=VALUE] (each also after 'not')"
_CALLABLE = "; in Python a callable too"


def read_end(named: Named | None) -> Rules | None:
    """Parse the named end; None leaves it to the format. Raises RuleError."""
    return _read(named, f"{_TEXTS}, chunks:N or off{_CALLABLE}")


def read_error(named: Named | None) -> Rules | None:
    """Parse what reports an error; None leaves it to the format. Raises RuleError."""
    return _read(named, f"{_TEXTS} or off{_CALLABLE}")


def read_chunk(named: Named | None) -> Rules | None:
    """Parse which frames are chunks; None leaves it to the format. Raises RuleError."""
    return _read(named, f"{_TEXTS} or any{_CALLABLE}")


def _read(named: Named | None, expected: str) -> Rules | None:
    """Parse rules of the kinds that ``expected`` lists."""
    if named is None or isinstance(named, Rules):
        return named
    each = list(named) if isinstance(named, Iterable) and not isinstance(named, str) else [named]
    if each in (["off"], [False]) and " or off" in expected:
        return OFF
    if not each:
        raise RuleError(f"expected {expected}, got {named!r}")
    found = [_parsed(one, expected) if isinstance(one, str) else (True, _callback(one, expected)) for one in each]
    any_of = tuple(rule for wanted, rule in found if wanted)
    return Rules(any_of or (Always(),), tuple(rule for wanted, rule in found if not wanted))


def _callback(call: Any, expected: str) -> Callback:
    if not callable(call):
        raise RuleError(f"expected {expected}, got {call!r}")
    return Callback(call)


@lru_cache(maxsize=MOST_PARSED)
def _parsed(text: str, expected: str) -> tuple[bool, Rule]:
    """Parse one rule; return it, and whether it stands without ``not``."""
    if text == "any" and " or any" in expected:
        return True, Always()
    named = text.removeprefix(_NOT).strip(" \t") if text.startswith(_NOT) else text
    kind, colon, value = named.partition(":")
    known = kind in _KINDS and f"{kind}:" in expected and not (kind == "chunks" and named is not text)
    if not (known and colon and value):
        raise RuleError(f"expected {expected}, got {text!r}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise RuleError(f"expected text that can be encoded as UTF-8, got {text!r}") from None
    return named is text, _KINDS[kind](value, text)


def _chunk_count(value: str, text: str) -> Rule:
    if not (count := whole_number(value)):
        raise RuleError(f"expected chunks:N with a whole number of at least 1, got {text!r}")
    return ChunkCount(count)


def _json_has(value: str, text: str) -> Rule:
    member, equals, expected = value.partition("=")
    path = tuple(member.split("."))
    if not all(path):
        raise RuleError(
            f"expected json:MEMBER or json:MEMBER=VALUE, MEMBER a path such as choices.0.text, got {text!r}"
        )
    return JsonHas(path, expected if equals else None)


_KINDS: dict[str, Callable[[str, str], Rule]] = {
    "event": lambda value, _: EventIs(value),
    "data": lambda value, _: DataIs(value),
    "json": _json_has,
    "chunks": _chunk_count,
}


def message_of(error: Any) -> str:
    """Return the message of an error that a stream reports as a JSON value."""
    if isinstance(error, dict):
        message = error.get("message")
        error = message if isinstance(message, str) and message else error
    return error if isinstance(error, str) else json.dumps(error, ensure_ascii=False)


def _is_json(found: Any, text: str) -> bool:
    """Whether a JSON value is the one that ``text`` spells; ``true`` is not 1."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, bool) == isinstance(value, bool) and bool(found == value)


def _bytes_of(text: str) -> bytes:
    """Return the bytes of a text as any frame has them that contains it; empty if there may be other bytes.

    Each line of an event's data has its own field, and U+FFFD also replaces invalid UTF-8.
    """
    return b"" if "\n" in text or "\ufffd" in text else text.encode()
