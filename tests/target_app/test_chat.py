"""The OpenAI-compatible endpoint: its frames, its answer in one piece, its errors, and its own client."""

import json

import openai
import pytest

PATH = "/v1/chat/completions"
ASKED = {"model": "river", "messages": [{"role": "user", "content": "How high is it?"}]}


@pytest.fixture(scope="session")
def app(httptools_app):
    return httptools_app


def ask(app, query="interval_ms=1", **fields):
    body = json.dumps({**ASKED, **fields}).encode()
    return app.get(f"{PATH}?{query}", method="POST", headers={"Content-Type": "application/json"}, body=body)


def frames_of(answer):
    events = answer.body.decode().split("\n\n")
    assert events.pop() == ""
    assert all(event.startswith("data: ") for event in events)
    return [event.removeprefix("data: ") for event in events]


def test_a_stream_is_a_role_then_deltas_then_the_reason_and_done(app):
    answer = ask(app, "chunks=5&interval_ms=1", stream=True)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    *frames, done = frames_of(answer)
    role, *deltas, last = [json.loads(frame) for frame in frames]
    assert done == "[DONE]"
    assert role["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert [frame["choices"][0]["finish_reason"] for frame in (role, *deltas, last)] == [None] * 6 + ["stop"]
    assert "".join(frame["choices"][0]["delta"]["content"] for frame in deltas) == "The river rises in a peat bog "
    assert len({(frame["id"], frame["created"], frame["model"]) for frame in (role, *deltas, last)}) == 1
    assert {frame["object"] for frame in (role, *deltas, last)} == {"chat.completion.chunk"}


def test_the_usage_comes_last_if_requested(app):
    answer = ask(app, "chunks=5&interval_ms=1", stream=True, stream_options={"include_usage": True})
    *frames, usage, _ = frames_of(answer)
    assert all(json.loads(frame)["usage"] is None for frame in frames)
    usage = json.loads(usage)
    assert usage["choices"] == []
    assert usage["usage"] == {"prompt_tokens": 4, "completion_tokens": 5, "total_tokens": 9}


def test_without_a_stream_the_answer_is_one_piece(app):
    answer = ask(app, "chunks=5&interval_ms=1")
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert found["object"] == "chat.completion"
    assert found["choices"][0]["message"] == {"role": "assistant", "content": "The river rises in a peat bog "}
    assert found["choices"][0]["finish_reason"] == "stop"
    assert found["usage"]["total_tokens"] == 9


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_the_most_tokens_bound_the_answer(app, name):
    found = ask(app, **{name: 3}).json()
    assert found["usage"]["completion_tokens"] == 3
    assert found["choices"][0]["finish_reason"] == "length"


def test_chunk_bytes_is_the_text_of_a_token(app):
    *frames, _, _ = frames_of(ask(app, "chunks=3&interval_ms=1&chunk_bytes=20", stream=True))
    assert [len(json.loads(frame)["choices"][0]["delta"]["content"]) for frame in frames] == [0, 20, 20, 20]


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"model": None}, "model", "invalid_value"),
        ({"messages": []}, "messages", "invalid_value"),
        ({"messages": [{"content": "x"}]}, "messages.0.role", "missing_required_parameter"),
        ({"n": 2}, "n", "invalid_value"),
        ({"max_tokens": 0}, "max_tokens", "invalid_value"),
        ({"max_tokens": "5"}, "max_tokens", "invalid_value"),
        ({"seed": True}, "seed", "invalid_value"),
        ({"stream": "perhaps"}, "stream", "invalid_value"),
    ],
)
def test_a_body_that_is_wrong_is_told_in_the_interfaces_own_shape(app, fields, param, code):
    answer = ask(app, **fields)
    error = answer.json()["error"]
    assert (answer.status, error["type"], error["param"], error["code"]) == (400, "invalid_request_error", param, code)
    assert param in error["message"]


def test_a_body_that_is_no_json_is_told_so(app):
    answer = app.get(PATH, method="POST", headers={"Content-Type": "application/json"}, body=b"{")
    assert answer.status == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("query", ["chunk=5", "interval_ms=-1", "jitter=2", "chunks=0"])
def test_a_knob_that_is_wrong_is_422_in_the_same_shape(app, query):
    answer = ask(app, query)
    assert (answer.status, answer.json()["error"]["param"]) == (422, query.partition("=")[0])


def test_an_answer_in_one_piece_has_a_mebibyte_at_most(app):
    too_large = "chunks=257&chunk_bytes=4096&interval_ms=0"
    refused = ask(app, too_large)
    assert (refused.status, refused.json()["error"]["param"]) == (422, "chunks")
    assert ask(app, too_large, max_tokens=256).status == 200
    assert ask(app, too_large, stream=True).status == 200


def test_an_answer_that_fails_before_its_first_byte_has_a_status(app):
    answer = ask(app, "chunks=5&interval_ms=1&fail_at=2")
    assert (answer.status, answer.json()["error"]["type"]) == (500, "server_error")


def test_other_fields_of_the_interface_are_taken(app):
    assert ask(app, temperature=0.3, top_p=1, tools=[], user="me", max_tokens=1).status == 200


@pytest.fixture
def client(app):
    with openai.OpenAI(base_url=f"{app.announcement['url']}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_the_interfaces_own_client_reads_the_stream(client):
    stream = client.chat.completions.create(
        **ASKED, stream=True, stream_options={"include_usage": True}, extra_query={"chunks": 20, "interval_ms": 1}
    )
    chunks = list(stream)
    assert len("".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)) == 120
    assert chunks[-1].usage.completion_tokens == 20


def test_the_interfaces_own_client_reads_the_answer_and_the_errors(client):
    answer = client.chat.completions.create(**ASKED, max_tokens=2)
    assert answer.choices[0].message.content == "The river ri"
    with pytest.raises(openai.BadRequestError, match="messages"):
        client.chat.completions.create(model="river", messages=[])
    failing = client.chat.completions.create(**ASKED, stream=True, extra_query={"fail_at": 2, "interval_ms": 1})
    with pytest.raises(openai.APIError, match="the stream failed"):
        list(failing)


@pytest.mark.parametrize(
    "fields", [{"stream": None}, {"stream": None, "stream_options": None, "n": None, "seed": None}]
)
def test_null_is_as_if_it_were_not_given(app, fields):
    assert ask(app, **fields).json()["object"] == "chat.completion"


def test_null_as_an_option_of_the_stream_is_off(app):
    *frames, done = frames_of(ask(app, "chunks=2&interval_ms=1", stream=True, stream_options={"include_usage": None}))
    assert done == "[DONE]"
    assert not any("usage" in json.loads(frame) for frame in frames)
