"""A browser's own EventSource and WebSocket against the sample app."""

import json

import pytest

pytestmark = pytest.mark.browser
CHUNKS, CHUNK_BYTES = 8, 300
QUERY = f"chunks={CHUNKS}&interval_ms=5&chunk_bytes={CHUNK_BYTES}"


@pytest.fixture(scope="module")
def tab(browser, url):
    """A page of the app that brings no script of its own."""
    opened = browser.open(f"{url}/healthz")
    yield opened
    opened.close()


def event_source(tab, query, until):
    """What an EventSource hands out until it is ``until``: its events, and how often it connected."""
    return tab.evaluate(
        f"""new Promise((resolve) => {{
            const source = new EventSource("/stream/sse?{query}"), events = [];
            let connections = 0;
            const over = () => resolve({{ events, connections, state: source.readyState }}, source.close());
            const take = (each) => events.push([each.type, each.lastEventId, each.data]);
            source.onopen = () => connections += 1;
            source.addEventListener("reading", take);
            source.addEventListener("done", (each) => {{ take(each); if ("{until}" === "done") over(); }});
            source.addEventListener("error", (each) => {{
                if (each.data) {{ take(each); over(); }}
                else if (source.readyState === EventSource.CLOSED) over();
            }});
        }})"""
    )


def test_an_event_source_gets_every_event(tab, assert_all_readings):
    found = event_source(tab, QUERY, "done")
    assert_all_readings(found["events"], CHUNKS)
    assert found["connections"] == 1


def test_an_event_source_that_was_cut_comes_again_and_misses_nothing(tab, assert_all_readings):
    found = event_source(tab, f"{QUERY}&fail_at=3&fail_how=cut", "done")
    assert_all_readings(found["events"], CHUNKS)
    assert found["connections"] == 2


def test_an_event_source_that_is_left_open_is_told_that_there_is_no_more(tab, assert_all_readings):
    found = event_source(tab, QUERY, "closed")
    assert_all_readings(found["events"], CHUNKS)
    assert (found["connections"], found["state"]) == (1, 2)


def test_an_event_source_hears_of_an_error(tab):
    *readings, (name, _, data) = event_source(tab, f"{QUERY}&fail_at=2", "done")["events"]
    assert (len(readings), name) == (2, "error")
    assert "chunk 2" in json.loads(data)["message"]


def web_socket(tab, query):
    return tab.evaluate(
        f"""new Promise((resolve) => {{
            const socket = new WebSocket("/stream/ws?{query}"), messages = [];
            socket.onmessage = ({{ data }}) => messages.push(data);
            socket.onclose = ({{ code, wasClean }}) => resolve({{ messages, code, wasClean }});
        }})"""
    )


def test_a_web_socket_gets_every_message_and_a_clean_close(tab):
    found = web_socket(tab, QUERY)
    *readings, done = found["messages"]
    assert [json.loads(each)["seq"] for each in readings] == list(range(CHUNKS))
    assert {len(each) for each in readings} == {CHUNK_BYTES}
    assert json.loads(done) == {"type": "done", "chunks": CHUNKS}
    assert (found["code"], found["wasClean"]) == (1000, True)


@pytest.mark.parametrize(
    ("how", "last", "code", "clean"),
    [("error", "error", 1011, True), ("end", "reading", 1000, True), ("cut", "reading", 1006, False)],
)
def test_a_web_socket_sees_how_a_stream_failed(tab, how, last, code, clean):
    found = web_socket(tab, f"{QUERY}&fail_at=3&fail_how={how}")
    assert json.loads(found["messages"][-1])["type"] == last
    assert (found["code"], found["wasClean"]) == (code, clean)
