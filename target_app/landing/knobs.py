"""The page's fields: one for each knob, with its limits, its default and what it does."""

import re
from collections.abc import Mapping
from html import escape
from typing import Any

from target_app.library import KINDS

#: What the page plays where it is not told otherwise: slow enough to be watched, and soon over.
_PLAYED = {"chunks": 24, "interval_ms": 125, "name": "river.txt"}
#: The same of a stream that cannot be slowed down.
_PLAYED_AT_ONCE = {"chunks": 5000}
_CHOICES = {"name": sorted(KINDS)}


def fields(card: str, parameters: list[dict[str, Any]]) -> str:
    """The fields of a stream's parameters, in the card of that id."""
    paced = any(each["name"] == "interval_ms" for each in parameters)
    return "".join(_field(card, each, _PLAYED if paced else _PLAYED_AT_ONCE) for each in parameters)


def _field(card: str, parameter: dict[str, Any], played_by_name: Mapping[str, object]) -> str:
    name = parameter["name"]
    schema = _of_a_value(parameter["schema"])
    default = parameter["schema"].get("default")
    played = played_by_name.get(name, "" if default is None else default)
    choices = _CHOICES.get(name) or schema.get("enum")
    attributes = {
        "id": f"{card}-{name}",
        "name": name,
        "data-in": parameter["in"],
        "data-default": "" if default is None else f"{default}",
        "aria-describedby": f"{card}-{name}-about",
    }
    control = _select(attributes, choices, played, default) if choices else _input(attributes, schema, played)
    about = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(parameter.get("description", "")))
    return (
        f'<div class="knob"><label for="{card}-{name}">{escape(name)}</label>{control}'
        f'<p id="{card}-{name}-about">{about}</p></div>\n'
    )


def _of_a_value(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of what a knob is when it is given: many may be left out."""
    found: dict[str, Any] = next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), schema)
    return found


def _select(attributes: dict[str, str], choices: list[str], played: object, default: object) -> str:
    offered = choices if default is not None or played in choices else ["", *choices]
    options = "".join(
        f'<option value="{escape(each)}"{" selected" if each == played else ""}>{escape(each) or "—"}</option>'
        for each in offered
    )
    return f"<select{_written(attributes)}>{options}</select>"


def _input(attributes: dict[str, str], schema: dict[str, Any], played: object) -> str:
    kind = {
        "type": "number",
        "min": schema["minimum"],
        "max": schema["maximum"],
        "step": 1 if schema["type"] == "integer" else "any",
        "value": played,
        "inputmode": "numeric" if schema["type"] == "integer" else "decimal",
    }
    return f"<input{_written({**attributes, **kind})}>"


def _written(attributes: dict[str, Any]) -> str:
    return "".join(f' {name}="{escape(str(value))}"' for name, value in attributes.items())
