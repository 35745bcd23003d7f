"""The forms of the APIs of language models: what a request looks like, and where an answer has its text."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from streamgauge.load.chat.prompts import Message, text_in

#: Anthropic requires a limit on the answer.
ANTHROPIC_MAX_TOKENS = 1024
#: What OpenAI calls instructions that are not the user's.
_SYSTEM = ("system", "developer")


@dataclass(frozen=True, slots=True)
class Ask:
    """What one turn asks, whatever the API; None for what the request leaves to the server."""

    model: str
    messages: list[Message]
    max_tokens: int | None = None
    temperature: float | None = None


def _authorization(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@dataclass(frozen=True, slots=True)
class ApiForm:
    """An API: where it is, how it is asked, and which protocol its streams have."""

    name: str
    path: str
    protocol: str
    body: Callable[[Ask], dict[str, Any]]
    """Return the body of a request for a stream."""
    text_in: Callable[[dict[str, Any]], Any]
    """Return the text in one frame of an answer; a value that is not a text if there is none. Reasoning is none."""
    key_variable: str = "OPENAI_API_KEY"
    """The environment variable of the API key; empty if the API has none."""
    key_fields: Callable[[str], dict[str, str]] = _authorization
    headers: tuple[tuple[str, str], ...] = ()

    def text_of(self, frame: Any) -> str:
        """Return the text of an answer in one parsed frame; empty if there is none."""
        try:
            text = self.text_in(frame)
        except (AttributeError, IndexError, KeyError, TypeError):
            return ""
        return text if isinstance(text, str) else ""


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _apart(messages: Iterable[Message]) -> tuple[str | None, list[Message]]:
    """Return the text of the system's messages, and the other messages."""
    messages = list(messages)
    system = "\n\n".join(text_in(each) for each in messages if each["role"] in _SYSTEM)
    return system or None, [each for each in messages if each["role"] not in _SYSTEM]


def _chat(ask: Ask) -> dict[str, Any]:
    limits = _given(max_tokens=ask.max_tokens, temperature=ask.temperature)
    return {"model": ask.model, "messages": ask.messages, "stream": True, **limits}


def _completion(ask: Ask) -> dict[str, Any]:
    limits = _given(max_tokens=ask.max_tokens, temperature=ask.temperature)
    prompt = "\n\n".join(text_in(each) for each in ask.messages)
    return {"model": ask.model, "prompt": prompt, "stream": True, **limits}


def _response(ask: Ask) -> dict[str, Any]:
    system, messages = _apart(ask.messages)
    limits = _given(instructions=system, max_output_tokens=ask.max_tokens, temperature=ask.temperature)
    return {"model": ask.model, "input": messages, "stream": True, **limits}


def _message(ask: Ask) -> dict[str, Any]:
    system, messages = _apart(ask.messages)
    limits = _given(system=system, max_tokens=ask.max_tokens or ANTHROPIC_MAX_TOKENS, temperature=ask.temperature)
    return {"model": ask.model, "messages": messages, "stream": True, **limits}


def _ollama(ask: Ask) -> dict[str, Any]:
    options = _given(num_predict=ask.max_tokens, temperature=ask.temperature)
    return {"model": ask.model, "messages": ask.messages, "stream": True, **({"options": options} if options else {})}


def _delta_of_response(frame: dict[str, Any]) -> Any:
    return frame["delta"] if frame["type"] == "response.output_text.delta" else None


FORMS = {
    each.name: each
    for each in (
        ApiForm("chat", "/v1/chat/completions", "openai", _chat, lambda frame: frame["choices"][0]["delta"]["content"]),
        ApiForm("completions", "/v1/completions", "openai", _completion, lambda frame: frame["choices"][0]["text"]),
        ApiForm("responses", "/v1/responses", "openai-responses", _response, _delta_of_response),
        ApiForm(
            "anthropic",
            "/v1/messages",
            "anthropic",
            _message,
            lambda frame: frame["delta"]["text"],
            "ANTHROPIC_API_KEY",
            lambda key: {"x-api-key": key},
            (("anthropic-version", "2023-06-01"),),
        ),
        ApiForm("ollama", "/api/chat", "ollama", _ollama, lambda frame: frame["message"]["content"], ""),
    )
}


def path_below(path: str, host: str) -> str:
    """Return a form's path below a host, which may end with ``/v1`` as OpenAI's base URLs do."""
    return path.removeprefix("/v1") if host.rstrip("/").endswith("/v1") else path
