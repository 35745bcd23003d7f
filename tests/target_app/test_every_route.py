"""What HTTP expects of every path: each route of the app is walked, so that a new one cannot forget it."""

import re

import pytest
from fastapi.routing import iter_route_contexts

from target_app.app import create_app
from target_app.landing.assets import VERSION
from target_app.streams.catalogue import STREAMS

FILLED = {"/stream/file/{name}": "/stream/file/river.txt", "/docs/{name}": "/docs/swagger-ui.css"}
FILLED["/landing/{version}/{name}"] = f"/landing/{VERSION}/page.js"
ROUTES = [(each.path, each.methods) for each in iter_route_contexts(create_app().routes) if each.methods]
GETS = [FILLED.get(path, path) for path, methods in ROUTES if "GET" in methods]
#: Asks a stream for a chunk or two. Other paths take any parameter.
QUERY = "chunks=2"
#: What is new in each response, or tells of its framing, which a HEAD may leave out.
OF_ONE_RESPONSE = {"date", "transfer-encoding"}
EVENTS = [stream.path for stream in STREAMS if stream.protocol == "sse"]


def fields_of(answer):
    return {name: value for name, value in answer.headers.items() if name not in OF_ONE_RESPONSE}


def test_every_template_is_filled():
    assert not [path for path in GETS if "{" in path]


@pytest.mark.parametrize("coding", ["identity", "br"])
@pytest.mark.parametrize("path", GETS)
def test_a_head_has_the_status_and_the_fields_of_the_get(httptools_app, path, coding):
    asked = {"headers": {"Accept-Encoding": coding, "Accept": "text/html"}}
    got = httptools_app.get(f"{path}?{QUERY}", **asked)
    head = httptools_app.get(f"{path}?{QUERY}", method="HEAD", **asked)
    expected = fields_of(got)
    if "content-encoding" in expected:
        expected.pop("content-length", None)
    assert (head.status, fields_of(head), head.body) == (got.status, expected, b"")


@pytest.mark.parametrize("path", GETS)
def test_a_head_leaves_the_connection_in_order_with_both_parsers(app, path):
    with app.connect(f"{path}?{QUERY}", method="HEAD", headers={"Connection": "keep-alive"}) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.endswith(b'\r\n\r\n{"status":"ok"}')


@pytest.mark.parametrize("path", [path for path in GETS if path != "/openapi.json"])
def test_a_method_that_a_path_has_not_is_told_those_that_it_has(httptools_app, path):
    answer = httptools_app.get(path, method="DELETE")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", GETS)
def test_a_tag_is_a_condition(httptools_app, path):
    asked = {"headers": {"Accept": "text/html"}}
    whole = httptools_app.get(f"{path}?{QUERY}", **asked)
    tag = whole.headers.get("etag")
    if tag is None:
        untagged = httptools_app.get(f"{path}?{QUERY}", headers={"If-None-Match": '"other"', **asked["headers"]})
        assert untagged.status == whole.status
        return
    for method in ("GET", "HEAD"):
        for condition, value, status in (
            ("If-None-Match", tag, 304),
            ("If-None-Match", f'"other", W/{tag}', 304),
            ("If-None-Match", "*", 304),
            ("If-None-Match", '"other"', whole.status),
            ("If-Match", tag, whole.status),
            ("If-Match", "*", whole.status),
            ("If-Match", f'"other", W/{tag}', 412),
        ):
            answer = httptools_app.get(f"{path}?{QUERY}", method=method, headers={condition: value, **asked["headers"]})
            assert (answer.status, answer.headers["etag"]) == (status, tag), (method, condition, value)
            assert bool(answer.body) == (method == "GET" and status == whole.status)
            if status == 304:
                kept = {"cache-control", "etag", "vary"} & set(whole.headers)
                assert {name: answer.headers[name] for name in kept} == {name: whole.headers[name] for name in kept}
                assert "content-length" not in answer.headers


def test_a_condition_comes_before_a_range(httptools_app):
    path = "/stream/file/river.txt?chunks=1&interval_ms=0"
    tag = httptools_app.get(path, method="HEAD").headers["etag"]
    for fields, status in (
        ({"If-None-Match": tag, "Range": "bytes=0-1"}, 304),
        ({"If-None-Match": tag, "Range": "bytes=99999999-"}, 304),
        ({"If-Match": '"other"', "Range": "bytes=0-1"}, 412),
        ({"If-Match": tag, "Range": "bytes=0-1"}, 206),
        ({"If-Match": tag, "If-None-Match": '"other"', "If-Range": tag, "Range": "bytes=0-1"}, 206),
        ({"If-None-Match": '"other"', "Range": "bytes=99999999-"}, 416),
    ):
        assert httptools_app.get(path, headers=fields).status == status, fields


def test_a_condition_on_what_is_not_there_is_no_condition(httptools_app):
    assert httptools_app.get("/stream/file/none", headers={"If-None-Match": "*"}).status == 404


def test_a_weak_tag_of_a_compressed_body_is_heeded(httptools_app):
    path = f"/landing/{VERSION}/page.js"
    coded = httptools_app.get(path, headers={"Accept-Encoding": "br"})
    assert coded.headers["etag"].startswith('W/"')
    again = {"Accept-Encoding": "br", "If-None-Match": coded.headers["etag"]}
    assert httptools_app.get(path, headers=again).status == 304


def ids_of(answer):
    return [int(each) for each in re.findall(rb"(?m)^id: (\d+)", answer.body)]


@pytest.mark.parametrize("path", EVENTS)
def test_every_stream_whose_events_have_ids_goes_on_after_the_last(httptools_app, path):
    whole = httptools_app.get(f"{path}?chunks=6")
    assert ids_of(whole)
    for last in range(6):
        answer = httptools_app.get(f"{path}?chunks=6", headers={"Last-Event-ID": str(last)})
        # Those that fail half way do not fail again where a client comes back to.
        until = 3 if path.endswith(("unterminated", "hidden-error")) and last < 2 else 7
        assert (answer.status, ids_of(answer)) == (200, list(range(last + 1, until)))
    finished = httptools_app.get(f"{path}?chunks=6", headers={"Last-Event-ID": "6"})
    assert (finished.status, finished.body) == (204, b"")


@pytest.mark.parametrize("path", [path for path in GETS if path not in EVENTS])
def test_no_other_stream_has_ids(httptools_app, path):
    assert not re.search(rb"(?m)^id: \d", httptools_app.get(f"{path}?{QUERY}").body)


def test_a_head_counts_as_a_request_and_not_as_a_stream(httptools_app, until):
    httptools_app.settle()
    labels = {"route": "/stream/sse", "method": "HEAD", "status_code": "200"}
    requests = httptools_app.metric("http_server_request_duration_seconds_count", **labels)
    streams = httptools_app.metric("stream_server_started_total", route="/stream/sse")
    httptools_app.get("/stream/sse", method="HEAD")
    until(lambda: httptools_app.metric("http_server_request_duration_seconds_count", **labels) == requests + 1)
    assert httptools_app.metric("stream_server_started_total", route="/stream/sse") == streams
