"""Keys: who may come in, and what the others are told."""

import pytest

from target_app.guard.credentials import Keys, address

KEY = "right-key-0123456789"
OTHER = "other-key-0123456789"


@pytest.fixture(scope="module")
def locked(start_module):
    return start_module(TARGET_APP_API_KEYS=f"{OTHER},{KEY}")


@pytest.mark.parametrize(
    "fields",
    [{"X_API_Key": KEY}, {"Authorization": f"Bearer {KEY}"}, {"Authorization": f"bearer  {KEY}"}, {"X_API_Key": OTHER}],
    ids=["x-api-key", "bearer", "scheme-in-any-case", "each-key"],
)
def test_a_key_lets_in(locked, ask, fields):
    assert ask(locked, "/stream/sse?chunks=1", **fields).status == 200


@pytest.mark.parametrize(
    ("fields", "challenge"),
    [
        ({}, 'Bearer realm="streams"'),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, 'Bearer realm="streams"'),
        ({"X_API_Key": KEY[:-1]}, 'Bearer realm="streams", error="invalid_token"'),
        ({"Authorization": f"Bearer {KEY}x"}, 'Bearer realm="streams", error="invalid_token"'),
        ({"Authorization": "Bearer "}, 'Bearer realm="streams", error="invalid_token"'),
    ],
    ids=["none", "another-scheme", "wrong-key", "wrong-token", "empty-token"],
)
def test_without_a_right_key_the_answer_is_401(locked, ask, fields, challenge):
    reply = ask(locked, "/stream/sse?chunks=1", **fields)
    assert (reply.status, reply.headers["www-authenticate"]) == (401, challenge)
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["status"] == 401
    assert KEY not in reply.body.decode()


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/docs", "/openapi.json"])
def test_pages_and_probes_ask_for_no_key(locked, ask, path):
    assert ask(locked, path).status == 200


@pytest.mark.parametrize("path", ["//healthz", "/healthz/", "/healthz/../stream/sse", "/stream/sse/", "/nothing"])
def test_no_other_spelling_of_a_path_goes_round_the_keys(locked, ask, path):
    assert ask(locked, path).status == 401


def test_a_refusal_is_counted_under_its_route(locked, ask):
    labels = {"route": "/stream/ndjson", "reason": "unauthorized"}
    before = locked.metric("stream_server_rejected_total", **labels)
    ask(locked, "/stream/ndjson")
    assert locked.metric("stream_server_rejected_total", **labels) == before + 1


def test_the_documentation_says_where_a_key_is_asked_for(locked, app, ask):
    document = ask(locked, "/openapi.json").json()
    assert set(document["components"]["securitySchemes"]) == {"key", "bearer"}
    assert document["paths"]["/stream/sse"]["get"]["security"] == [{"key": []}, {"bearer": []}]
    assert "security" not in document["paths"]["/healthz"]["get"]
    assert "securitySchemes" not in ask(app, "/openapi.json").json()["components"]


def test_a_key_is_never_shown(run):
    shown = run("--api-key", "short-secret").stderr
    assert "--api-key" in shown
    assert "short-secret" not in shown


def test_every_key_is_compared_whatever_matched_before():
    keys = Keys(["a" * 16, "b" * 16])
    first, second = (keys.holder([(b"x-api-key", each * 16)]) for each in (b"a", b"b"))
    assert first != second
    assert keys.holder([(b"x-api-key", b"c" * 16)]) is None


@pytest.mark.parametrize(
    ("client", "name"),
    [
        (("192.0.2.7", 1), "192.0.2.7"),
        (("::ffff:192.0.2.7", 1), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 1), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 1), "fe80::/64"),
        (("a socket", 1), "a socket"),
        (None, "unknown"),
    ],
)
def test_a_client_without_a_key_is_its_address(client, name):
    assert address({"type": "http", "client": client}) == name
