"""The page's HTML: a card for each stream of the catalogue, with its knobs as the OpenAPI document describes them."""

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from anyio import to_thread

from target_app.conditions import entity_tag
from target_app.landing.assets import FOLDER
from target_app.sample_files import FILES
from target_app.streams.catalogue import CHAT, SSE, STREAMS, Stream

Document = dict[str, Any]
_FOLDER = Path(__file__).with_name("templates")
_TEMPLATES = {path.stem: Template(path.read_text(encoding="utf-8")) for path in _FOLDER.glob("*.html")}
_HEADINGS = {"streams": "Streams", "native": "As FastAPI encodes them", "pathologies": "Pathologies"}
#: What the page plays by default: slow enough to watch, and soon over; and a stream that has no pace.
_PACED, _UNPACED = {"chunks": 24, "interval_ms": 125, "name": "river.txt"}, {"chunks": 5000}


class Page:
    """The landing page. ``document`` gives the app's OpenAPI document; ``needs_key``: whether streams need a key."""

    def __init__(self, document: Callable[[], Document], *, needs_key: bool) -> None:
        self._document = document
        self._needs_key = needs_key

    async def open(self) -> tuple[str, str]:
        """Return the page and its entity tag. Making them, the first time, does not block the event loop."""
        if "tag" not in self.__dict__:
            await to_thread.run_sync(getattr, self, "tag")
        return self.html, self.tag

    @cached_property
    def tag(self) -> str:
        """The entity tag of the page."""
        return entity_tag(self.html.encode())

    @cached_property
    def html(self) -> str:
        """The page. Making it is slow."""
        document = self._document()
        descriptions = {each["name"]: each["description"] for each in document["tags"]}
        return _fill(
            "page",
            folder=FOLDER,
            version=escape(document["info"]["version"]),
            summary=escape(document["info"]["summary"]),
            key=_fill("key") if self._needs_key else "",
            sections="".join(_section(tag, descriptions[tag], document["paths"]) for tag in _HEADINGS),
        )


def _fill(template: str, **values: object) -> str:
    return _TEMPLATES[template].substitute(values)


def _prose(markdown: str) -> str:
    """Turn a sentence of the documentation into HTML; it uses code and strong text alone."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(markdown))
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)


def _section(tag: str, description: str, paths: Mapping[str, Document]) -> str:
    streams = [stream for stream in STREAMS if stream.tag == tag]
    cards = "".join(_card(stream, paths[stream.path][stream.method.lower()]) for stream in streams)
    return _fill("section", tag=tag, heading=_HEADINGS[tag], text=_prose(description), count=len(streams), cards=cards)


def _card(stream: Stream, operation: Document) -> str:
    card = re.sub(r"[^a-z0-9]+", "-", stream.path).strip("-")
    knobs = [each for each in operation["parameters"] if each["in"] in ("path", "query")]
    initial = _PACED if any(each["name"] == "interval_ms" for each in knobs) else _UNPACED
    # A browser's own EventSource reconnects: only a stream that resumes can be played by it.
    own = _fill("via", card=card) if stream is SSE else _fill("chat", card=card) if stream is CHAT else ""
    return _fill(
        "card",
        **{name: escape(str(value)) for name, value in stream.entry().items()},
        card=card,
        about=_prose(stream.line),
        docs=f"docs#/{stream.tag}/{operation['operationId']}",
        knobs=own + "".join(_knob(card, each, initial) for each in knobs),
    )


def _knob(card: str, parameter: Document, initial: Mapping[str, object]) -> str:
    name, schema, default = parameter["name"], parameter["schema"], parameter["schema"].get("default", "")
    # An optional knob is "anyOf" its own schema and null.
    schema = next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), schema)
    default = "" if default is None else default
    value, choices = initial.get(name, default), sorted(FILES) if name == "name" else schema.get("enum")
    shared = {"id": f"{card}-{name}", "name": name, "data-in": parameter["in"], "data-default": default}
    shared["aria-describedby"] = f"{card}-{name}-about"
    if choices:
        offered = choices if value in choices else ["", *choices]
        options = "".join(f"<option{' selected' * (each == value)}>{escape(each)}</option>" for each in offered)
        control = f"<select{_attributes(shared)}>{options}</select>"
    else:
        limits = {"min": schema["minimum"], "max": schema["maximum"], "value": value}
        step = 1 if schema["type"] == "integer" else "any"
        control = f"<input{_attributes({**shared, 'type': 'number', 'step': step, **limits})}>"
    return _fill("knob", card=card, name=name, control=control, about=_prose(parameter.get("description", "")))


def _attributes(values: Mapping[str, object]) -> str:
    return "".join(f' {name}="{escape(str(value))}"' for name, value in values.items())
