"""The keys in the OpenAPI document: how a client sends them, and which paths need them."""

from collections.abc import Callable, Collection
from typing import Any

from fastapi import FastAPI

_SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}


def with_keys(app: FastAPI, open_paths: Collection[str]) -> Callable[[], dict[str, Any]]:
    """Make an ``openapi`` for ``app`` that requires a key for every path but the ``open_paths``."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        document.setdefault("components", {})["securitySchemes"] = _SCHEMES
        for path, operations in document["paths"].items():
            for operation in operations.values() if path not in open_paths else ():
                operation["security"] = [{name: []} for name in _SCHEMES]
        return document

    return openapi
