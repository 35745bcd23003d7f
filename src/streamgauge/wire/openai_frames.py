"""Read one frame of a stream of completions: the content of a choice, the usage, and the frames of servers' own.

Beside chat and text completions, TGI (``/generate_stream``) and llama.cpp (``/completion``) have frames of their own.
"""

from collections.abc import Mapping
from typing import Any

from streamgauge.wire.token_count import Usage
from streamgauge.wire.token_stream import count_in, object_in, objects_in

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
        or _has_speech(object_in(delta, "audio"))
        or bool(object_in(delta, "function_call").get("arguments"))
        or any(
            object_in(call, "function").get("arguments") or object_in(call, "custom").get("input")
            for call in objects_in(delta, "tool_calls")
        )
    )


def has_reasoning(choice: dict[str, Any]) -> bool:
    """Whether a choice carries reasoning but no content."""
    delta = choice.get("delta")
    if not isinstance(delta, dict) or delta.get("content"):
        return False
    return any(delta.get(name) for name in _REASONING)


def is_silent(choice: dict[str, Any], *, begun: bool) -> bool:
    """Whether a choice without content may carry a token: a stop token, or part of a character.

    ``begun``: content came before. Until then, an empty text beside a role only opens the answer.
    """
    if choice.get("finish_reason"):
        return True
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        return choice.get("text") == ""
    return delta.get("content") == "" and (begun or "role" not in delta)


def _has_speech(audio: dict[str, Any]) -> bool:
    return bool(audio.get("data") or audio.get("transcript"))


def usage_of(usage: Mapping[str, Any]) -> Usage:
    """Read a frame's ``usage``; ignore values that are not counts."""
    details = object_in(usage, "completion_tokens_details")
    return Usage(
        count_in(usage, "prompt_tokens"),
        count_in(usage, "completion_tokens"),
        count_in(details, "reasoning_tokens"),
        count_in(details, "rejected_prediction_tokens"),
    )


def usage_of_timings(timings: Mapping[str, Any]) -> Usage:
    """Read the counts in llama.cpp's ``timings``, which it sends without being asked."""
    prompt = count_in(timings, "prompt_n")
    return Usage(
        None if prompt is None else prompt + (count_in(timings, "cache_n") or 0), count_in(timings, "predicted_n")
    )


def is_completion(frame: dict[str, Any]) -> bool:
    """Whether a frame is that of a completion, in one of the forms that servers send."""
    choices = frame.get("choices")
    if isinstance(choices, list):
        if choices:
            return all(isinstance(each, dict) and ("delta" in each or "text" in each) for each in choices)
        return "prompt_filter_results" in frame or "completion" in str(frame.get("object"))
    return is_of_tgi(frame) or is_of_llama_cpp(frame)


def is_of_tgi(frame: dict[str, Any]) -> bool:
    """Whether a frame is one of TGI's own ``/generate_stream``: a token, and at the end the whole text."""
    token = frame.get("token")
    return isinstance(token, dict) and isinstance(token.get("text"), str)


def is_of_llama_cpp(frame: dict[str, Any]) -> bool:
    """Whether a frame is one of llama.cpp's own ``/completion``."""
    return isinstance(frame.get("content"), str) and isinstance(frame.get("stop"), bool)
