"""What a user of the chat scenario sends, where, and when it pauses."""

import pytest

FRAMES = {
    "chat": [{"choices": [{"delta": {"content": text}}]} for text in ("He", "llo")] + [{"choices": []}, 5],
    "anthropic": [{"delta": {"text": "Hello"}}, {"type": "ping"}],
}
PAUSE = ("--chat-turns", "3", "--chat-think-time", "1s..3s")


@pytest.fixture
def user(case):
    """What a user sends in some conversations."""

    def sent(*options, api="chat", host="http://h", conversations=1, outcome="completed", **more):
        found = case(
            options=["--chat-api", api, *options], host=host, frames=FRAMES[api], outcome=outcome,
            conversations=conversations, **more,
        )  # fmt: skip
        return found["value"]

    return sent


@pytest.mark.parametrize(
    ("api", "path", "protocol", "fields"),
    [
        ("chat", "/v1/chat/completions", "openai", []),
        ("anthropic", "/v1/messages", "anthropic", [["anthropic-version", "2023-06-01"]]),
    ],
)
def test_each_turn_is_a_request_of_the_api(user, api, path, protocol, fields):
    first, second = user("--chat-turns", "2", api=api)
    for sent, name in ((first, "chat"), (second, "chat turn 2")):
        assert (sent["path"], sent["method"], sent["protocol"], sent["name"]) == (path, "POST", protocol, name)
        assert sent["headers"] == fields
    assert second["json"]["messages"][:2] == [*first["json"]["messages"], {"role": "assistant", "content": "Hello"}]


def test_a_scenario_may_add_headers_and_other_arguments_and_change_the_name(user):
    (sent,) = user(api="anthropic", more={"headers": {"A": "1"}, "name": "mine", "idle_timeout_s": 5})
    assert sent["headers"] == [["anthropic-version", "2023-06-01"], ["A", "1"]]
    assert (sent["name"], sent["idle_timeout_s"]) == ("mine", 5)


def test_a_scenario_sees_the_frames_of_every_turn_and_a_limit_is_sent(user):
    first, second, *seen = user("--chat-turns", "2", "--chat-max-tokens", "9", watches=True)
    assert seen == FRAMES["chat"] * 2
    assert second["json"]["messages"][1]["content"] == "Hello"
    assert first["json"]["max_tokens"] == second["json"]["max_tokens"] == 9


@pytest.mark.parametrize(
    ("options", "host", "path"),
    [
        ((), "http://h/v1", "/chat/completions"),
        (("--stream-path", "/else"), "http://h", "/else"),
        (("--stream-path", "/else"), "http://h/v1", "/else"),
    ],
)
def test_the_path_is_that_of_the_api_below_the_host_or_of_the_option(user, options, host, path):
    assert user(*options, host=host)[0]["path"] == path


@pytest.mark.parametrize(("outcome", "turns"), [("completed", 3), ("aborted", 3), ("truncated", 1), ("censored", 1)])
def test_a_stream_that_did_not_end_well_ends_its_conversation(user, outcome, turns):
    assert len(user("--chat-turns", "3", outcome=outcome)) == turns


def test_a_user_walks_through_the_prompts_and_users_of_other_workers_begin_elsewhere(user, write):
    path = write(*({"prompt": f"p{number}"} for number in range(16)))

    def questions(**more):
        return [sent["json"]["messages"][0]["content"] for sent in user("--chat-prompts", str(path), **more)]

    assert questions(conversations=18) == [f"p{number % 16}" for number in range(18)]
    starts = [int(questions(worker=worker)[0][1:]) for worker in (-1, 0, 1, 2)]
    assert starts[0] == starts[1] == 0
    assert len(set(starts)) == 3


def test_a_user_pauses_before_every_turn_but_the_first(case):
    pauses = case(options=list(PAUSE), host="http://h", frames=[], outcome="completed", stopped="")["value"]
    assert [state for _, state in pauses] == ["running", "waiting", "running", "waiting", "running"]
    lasted_s = [seconds for seconds, state in pauses if state == "waiting"]
    assert all(1 <= each <= 3 for each in lasted_s)
    assert lasted_s[0] != lasted_s[1]


@pytest.mark.parametrize(
    ("stopped", "options", "states"),
    [
        ("in a pause", PAUSE, ["running", "waiting"]),
        ("in a stream", PAUSE, ["running"]),
        ("in a stream", ("--chat-turns", "3"), ["running"]),
        ("", ("--chat-turns", "3"), ["running"] * 3),
    ],
)
def test_a_run_that_ends_stops_a_user_before_its_next_turn(case, stopped, options, states):
    pauses = case(options=list(options), host="http://h", frames=[], outcome="completed", stopped=stopped)["value"]
    assert [state for _, state in pauses] == states
