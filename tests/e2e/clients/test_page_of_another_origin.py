"""A page of another origin in a real browser: what it may send and read, by the browser's own means and a package's."""

import json
import urllib.request

import pytest

pytestmark = pytest.mark.browser
CHUNKS = 6
QUERY = f"chunks={CHUNKS}&interval_ms=5&chunk_bytes=300"
#: Beside what browsers send of themselves.
FIELDS = {
    "Authorization": "Bearer a-key-of-sixteen-or-more",
    "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "X-Stainless-Lang": "js",
    "X-Of-Tomorrow": "1",
}


@pytest.fixture(scope="module")
def origin(serve_pages, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    (folder / "index.html").write_text("<!doctype html><link rel=icon href=data:,><title>A page</title>")
    return serve_pages(folder)


@pytest.fixture(scope="module")
def service(serving, origin):
    with serving("--cors-origin", origin) as address:
        yield address


@pytest.fixture(scope="module")
def tab(browser, origin):
    opened = browser.open(f"{origin}/")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def foreign_tab(browser, serve_pages, tmp_path_factory):
    """A page of an origin that the service does not know."""
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "index.html").write_text("<!doctype html><link rel=icon href=data:,><title>Another</title>")
    opened = browser.open(f"{serve_pages(folder)}/")
    yield opened
    opened.close()


def fetched(tab, url, fields=None, shown=(), **request):
    """What a page's fetch gets: status, body, and what it can read of these fields."""
    asked = {"headers": fields or {}, "cache": "no-store", **request}
    return tab.evaluate(
        f"""fetch({json.dumps(url)}, {json.dumps(asked)}).then(async (answer) => ({{
            status: answer.status,
            body: await answer.text(),
            fields: {json.dumps(list(shown))}.map((name) => answer.headers.get(name)),
        }}), (error) => ({{ error: error.name }}))"""
    )


@pytest.mark.parametrize(
    "path", ["/stream/sse", "/stream/ndjson", "/native/sse", "/native/ndjson", "/stream/multipart"]
)
def test_a_page_reads_a_stream_whatever_fields_it_sends(tab, service, path):
    found = fetched(tab, f"{service}{path}?{QUERY}", FIELDS)
    assert found["status"] == 200
    with urllib.request.urlopen(f"{service}{path}?{QUERY}", timeout=60) as answer:
        assert found["body"] == answer.read().decode()


def test_a_page_reads_the_first_events_before_the_last_are_sent(tab, service):
    first = tab.evaluate(
        f"""(async () => {{
            const headers = {json.dumps(FIELDS)};
            const answer = await fetch("{service}/stream/sse?chunks=1000&interval_ms=60", {{ headers }});
            const reader = answer.body.getReader();
            const {{ value }} = await reader.read();
            await reader.cancel();
            return new TextDecoder().decode(value);
        }})()"""
    )
    assert first.startswith("id: 0\nevent: reading\n")
    assert "event: done" not in first


def test_a_page_goes_on_with_a_download_and_reads_which_part_it_got(tab, service):
    url = f"{service}/stream/file/river.txt?chunks=1&interval_ms=0"
    shown = ("Content-Range", "ETag", "Accept-Ranges", "Content-Length")
    part = fetched(tab, url, {"Range": "bytes=100-199"}, shown)
    tag = part["fields"][1]
    assert (part["status"], len(part["body"])) == (206, 100)
    assert part["fields"] == ["bytes 100-199/65536", tag, "bytes", "100"]
    assert fetched(tab, url, {"Range": "bytes=0-9", "If-Range": tag})["status"] == 206
    assert fetched(tab, url, {"If-None-Match": tag})["status"] == 304
    assert fetched(tab, url, method="HEAD", shown=shown)["fields"] == [None, tag, "bytes", "65536"]


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/stream/sse?chunks=0", 422, "greater than or equal to 1"),
        ("/stream/file/none", 404, "no file"),
        ("/x", 404, ""),
    ],
)
def test_a_page_reads_why_it_got_nothing(tab, service, path, status, says):
    found = fetched(tab, service + path, FIELDS)
    assert found["status"] == status
    assert says in found["body"]


