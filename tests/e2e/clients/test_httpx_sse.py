"""httpx-sse against the sample app."""

import httpx
import httpx_sse
import pytest

CHUNKS = 8
KNOBS = {"chunks": CHUNKS, "interval_ms": 5, "chunk_bytes": 300}


@pytest.mark.parametrize("path", ["/stream/sse", "/stream/sync", "/native/sse"])
def test_httpx_sse_gets_every_event(url, path, assert_all_readings):
    with httpx.Client(timeout=60) as client, httpx_sse.connect_sse(client, "GET", url + path, params=KNOBS) as source:
        assert_all_readings([(each.event, each.id, each.data) for each in source.iter_sse()], CHUNKS)


def test_httpx_sse_goes_on_after_its_last_event(url):
    headers = {"Last-Event-ID": "4"}
    with (
        httpx.Client(timeout=60) as client,
        httpx_sse.connect_sse(client, "GET", f"{url}/stream/sse", params=KNOBS, headers=headers) as source,
    ):
        assert [each.id for each in source.iter_sse()] == ["5", "6", "7", "8"]


def test_httpx_sse_hears_of_an_error_and_of_a_cut(url):
    with httpx.Client(timeout=60) as client:
        asked = {**KNOBS, "fail_at": 2}
        with httpx_sse.connect_sse(client, "GET", f"{url}/stream/sse", params=asked) as source:
            assert [each.event for each in source.iter_sse()] == ["reading", "reading", "error"]
        asked["fail_how"] = "cut"
        with (
            httpx_sse.connect_sse(client, "GET", f"{url}/stream/sse", params=asked) as source,
            pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"),
        ):
            list(source.iter_sse())


def test_httpx_sse_takes_other_streams_for_no_events(url):
    with (
        httpx.Client(timeout=60) as client,
        httpx_sse.connect_sse(client, "GET", f"{url}/stream/ndjson", params=KNOBS) as source,
        pytest.raises(httpx_sse.SSEError, match="application/x-ndjson"),
    ):
        list(source.iter_sse())
