"""Hides what opens doors, such as passwords and tokens, in the texts of results, which are shown to others."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from streamgauge.wire.token_stream import json_or_none

HIDDEN = "…"
#: The names of header fields, parameters and JSON members whose values open doors.
_SECRET = re.compile(r"auth|cookie|token|secret|key|password|credential", re.IGNORECASE)
_PASSWORD = re.compile(r"(?<=://)[^/?#@\s]*@")
#: Parameters of a query or a form.
_PARAMETER = re.compile(r"(?P<name>(?:^|(?<=[?&]))[\w.\[\]-]+)=(?P<value>(?!=)[^&#\s]+)")


def is_secret(name: str) -> bool:
    """Whether the value of a field or parameter of this name opens doors."""
    return _SECRET.search(name) is not None


def without_password(text: str) -> str:
    """Hide user and password in URLs."""
    return _PASSWORD.sub(f"{HIDDEN}@", text)


def without_secrets(text: str) -> str:
    """Hide the value of a header field, of members of JSON and of parameters, and the password in a URL."""
    if text.lstrip().startswith("{") and isinstance(value := json_or_none(text), dict):
        hidden = _hidden_members(value)
        return text if hidden == value else json.dumps(hidden, ensure_ascii=False)
    name, colon, value = text.partition(":")
    if colon and " " not in name.strip() and is_secret(name) and not value.startswith("//"):
        return f"{name}: {HIDDEN}"
    return _PARAMETER.sub(_hidden_parameter, without_password(text))


def secret_parameters(query: str) -> Iterator[str]:
    """Yield the names of the parameters in a query whose values open doors."""
    for name, value in parse_qsl(query):
        if is_secret(name) and not value.isdecimal():
            yield name


def _hidden_parameter(found: re.Match[str]) -> str:
    """Hide the value of a parameter; numbers, such as that of ``max_tokens``, do not open doors."""
    if not is_secret(found["name"]) or found["value"].isdecimal():
        return found[0]
    return f"{found['name']}={HIDDEN}"


def _hidden_members(value: Any) -> Any:
    """Hide the texts of those members of JSON whose names say that they open doors; numbers do not."""
    if isinstance(value, dict):
        return {
            name: HIDDEN if isinstance(each, str) and is_secret(name) else _hidden_members(each)
            for name, each in value.items()
        }
    return [_hidden_members(each) for each in value] if isinstance(value, list) else value
