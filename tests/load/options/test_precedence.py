"""What the user sets wins over what the scenario says of its own stream."""

#: An end that ``/chunks`` does not have, and a body that is JSON.
SCENARIO = {"method": "POST", "json": {"whose": "the scenario's"}, "end": "event:done", "protocol": "sse"}


def test_method_body_end_and_headers_of_the_user_win(ask, service, outcomes):
    mine = ("--stream-method", "PUT", "--stream-body", "mine", "--stream-end", "chunks:3")
    fields = ("--stream-header", "X-One: mine", "--stream-accept", "text/mine")
    scenario = SCENARIO | {"headers": {"X-One": "the scenario's", "X-Two": "the scenario's"}}
    done = ask(service.url, *mine, *fields, paths=("/chunks",), arguments=scenario)
    ((method, _, headers, body, _),) = service.requests
    assert (method, body) == ("PUT", b"mine"), done.output
    assert "json" not in headers.get("Content-Type", "")
    assert (headers["X-One"], headers["X-Two"], headers["Accept"]) == ("mine", "the scenario's", "text/mine")
    assert outcomes(done) == {"/chunks": {"completed": 1}}


def test_error_chunk_and_status_of_the_user_win(ask, service, outcomes):
    mine = ("--stream-error", "off", "--stream-chunk", "any", "--stream-status", "429", "--stream-status", "429,200")
    scenario = {"error": "json:error", "chunk": "event:none", "status": 201, "protocol": "sse"}
    done = ask(service.url, *mine, paths=("/report", "/busy"), arguments=scenario)
    assert outcomes(done) == {"/report": {"completed": 1}, "/busy": {"completed": 1}}, done.output
    assert sum(each["chunks"] for each in done.result["streams"]) == 1


def test_another_path_leaves_out_what_the_scenario_says_of_its_own(ask, service, outcomes):
    scenario = {"error": "json:n", "chunk": "event:none", "status": 201, "end": "event:none", "protocol": "sse"}
    done = ask(service.url, "--stream-path", "/member", arguments=scenario)
    assert outcomes(done) == {"/member": {"completed": 1}}, done.output
    assert done.result["streams"][0]["chunks"] == 2


def test_without_options_the_scenario_has_its_way(ask, service, outcomes):
    done = ask(service.url, paths=("/chunks",), arguments=SCENARIO)
    ((method, _, headers, body, _),) = service.requests
    assert (method, body) == ("POST", b'{"whose":"the scenario\'s"}'), done.output
    assert headers["Content-Type"] == "application/json"
    assert outcomes(done) == {"/chunks": {"incomplete": 1}}
