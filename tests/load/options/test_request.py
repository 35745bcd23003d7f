"""What the options make of a request, as the server gets it, and what must have come back."""

import json

import pytest

ENDS = {"event:done": "/event", "data:fin": "/data", "chunks:3": "/chunks", "json:done": "/member"}


def test_the_request_is_as_the_options_say(ask, service):
    options = ("--stream-path", "/events?x=1", "--stream-method", "put", "--stream-body", "hällo")
    fields = ("--stream-accept", "text/x-own;q=0.5", "--stream-header", "X-One: 1", "--stream-header", "X-Two: a, b")
    done = ask(service.url, *options, *fields, "--stream-stamps", paths=("/event",))
    ((method, path, headers, body, _),) = service.requests
    assert (method, path, body) == ("PUT", "/events?x=1", "hällo".encode()), done.output
    sent = {name: headers.get(name) for name in ("Accept", "X-One", "X-Two", "Streamgauge-Stamps")}
    assert sent == {"Accept": "text/x-own;q=0.5", "X-One": "1", "X-Two": "a, b", "Streamgauge-Stamps": "1"}


def test_the_environment_says_the_same_as_options(ask, service, proxy, tmp_path):
    """A proxy that the environment names for other programs is not used."""
    (tmp_path / "body").write_bytes(b"\x00\xff two\r\n")
    ours = {"PATH": "/lines", "BODY": f"@{tmp_path / 'body'}", "ACCEPT": "application/json", "HEADER": "X-One: 1"}
    variables = {f"LOCUST_STREAM_{name}": value for name, value in ours.items()}
    variables |= {"http_proxy": proxy.url, "HTTP_PROXY": proxy.url}
    done = ask(service.url, arguments={"protocol": "ndjson"}, variables=variables)
    ((method, path, headers, body, _),) = service.requests
    assert (method, path, body) == ("POST", "/lines", b"\x00\xff two\r\n"), done.output
    assert (headers["Accept"], headers["X-One"]) == ("application/json", "1")
    assert "Streamgauge-Stamps" not in headers
    (streams,) = done.result["streams"]
    assert (streams["protocol"], streams["chunks"], streams["outcomes"]) == ("ndjson", 3, {"completed": 1})
    assert proxy.requests == []


@pytest.mark.parametrize(
    ("body", "header", "kind"),
    [('{"a":1}', "X-One: 1", "application/json"), ('{"a":1', "X-One: 1", None), ("[1]", "Content-Type: a/b", "a/b")],
    ids=["JSON", "no JSON", "a header of its own"],
)
def test_a_body_of_json_says_that_it_is_json(ask, service, body, header, kind):
    done = ask(service.url, "--stream-body", body, "--stream-header", header, paths=("/event",))
    ((_, _, headers, sent, _),) = service.requests
    assert (headers.get("Content-Type"), sent) == (kind, body.encode()), done.output


@pytest.mark.parametrize("end", ENDS)
def test_streams_without_the_named_end_are_incomplete(ask, service, outcomes, end):
    done = ask(service.url, "--stream-end", end, paths=(*ENDS.values(),))
    whole = {path: {"completed" if path == ENDS[end] else "incomplete": 1} for path in ENDS.values()}
    assert outcomes(done) == whole, done.output


def test_one_of_several_ends_is_enough(ask, service, outcomes):
    options = [word for end in ENDS for word in ("--stream-end", end)]
    done = ask(service.url, *options, paths=(*ENDS.values(), "/events"))
    ends = {path: {"completed": 1} for path in ENDS.values()}
    assert outcomes(done) == {**ends, "/events": {"incomplete": 1}}, done.output
    assert any(
        reason.endswith("it ended with 'data: 2'") for each in done.result["streams"] for reason in each["reasons"]
    )


ERRORS = {None: {"/report"}, "json:error": {"/report", "/loss"}, "off": set()}