def test_a_page_reads_when_to_come_again(serving, origin, tab):
    with serving("--cors-origin", origin, "--starts-per-s", "0.001", "--start-burst", "1") as busy:
        # The preflight of each costs nothing: with it, the first would be refused already.
        statuses = [fetched(tab, f"{busy}/stream/text?chunks=1", FIELDS, ["Retry-After"]) for _ in range(2)]
    assert [each["status"] for each in statuses] == [200, 429]
    assert 900 < int(statuses[1]["fields"][0]) <= 1000
    assert "new streams per second" in statuses[1]["body"]


def test_a_page_may_be_told_that_it_needs_a_key_and_show_it(serving, origin, tab, key):
    with serving("--cors-origin", origin, "--api-key", key) as guarded:
        asked = f"{guarded}/stream/text?chunks=1"
        assert fetched(tab, asked, shown=["WWW-Authenticate"])["fields"] == ['Bearer realm="streams"']
        assert fetched(tab, asked, FIELDS)["status"] == 200


def events(tab, url):
    """What an EventSource gets until it is told that there is no more: the ids, and how often it connected."""
    return tab.evaluate(
        f"""new Promise((resolve) => {{
            const source = new EventSource({json.dumps(url)}), ids = [];
            let connections = 0;
            source.onopen = () => connections += 1;
            for (const name of ["reading", "done"]) {{
                source.addEventListener(name, (each) => ids.push(Number(each.lastEventId)));
            }}
            source.onerror = () => {{
                if (source.readyState === EventSource.CLOSED) resolve({{ ids, connections }});
            }};
        }})"""
    )


@pytest.mark.parametrize(
    ("path", "connections"),
    [
        ("/stream/sse", 1),
        ("/stream/sse?fail_at=2&fail_how=cut", 2),
        ("/stream/sync?fail_at=2&fail_how=end", 2),
        ("/native/sse?fail_at=2&fail_how=end", 2),
        ("/pathologies/unterminated", 2),
        ("/pathologies/hidden-error", 2),
    ],
)
def test_an_event_source_of_another_origin_misses_nothing_and_ends(tab, service, path, connections):
    """The browser shows no status: it opens no further connection after a 204, and says that it is closed."""
    address = f"{service}{path}{'&' if '?' in path else '?'}chunks={CHUNKS}&interval_ms=5"
    assert events(tab, address) == {"ids": list(range(CHUNKS + 1)), "connections": connections}


def test_a_page_of_an_origin_that_is_not_named_reads_nothing(foreign_tab, service):
    for fields in ({}, FIELDS):
        assert fetched(foreign_tab, f"{service}/stream/text?chunks=1", fields) == {"error": "TypeError"}
    assert events(foreign_tab, f"{service}/stream/sse?{QUERY}") == {"ids": [], "connections": 0}


@pytest.mark.parametrize(("which", "code", "messages"), [("tab", 1000, CHUNKS + 1), ("foreign_tab", 1006, 0)])
def test_a_web_socket_opens_for_a_page_of_a_named_origin_alone(request, service, which, code, messages):
    address = service.replace("http", "ws", 1)
    found = request.getfixturevalue(which).evaluate(
        f"""new Promise((resolve) => {{
            const socket = new WebSocket("{address}/stream/ws?{QUERY}");
            let messages = 0;
            socket.onmessage = () => messages += 1;
            socket.onclose = ({{ code }}) => resolve([code, messages]);
        }})"""
    )
    assert found == [code, messages]


def test_the_openai_package_works_in_a_page_of_another_origin(
    browser, serving, serve_pages, node_modules, key, assert_completions
):
    (node_modules / "index.html").write_text("<!doctype html><link rel=icon href=data:,><title>A chat</title>")
    origin = serve_pages(node_modules)
    with serving("--cors-origin", origin, "--api-key", key) as guarded:
        tab = browser.open(f"{origin}/")
        found = tab.evaluate(
            f"""(async () => {{
                const {{ default: OpenAI }} = await import("/node_modules/openai/index.mjs");
                const {{ outcomes }} = await import("/completions.mjs");
                return outcomes(OpenAI, "{guarded}/v1", "{key}", {{ dangerouslyAllowBrowser: true }});
            }})()"""
        )
        tab.close()
    assert_completions(found)
