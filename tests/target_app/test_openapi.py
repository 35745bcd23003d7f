"""The OpenAPI document: every stream with its type, the schema of an item, its knobs, and who may refuse it."""

import json

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from target_app.app import create_app
from target_app.items import TypedItem
from target_app.settings import Settings
from target_app.streams.catalogue import STREAMS
from target_app.streams.description import COMPONENTS, inline

KNOBS = {"chunks", "interval_ms", "jitter", "chunk_bytes", "fail_at", "fail_how", "seed"}
EXTRA = {"/stream/ndjson": {"form"}, "/stream/multipart": {"subtype"}}
DOCUMENT = create_app().openapi()


@pytest.fixture(scope="session")
def app(httptools_app):
    return httptools_app


def operation(stream):
    return DOCUMENT["paths"][stream.path][stream.method.lower()]


def test_the_catalogue_and_the_app_have_the_same_streams():
    service = {"/", "/healthz", "/readyz"}
    assert {stream.path for stream in STREAMS} == set(DOCUMENT["paths"]) - service
    assert len({stream.path for stream in STREAMS}) == len(STREAMS)


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.path)
def test_a_stream_is_described_as_its_catalogue_entry_says(stream):
    found = operation(stream)
    assert found["summary"] == stream.title
    assert found["tags"] == [stream.tag]
    assert found["description"]
    content = found["responses"]["101" if stream.protocol == "websocket" else "200"]["content"]
    assert not stream.media_type or stream.media_type in content
    assert all(each["schema"] for each in content.values())


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.path)
def test_its_knobs_are_all_described(stream):
    query = [each for each in operation(stream)["parameters"] if each["in"] == "query"]
    names = {each["name"] for each in query}
    if not stream.pathological:
        assert names == KNOBS | EXTRA.get(stream.path, set())
    assert all(each["schema"].get("description") for each in query)


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.path)
def test_its_refusals_are_documented(stream):
    answers = operation(stream)["responses"]
    assert {"401", "403", "413", "422", "429", "503"} <= set(answers)
    assert "application/problem+json" in answers["429"]["content"]


def test_no_schema_refers_to_what_is_not_there():
    text = json.dumps(DOCUMENT)
    references = {part.partition('"')[0] for part in text.split('"$ref": "#/components/schemas/')[1:]}
    assert references <= set(DOCUMENT["components"]["schemas"])
    assert '"#/$defs' not in text


@pytest.mark.parametrize(
    "settings", [Settings(), Settings(api_keys=("a-key-of-sixteen-or-more",))], ids=["open", "keys"]
)
def test_it_is_valid_as_what_it_says_it_is(settings):
    document = create_app(settings).openapi()
    assert document["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_it_stays_the_same_when_it_is_asked_for_again():
    app = create_app()
    first = json.dumps(app.openapi())
    assert json.dumps(app.openapi()) == first


def test_what_streams_share_is_written_once():
    text = json.dumps(DOCUMENT)
    for component in COMPONENTS.values():
        assert text.count(json.dumps(component)) == 1


def test_an_item_is_one_of_three_kinds():
    kinds = inline(TypedItem)["oneOf"]
    assert [kind["properties"]["type"]["const"] for kind in kinds] == ["reading", "done", "error"]


def test_the_index_lists_them(app):
    assert app.get("/").json()["streams"] == [stream.entry() for stream in STREAMS]
