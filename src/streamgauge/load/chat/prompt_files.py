"""Reads prompts from files: JSON lines of OpenAI's messages, ShareGPT, Mooncake's traces.

1. A file holds one conversation per line, or one JSON array of conversations.
2. A conversation is recognised by its members: ``messages`` (or a list of messages), ``prompt``, ``conversations`` of
   ShareGPT, ``input_length`` of a trace.
3. Messages become turns: what comes before an answer is one turn.
4. Conversations that all have a ``timestamp`` are put in the order of their times, as ``--stream-arrivals trace:FILE``
   puts its arrivals.

Every problem names the file, the line (the number of the conversation in an array), and what was expected.
"""

import io
import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from streamgauge.load.chat.made_prompts import TracedPrompt
from streamgauge.load.chat.prompts import Drafted, FilePrompts, Message, Turn
from streamgauge.wire.blanks import JSON_BLANKS
from streamgauge.wire.strict_json import items_of, json_of

Found = tuple[Turn, ...] | Drafted
_ANSWERS = "assistant"
#: Who speaks in ShareGPT's files, as OpenAI's messages call it.
_ROLES = {
    **dict.fromkeys(("human", "user"), "user"),
    **dict.fromkeys(("gpt", "assistant", "chatgpt", "bing", "bard", "model"), _ANSWERS),
    "system": "system",
}
_SHOWN = 80
_BOM = b"\xef\xbb\xbf"


class _Problem(ValueError):
    """What is wrong with one conversation."""


def read_prompts(name: str) -> FilePrompts:
    """Read a file of prompts. Raises ValueError that names the file, the line and what was expected."""
    try:
        data = Path(name).read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read {name!r}: {error.strerror}") from None
    conversations: list[Found] = []
    times: list[float | None] = []
    for place, number, item in _items(name, data):
        try:
            found = _conversation(item, number)
        except _Problem as problem:
            raise ValueError(f"{name}, {place} {number}: {problem}") from None
        if found is not None:
            conversations.append(found)
            times.append(_timestamp(item))
    if not conversations:
        raise ValueError(f"{name}: expected at least one prompt, found none")
    return FilePrompts(_in_order(conversations, times))


def _timestamp(item: Any) -> float | None:
    """Return when a conversation was recorded; None if the item does not say."""
    found = item.get("timestamp") if isinstance(item, dict) else None
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def _in_order(conversations: list[Found], times: list[float | None]) -> list[Found]:
    """Return the conversations by their times, or as they are if any has none; those of one time keep their order."""
    known = [time for time in times if time is not None]
    if len(known) < len(times):
        return conversations
    return [found for _, found in sorted(zip(known, conversations, strict=True), key=lambda pair: pair[0])]


def _items(name: str, data: bytes) -> Iterator[tuple[str, int, Any]]:
    """Yield each conversation with the kind and the number of its place."""
    lines = ((number, line) for number, line in enumerate(io.BytesIO(data), 1) if line.strip())
    first, second = next(lines, None), next(lines, None)
    if first is None:
        return
    is_list = first[1].removeprefix(_BOM).lstrip().startswith(b"[")
    if is_list and (second is None or isinstance(_value(first[1]), ValueError)):
        yield from _of_array(name, data)
        return
    for number, line in chain([first], [second] if second else [], lines):
        value = _value(line)
        if isinstance(value, ValueError):
            raise ValueError(f"{name}, line {number}: expected JSON, got {_shown(line)}: {_why(value)}")
        yield "line", number, value


def _of_array(name: str, data: bytes) -> Iterator[tuple[str, int, Any]]:
    """Yield the conversations of a JSON array, which may also be the messages of a single one."""
    items = items_of(data)
    try:
        for number, item in enumerate(items, 1):
            if number == 1 and isinstance(item, dict) and "role" in item:
                yield "conversation", 1, [item, *items]
            else:
                yield "conversation", number, item
    except ValueError as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise ValueError(f"{name}, line {line}: expected a JSON array, or JSON on each line: {_why(error)}") from None


def _value(data: bytes) -> Any:
    """Return the JSON in ``data``, or the error."""
    try:
        return json_of(data)
    except ValueError as error:
        return error