@pytest.mark.parametrize("error", ERRORS)
def test_streams_that_report_an_error_fail(ask, service, outcomes, error):
    done = ask(service.url, *(("--stream-error", error) if error else ()), paths=("/report", "/loss"))
    found = {path: {"in_band_error" if path in ERRORS[error] else "completed": 1} for path in ("/report", "/loss")}
    assert outcomes(done) == found, done.output
    assert done.status == (1 if ERRORS[error] else 0)


@pytest.mark.parametrize(("chunk", "chunks"), {None: 3, "not event:ping": 1, "event:ping": 2}.items())
def test_what_is_no_chunk_is_a_heartbeat(ask, service, chunk, chunks):
    done = ask(service.url, *(("--stream-chunk", chunk) if chunk else ()), paths=("/pings",))
    (streams,) = done.result["streams"]
    assert (streams["chunks"], streams["heartbeats"]) == (chunks, 3 - chunks), done.output


@pytest.mark.parametrize(("status", "outcome"), {None: "http_error", "2xx,429": "completed"}.items())
def test_a_refusal_with_an_acceptable_status_is_a_success_of_its_own_kind(ask, service, status, outcome):
    done = ask(service.url, *(("--stream-status", status) if status else ()), paths=("/busy",))
    (streams,) = done.result["streams"]
    assert (streams["outcomes"], streams["accepted_refusals"]) == ({outcome: 1}, int(status is not None)), done.output
    assert ("1 refused with a status that the scenario accepts" in done.output) is (status is not None)
    assert done.status == (1 if status is None else 0)


def test_a_stream_that_breaks_off_is_connected_to_as_often_as_the_option_says(ask, service, outcomes):
    done = ask(service.url, "--stream-reconnect", 3, paths=("/breaks",))
    assert outcomes(done) == {"/breaks": {"truncated": 1}}, done.output
    assert [headers.get("Last-Event-ID") for _, _, headers, _, _ in service.requests] == [None, "1", "1", "1"]


def test_ten_redirects_are_followed_and_no_more(ask, service):
    done = ask(service.url, paths=("/hop?10", "/hop?11"), arguments={"protocol": "sse"})
    (streams,) = done.result["streams"]
    assert streams["outcomes"] == {"completed": 1, "http_error": 1}, done.output
    assert "302" in next(iter(streams["reasons"]))
    assert [path for _, path, *_ in service.requests].count("/events") == 1


def test_the_named_protocol_replaces_that_of_the_scenario_with_its_end(ask, service):
    own = {"protocol": "sse", "end": "event:done", "sequence": "id", "reconnect": 1}
    done = ask(service.url, "--stream-protocol", "raw", paths=("/chunks",), arguments=own)
    (streams,) = done.result["streams"]
    assert (streams["protocol"], streams["outcomes"]) == ("raw", {"completed": 1}), done.output
    ((_, _, headers, _, _),) = service.requests
    assert headers["Accept"] == "*/*"


def test_the_usage_is_asked_for_in_the_body_of_completions(ask, service):
    own = {"protocol": "openai", "method": "POST", "json": {"stream": True, "stream_options": {"x": 1}}}
    done = ask(service.url, "--stream-include-usage", paths=("/chunks",), arguments=own)
    ((_, _, headers, body, _),) = service.requests
    assert json.loads(body) == {"stream": True, "stream_options": {"x": 1, "include_usage": True}}, done.output
    assert headers["Content-Length"] == str(len(body))
    assert "warnings" not in done.result["run"]


def test_the_usage_is_not_asked_for_where_no_completion_is_streamed(ask, service):
    done = ask(service.url, "--stream-include-usage", "--stream-body", '{"stream":false}', paths=("/chunks",))
    ((_, _, _, body, _),) = service.requests
    assert body == b'{"stream":false}'
    (warning,) = done.result["run"]["warnings"]
    assert warning.startswith("--stream-include-usage: not used by Asker, whose requests ask for no completions")
