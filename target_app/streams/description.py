"""The streams in the OpenAPI document: the schema of one item, an example, and the refusals.

The ``schema`` of a stream describes one item: an event, a line, a part; of a raw body, which has no items, one chunk.
What several streams share is written once, in ``COMPONENTS``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, TypeAdapter

from target_app.items import Done, Failure, Reading, TypedDone, TypedFailure, TypedReading
from target_app.streams.catalogue import Stream

Schema = dict[str, Any]
Responses = dict[int | str, dict[str, Any]]

_PROBLEM: Schema = {
    "type": "object",
    "title": "Problem (RFC 9457)",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail"],
}


def _component(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _refusal(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/problem+json": {"schema": _component("Problem")}}}


#: The refusals of the guards.
REFUSALS: Responses = {
    401: _refusal("The request has no known key."),
    403: _refusal("Pages of this origin may not open a WebSocket."),
    413: _refusal("The request's body is too large."),
    429: _refusal("This client starts streams too fast, or has too many; retry after `Retry-After`."),
    503: _refusal("The service is full or shutting down; retry after `Retry-After`."),
}


def route_options(
    stream: Stream,
    item: Schema,
    description: str,
    example: str | None = None,
    others: Mapping[int | str, dict[str, Any]] | None = None,
    also: Sequence[str] = (),
    response_class: type[Response] = StreamingResponse,
) -> dict[str, Any]:
    """Make a route's arguments: title, response with its media type and those in ``also``, and other responses."""
    content: Schema = {"schema": item}
    if example is not None:
        content["example"] = example
    answer = {"description": description, "content": dict.fromkeys((stream.media_type, *also), content)}
    return {
        "summary": stream.title,
        "tags": [stream.tag],
        "response_class": response_class,
        "responses": {200: answer, **REFUSALS, **(others or {})},
    }


def event_item(names: Mapping[str, type[BaseModel]], numbered: bool = True) -> Schema:
    """Make the schema of one event from the content models, by event name."""
    return {"oneOf": [_event(name, model, numbered and name != "error") for name, model in names.items()]}


def _event(name: str, model: type[BaseModel], numbered: bool) -> Schema:
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": inline(model)}
    properties: Schema = {"event": {"const": name}, "data": data}
    if numbered:
        properties["id"] = {"type": "string", "pattern": "^[0-9]+$"}
    return {"type": "object", "title": f"{name} event", "properties": properties, "required": [*properties]}


def inline(kind: Any) -> Schema:
    """Make the schema of a type, with references replaced by what they refer to."""
    schema = TypeAdapter(kind).json_schema(mode="serialization")
    definitions: Schema = schema.pop("$defs", {})
    schema.pop("discriminator", None)
    found: Schema = _resolved(schema, definitions)
    return found


def _resolved(part: Any, definitions: Schema) -> Any:
    if isinstance(part, list):
        return [_resolved(each, definitions) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _resolved(definitions[part["$ref"].rpartition("/")[2]], definitions)
    return {name: _resolved(each, definitions) for name, each in part.items()}


_LINES = {each.__name__: each for each in (TypedReading, TypedDone, TypedFailure)}
#: The events, and the lines and messages, of every stream of readings.
EVENT_ITEM = _component("StreamEvent")
LINE_ITEM = _component("StreamLine")
BINARY_ITEM: Schema = {"type": "string", "format": "binary"}
COMPONENTS: Schema = {
    "Problem": _PROBLEM,
    "StreamEvent": event_item({"reading": Reading, "done": Done, "error": Failure}),
    "StreamLine": {"oneOf": [_component(name) for name in _LINES]},
    **{name: inline(model) for name, model in _LINES.items()},
}