def _why(error: ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)


def _conversation(item: Any, number: int) -> Found | None:
    """Return a conversation; None for one of ShareGPT's that asks nothing. Raises _Problem."""
    if isinstance(item, list):
        return _turns(_messages(item), None)
    if isinstance(item, dict):
        if "messages" in item:
            return _turns(_messages(item["messages"]), _count(item, "max_tokens"))
        if "conversations" in item:
            return _turns_of_sharegpt(item["conversations"])
        if "prompt" in item:
            prompt = item["prompt"]
            if not isinstance(prompt, str) or not prompt:
                raise _Problem(f"expected a text as prompt, got {_shown(prompt)}")
            return (Turn(({"role": "user", "content": prompt},), max_tokens=_count(item, "max_tokens")),)
        if "input_length" in item:
            return _traced(item, number)
    raise _Problem(f"expected messages, prompt, conversations or input_length, got {_shown(item)}")


def _messages(found: Any) -> list[Message]:
    if not isinstance(found, list) or not found:
        raise _Problem(f"expected a list of messages, got {_shown(found)}")
    for each in found:
        if not _is_message(each):
            raise _Problem(f'expected messages such as {{"role": "user", "content": "…"}}, got {_shown(each)}')
    return found


def _is_message(value: Any) -> bool:
    if not (isinstance(value, dict) and isinstance(value.get("role"), str) and value["role"]):
        return False
    return isinstance(value.get("content"), str | list | None)


def _turns(messages: list[Message], max_tokens: int | None) -> tuple[Turn, ...]:
    """Cut messages into turns: the answers of the assistant end a turn; those at the beginning belong to the first."""
    turns: list[Turn] = []
    said: list[Message] = []
    answers: list[Message] = []
    for each in messages:
        if each["role"] != _ANSWERS:
            if answers:
                turns.append(Turn(tuple(said), tuple(answers), max_tokens))
                said, answers = [], []
            said.append(each)
        else:
            (answers if any(one["role"] != "system" for one in said) else said).append(each)
    turns.append(Turn(tuple(said), tuple(answers), max_tokens))
    if all(each["role"] in (_ANSWERS, "system") for each in messages):
        raise _Problem(f"expected a message of the user, got roles {', '.join(each['role'] for each in messages)}")
    return tuple(turns)


def _turns_of_sharegpt(found: Any) -> tuple[Turn, ...] | None:
    """Cut a conversation of ShareGPT into turns. Leave out answers before the first question, and empty ones."""
    if not isinstance(found, list):
        raise _Problem(f"expected a list as conversations, got {_shown(found)}")
    messages = [_message_of_sharegpt(each) for each in found]
    while messages and messages[0]["role"] == _ANSWERS:
        del messages[0]
    if not any(each["role"] == "user" for each in messages):
        return None
    return _turns(messages, None)


def _message_of_sharegpt(found: Any) -> Message:
    said_by, text = (found.get("from"), found.get("value")) if isinstance(found, dict) else (None, None)
    if not (isinstance(said_by, str) and said_by in _ROLES and isinstance(text, str)):
        raise _Problem(f'expected turns such as {{"from": "human", "value": "…"}}, got {_shown(found)}')
    return {"role": _ROLES[said_by], "content": text}


def _traced(item: dict[str, Any], number: int) -> TracedPrompt:
    tokens, blocks = _count(item, "input_length"), item.get("hash_ids", [])
    if tokens is None:
        raise _Problem(f"expected a whole number from 1 as input_length, got {_shown(item['input_length'])}")
    if not (isinstance(blocks, list) and all(isinstance(each, int) for each in blocks)):
        raise _Problem(f"expected a list of whole numbers as hash_ids, got {_shown(blocks)}")
    return TracedPrompt(tokens, tuple(blocks), _count(item, "output_length"), number)


def _count(item: dict[str, Any], name: str) -> int | None:
    """Return a number of tokens; None if the item does not say."""
    value = item.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _Problem(f"expected a whole number from 1 as {name}, got {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    text = value.decode("utf-8", "replace").strip(JSON_BLANKS) if isinstance(value, bytes) else json.dumps(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
