"""The page's HTML: the streams of the catalogue, with their knobs as the OpenAPI document describes them."""

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from target_app.landing.assets import FOLDER
from target_app.landing.knobs import fields
from target_app.streams.catalogue import CHAT, SSE, STREAMS, Stream

Document = dict[str, Any]
_TEMPLATES = Path(__file__).with_name("templates")
_HEADINGS = {
    "streams": "Streams",
    "native": "As FastAPI encodes them",
    "pathologies": "Pathologies",
}
#: Streams of readings that a browser's own EventSource can play, because they go on where one was broken off.
_RESUMABLE = frozenset({SSE.path})


def template(name: str) -> Template:
    """One of the page's templates."""
    return Template((_TEMPLATES / name).read_text(encoding="utf-8"))


def prose(markdown: str) -> str:
    """A sentence of the documentation as HTML; of Markdown it has code and strong text."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(markdown))
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)


class Page:
    """The landing page. ``document`` gives the app's OpenAPI document; ``needs_key``: whether streams ask for a key."""

    def __init__(self, document: Callable[[], Document], *, needs_key: bool) -> None:
        self._document = document
        self._needs_key = needs_key

    def make(self) -> str:
        """Make it, if it is not made: that takes a while, so it is not for the event loop."""
        return self.html

    @cached_property
    def html(self) -> str:
        """The page."""
        document = self._document()
        said = {each["name"]: each["description"] for each in document["tags"]}
        sections = (_section(tag, said[tag], document["paths"]) for tag in _HEADINGS)
        return template("page.html").substitute(
            folder=FOLDER,
            version=escape(document["info"]["version"]),
            summary=escape(document["info"]["summary"]),
            key=template("key.html").substitute() if self._needs_key else "",
            needs_key="yes" if self._needs_key else "no",
            sections="".join(sections),
        )


def _section(tag: str, said: str, paths: Mapping[str, Document]) -> str:
    streams = [stream for stream in STREAMS if stream.tag == tag]
    cards = "".join(_card(stream, paths[stream.path][stream.method.lower()]) for stream in streams)
    return template("section.html").substitute(
        tag=tag, heading=escape(_HEADINGS[tag]), said=prose(said), count=len(streams), cards=cards
    )


def _card(stream: Stream, operation: Document) -> str:
    card_id = re.sub(r"[^a-z0-9]+", "-", stream.path).strip("-")
    asked = [each for each in operation["parameters"] if each["in"] in ("path", "query")]
    via = template("via.html").substitute(card=card_id) if stream.path in _RESUMABLE else ""
    return template("card.html").substitute(
        {name: escape(str(value)) for name, value in stream.entry().items()},
        card=card_id,
        about=prose(stream.line),
        docs=escape(f"docs#/{stream.tag}/{operation['operationId']}"),
        body=template("chat.html").substitute(card=card_id) if stream is CHAT else "",
        knobs=via + fields(card_id, asked),
    )
