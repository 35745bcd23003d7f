"""Below a prefix that an option or a trusted proxy tells, or nobody; the proxy takes it off or leaves it."""

import json
import re
from urllib.parse import urljoin

import pytest

PROXIED = {"X-Forwarded-Prefix": "/gauge"}
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def below(start_module):
    return start_module("--root-path", "/gauge/")


@pytest.fixture(scope="module")
def trusting(start_module):
    return start_module("--trusted-proxy", "127.0.0.0/8", "--max-streams-per-client", "1")


@pytest.fixture(params=["option", "proxy, taken off", "proxy, left"])
def reach(request):
    """Asks for a path of the app, as clients see it, in each way of being below a prefix."""

    def ask(path, **fields):
        assert path.startswith("/gauge")
        if request.param == "option":
            return request.getfixturevalue("below").get(path, headers=fields)
        arrives = path if request.param == "proxy, left" else path.removeprefix("/gauge")
        return request.getfixturevalue("trusting").get(arrives, headers={**PROXIED, **fields})

    return ask


def test_the_documentation_loads_what_is_there(reach):
    page = reach("/gauge/docs").body.decode()
    (document,) = re.findall(r"url: '([^']+)'", page)
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert loaded
    for each in (document, *loaded):
        assert reach(urljoin("/gauge/docs", each)).status == 200, each


def test_the_document_names_the_prefix_as_its_server(reach):
    assert reach("/gauge/openapi.json").json()["servers"] == [{"url": "/gauge"}]


def test_the_index_names_paths_below_the_prefix(reach):
    index = reach("/gauge/").json()
    assert (index["docs"], index["health"]) == ("/gauge/docs", "/gauge/healthz")
    assert {each["path"].split("/")[1] for each in index["streams"]} == {"gauge"}
    assert reach(index["health"]).status == 200


def test_the_landing_page_loads_what_is_there(reach):
    page = reach("/gauge/", **HTML).body.decode()
    for each in re.findall(r'(?:src|href)="([^"#]+)"', page):
        assert reach(urljoin("/gauge/", each)).status == 200, each


def test_a_redirect_stays_below_the_prefix(reach):
    answer = reach("/gauge/stream/sse/?chunks=1")
    assert answer.status == 307
    assert urljoin("http://test/gauge/stream/sse/", answer.headers["location"]) == (
        "http://test/gauge/stream/sse?chunks=1"
    )


def test_a_redirect_works_below_a_prefix_that_nobody_tells(httptools_app):
    answer = httptools_app.get("/stream/sse/?chunks=1")
    seen = urljoin("https://proxy.example/gauge/stream/sse/", answer.headers["location"])
    assert (answer.status, seen) == (307, "https://proxy.example/gauge/stream/sse?chunks=1")


def test_the_documentation_works_below_a_prefix_that_nobody_tells(httptools_app):
    (document,) = re.findall(r"url: '([^']+)'", httptools_app.get("/docs").body.decode())
    assert urljoin("/gauge/docs", document) == "/gauge/openapi.json"


def test_paths_are_served_without_the_prefix_too(below):
    """A health check goes past the proxy."""
    assert below.get("/healthz").status == below.get("/gauge/healthz").status == 200
    assert below.get("/gaugehealthz").status == 404


def test_the_route_in_the_metrics_has_no_prefix(below, until):
    below.get("/gauge/stream/text?chunks=1")
    until(lambda: below.metric("stream_server_finished_total", route="/stream/text") == 1)


def test_only_a_trusted_proxy_tells_the_prefix(httptools_app):
    assert httptools_app.get("/", headers=PROXIED).json()["docs"] == "/docs"


@pytest.mark.parametrize(
    ("sent", "docs"),
    [
        ("/outer, /inner/", "/outer/inner/docs"),
        ("/", "/docs"),
        ("", "/docs"),
        ("//evil.example", "/docs"),
        ("/a'b", "/docs"),
        ("gauge", "/docs"),
    ],
)
def test_a_prefix_is_a_path_or_ignored(trusting, sent, docs):
    assert trusting.get("/", headers={"X-Forwarded-Prefix": sent}).json()["docs"] == docs


def test_who_may_tell_the_prefix_tells_the_client_too(trusting):
    client = {**PROXIED, "X-Forwarded-For": "192.0.2.7"}
    with trusting.connect("/stream/sse?chunks=50&interval_ms=60000", headers=client) as connection:
        assert connection.recv(100)
        assert trusting.get("/stream/text?chunks=1", headers=client).status == 429
        assert trusting.get("/stream/text?chunks=1", headers=PROXIED).status == 200


def test_guards_know_the_path_below_the_prefix(start):
    app = start("--root-path", "/gauge", "--api-key", "a-key-of-sixteen-or-more")
    statuses = {path: app.get(path).status for path in ("/gauge/healthz", "/gauge/", "/gauge", "/gauge/stream/sse")}
    assert statuses == {"/gauge/healthz": 200, "/gauge/": 200, "/gauge": 307, "/gauge/stream/sse": 401}
    assert app.get("/gauge").headers["location"] == "/gauge/"
    assert json.loads(app.get("/gauge/stream/sse").body)["status"] == 401
