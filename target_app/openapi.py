"""The OpenAPI document: valid as OpenAPI 3.1, which generators read, with keys where they are needed.

FastAPI describes one item of a stream by ``itemSchema``, which is OpenAPI 3.2's, in a document that says 3.1. Here that
is the ``schema``, which readers of 3.1 take for the schema of one item in event streams.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any

from fastapi import FastAPI

from target_app.streams.description import COMPONENTS

Document = dict[str, Any]
_SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}


def document_of(app: FastAPI, open_paths: Collection[str], *, needs_key: bool) -> Callable[[], Document]:
    """Make an ``openapi`` for ``app``. With ``needs_key``, all paths but the ``open_paths`` require a key."""
    plain = app.openapi

    def openapi() -> Document:
        made = app.openapi_schema is not None
        document = plain()
        if made:
            return document
        components = document.setdefault("components", {})
        components.setdefault("schemas", {}).update(COMPONENTS)
        for content in _contents(document):
            if "itemSchema" in content:
                content["schema"] = content.pop("itemSchema")
        if needs_key:
            components["securitySchemes"] = _SCHEMES
            for path, operations in document["paths"].items():
                for operation in operations.values() if path not in open_paths else ():
                    operation["security"] = [{name: []} for name in _SCHEMES]
        return document

    return openapi


def _contents(document: Document) -> Iterator[Document]:
    """Find the description of each media type of each response."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for answer in operation["responses"].values():
                yield from answer.get("content", {}).values()
