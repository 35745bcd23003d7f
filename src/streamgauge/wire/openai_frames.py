"""Read one frame of a token stream: the generated content of a choice, and the server's count of tokens."""

from collections.abc import Mapping
from typing import Any

from streamgauge.wire.token_count import Usage

#: The names that servers use for reasoning text in a delta.
_REASONING = ("reasoning_content", "reasoning", "reasoning_text", "thinking")
# Members of a delta with text, besides ``content``.
_OTHER_TEXTS = (*_REASONING, "refusal")


def has_content(choice: dict[str, Any]) -> bool:
    """Whether a choice carries generated content of any kind."""
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        return bool(choice.get("text"))
    if delta.get("content"):
        return True
    return (
        any(delta.get(name) for name in _OTHER_TEXTS)
        or _has_speech(delta.get("audio"))
        or _has_arguments(delta.get("function_call"))
        or any(
            isinstance(call, dict) and (_has_arguments(call.get("function")) or _has_input(call.get("custom")))
            for call in _members(delta, "tool_calls")
        )
    )


def is_silent(frame: dict[str, Any], *, begun: bool) -> bool:
    """Whether a frame without content may carry a token: a stop token, or part of a character.

    ``begun``: content came before. Until then, an empty text beside a role only opens the answer.
    """
    return any(
        isinstance(choice, dict) and (choice.get("finish_reason") or _is_empty(choice, begun=begun))
        for choice in _members(frame, "choices")
    )


def _is_empty(choice: dict[str, Any], *, begun: bool) -> bool:
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        return choice.get("text") == ""
    return delta.get("content") == "" and (begun or "role" not in delta)


def has_reasoning(choice: dict[str, Any]) -> bool:
    """Whether a choice carries reasoning but no content."""
    delta = choice.get("delta")
    if not isinstance(delta, dict) or delta.get("content"):
        return False
    return any(delta.get(name) for name in _REASONING)


def _has_speech(audio: Any) -> bool:
    return isinstance(audio, dict) and bool(audio.get("data") or audio.get("transcript"))


def _has_arguments(function: Any) -> bool:
    return isinstance(function, dict) and bool(function.get("arguments"))


def _has_input(custom: Any) -> bool:
    return isinstance(custom, dict) and bool(custom.get("input"))


def _members(holder: dict[str, Any], name: str) -> list[Any]:
    members = holder.get(name)
    return members if isinstance(members, list) else []


def usage_of(usage: Mapping[str, Any]) -> Usage:
    """Read a frame's ``usage``; ignore values that are not counts."""
    details = usage.get("completion_tokens_details")
    details = details if isinstance(details, dict) else {}
    return Usage(
        _count(usage, "prompt_tokens"),
        _count(usage, "completion_tokens"),
        _count(details, "reasoning_tokens"),
        _count(details, "rejected_prediction_tokens"),
    )


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
