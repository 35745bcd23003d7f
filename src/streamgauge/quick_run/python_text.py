"""Writes Python as a person would: literals, calls and names that fit into lines of 88 characters."""

import json
import keyword
import re
from collections.abc import Iterable, Mapping

WIDTH = 88
_INDENT = "    "
_WORDS = re.compile(r"[^A-Za-z0-9]+")


def quoted(text: str) -> str:
    """Return a text as a literal, in double quotes unless it contains them."""
    found = repr(text)
    if found.startswith("'") and '"' not in text:
        return f'"{found[1:-1]}"'
    return found


def literal(value: object, indent: int = 0, room: int = WIDTH) -> str:
    """Return ``value`` as a literal; one entry per line if it does not fit into ``room`` characters."""
    if isinstance(value, str):
        return quoted(value)
    brackets, entries = _entries(value, indent + 1)
    if not brackets:
        return repr(value)
    flat = brackets[0] + ", ".join(entries) + ("," if brackets == "()" and len(entries) == 1 else "") + brackets[1]
    if not entries or ("\n" not in flat and len(flat) <= room):
        return flat
    inner, outer = _INDENT * (indent + 1), _INDENT * indent
    return brackets[0] + "\n" + "".join(f"{inner}{each},\n" for each in entries) + outer + brackets[1]


def _entries(value: object, indent: int) -> tuple[str, list[str]]:
    """Return the brackets and the entries of a collection; no brackets for any other value."""
    room = WIDTH - len(_INDENT) * indent - 1
    if isinstance(value, Mapping):
        pairs = ((f"{literal(key)}: ", each) for key, each in value.items())
        return "{}", [key + literal(each, indent, room - len(key)) for key, each in pairs]
    if isinstance(value, list | tuple):
        return "[]" if isinstance(value, list) else "()", [literal(each, indent, room) for each in value]
    return "", []


def call(function: str, arguments: Iterable[tuple[str, str]], indent: int) -> str:
    """Return a call at this level of indentation; each argument is its name, empty by position, and its text."""
    listed = [f"{name}={text}" if name else text for name, text in arguments]
    flat = f"{function}({', '.join(listed)})"
    if "\n" not in flat and len(flat) + len(_INDENT) * indent <= WIDTH:
        return flat
    inner, outer = _INDENT * (indent + 1), _INDENT * indent
    return f"{function}(\n" + "".join(f"{inner}{each},\n" for each in listed) + f"{outer})"


def words_of(text: str) -> list[str]:
    """Return the words of a path in lower case, without version numbers such as ``v1``, ids and numbers."""
    found = [word.lower() for word in _WORDS.split(text) if word]
    return [word for word in found if not re.fullmatch(r"v?\d+|[0-9a-f]{12,}|api", word)][:4]


def class_name(text: str) -> str:
    """Return a name for a user that reads the stream at a path: ``/v1/chat/completions`` → ``ChatCompletions``."""
    name = "".join(word.capitalize() for word in words_of(text)) or "Stream"
    return name if name.isidentifier() and name not in _TAKEN and not keyword.iskeyword(name) else f"Stream{name}"


def method_name(text: str, taken: Iterable[str]) -> str:
    """Return a name for the method that reads the stream at a path, other than those ``taken``."""
    name = "_".join(["read", *words_of(text)]) if words_of(text) else "read_stream"
    taken, candidate, number = set(taken), name, 2
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate


#: Names that the locustfile imports.
_TAKEN = ("Any", "Group", "Pause", "StreamUser")


def json_value(text: str) -> object | None:
    """Return the object or array of a JSON text, if sending it as a Python value says the same; else None."""
    numbers_kept = True

    def number(digits: str) -> float:
        nonlocal numbers_kept
        value = float(digits)
        numbers_kept = numbers_kept and repr(value) == digits
        return value

    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal numbers_kept
        numbers_kept = numbers_kept and len(dict(pairs)) == len(pairs)
        return dict(pairs)

    def constant(name: str) -> object:
        raise ValueError(name)

    try:
        value = json.loads(text, parse_float=number, object_pairs_hook=members, parse_constant=constant)
    except (ValueError, RecursionError):
        return None
    return value if numbers_kept and isinstance(value, dict | list) else None
