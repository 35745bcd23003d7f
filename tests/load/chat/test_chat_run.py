"""A real run of the chat scenario on a service of Node's http server, in every API."""

import json
import urllib.request
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.testbed.server import Server

pytestmark = [pytest.mark.node, pytest.mark.timeout(600)]

KEY, OTHER_KEY = "sk-of-openai", "sk-of-anthropic"
#: Besides the scenario itself, one class for each other API.
LOCUSTFILE = """
from loadtests.chat import Chatter

class Other(Chatter):
    abstract = True
    api = ""

    def __init__(self, environment):
        environment.parsed_options.chat_api = self.api
        super().__init__(environment)

class Chat(Other):
    api = "chat"

    def ask(self, conversation):
        seen = []
        record = super().ask(conversation, headers={"X-Own": "yes"}, on_chunk=seen.append)
        assert len(seen) == record.chunks == 4
        return record

class Completions(Other):
    api = "completions"

class Responses(Other):
    api = "responses"

class Anthropic(Other):
    api = "anthropic"

class Ollama(Other):
    api = "ollama"
"""
THINK_S = 0.2
OPTIONS = (
    *("--chat-model", "river", "--chat-turns", "3", "--chat-think-time", f"{THINK_S}s..0.3s"),
    *("--chat-prompt-tokens", "24..36", "--chat-shared-prefix", "12", "--chat-max-tokens", "16..18"),
    *("--chat-temperature", "0.5", "--chat-extra", '{"user": "u", "max_tokens_more": 1}', "--stream-include-usage"),
)
PATHS = {
    "/v1/chat/completions": "openai",
    "/v1/completions": "openai",
    "/v1/responses": "openai-responses",
    "/v1/messages": "anthropic",
    "/api/chat": "ollama",
}
CLASSES = ("Chat", "Completions", "Responses", "Anthropic", "Ollama")


@pytest.fixture(scope="module")
def played(run_locust, program, two_processes, tmp_path_factory):
    """A run of two users of each class in two processes; and what the service was asked, in order."""
    directory = tmp_path_factory.mktemp("chat")
    locustfile = directory / "scenario.py"
    locustfile.write_text(LOCUSTFILE)
    load = ("--headless", "-u", 10, "-r", 100, "-t", "4s", "--metrics-port", "off", *two_processes())
    keys = {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": OTHER_KEY}
    with Server(program("node"), str(Path(__file__).with_name("model_server.mjs"))) as server:
        options = (*load, "-H", server.url, *OPTIONS, *CLASSES)
        run = run_locust(locustfile, *options, result_dir=directory / "results", variables=keys)
        with urllib.request.urlopen(f"{server.url}/asked", timeout=60) as reply:
            return run, json.load(reply), directory


@pytest.fixture
def run(played):
    return played[0]


def said(entry):
    """The texts of a request in order, without the system's."""
    body = entry["body"]
    if "prompt" in body:
        return body["prompt"].split("\n\n")[1:]
    return [each["content"] for each in body.get("messages", body.get("input")) if each["role"] != "system"]


@pytest.fixture
def conversations(played):
    """The requests of each conversation: those of one path that begin with the same question."""
    found = {}
    for entry in played[1]:
        found.setdefault((entry["path"], said(entry)[0]), []).append(entry)
    return list(found.values())


def test_every_stream_is_completed_and_counted_under_its_turn(played):
    run, asked, _ = played
    assert run.status == (3 if run.result["verdict"]["trust"] == "invalid" else 0), run.output
    assert run.outcomes == {"completed": len(asked)}
    turns = {"chat": 1, "chat turn 2": 3, "chat turn 3": 5}
    counts = Counter((PATHS[entry["path"]], len(said(entry))) for entry in asked)
    found = {(each["protocol"], turns[each["name"]]): each["outcomes"]["completed"] for each in run.result["streams"]}
    assert found == counts
    assert {turn for _, turn in found} == {1, 3, 5}


def test_a_next_turn_repeats_what_was_said_and_answered(conversations):
    assert {entry["path"] for each in conversations for entry in each} == set(PATHS)
    for requests in conversations:
        for before, after in pairwise(requests):
            assert said(after)[:-1] == [*said(before), before["answer"]]


def test_a_conversation_has_its_turns_unless_the_run_ends_before(conversations):
    lengths = Counter(map(len, conversations))
    assert max(lengths) == 3
    assert lengths[3] > 5
    assert 0 < lengths[1] + lengths[2] <= 10  # at most the last conversation of each user


def test_users_think_between_their_turns(conversations):
    pauses_s = [(b["at_ms"] - a["ended_ms"]) / 1000 for each in conversations for a, b in pairwise(each)]
    assert min(pauses_s) >= THINK_S - 0.001


def test_no_two_conversations_begin_with_the_same_question(played, conversations):
    users = 10
    first = [requests[0] for requests in conversations][:users]
    assert len({said(entry)[0] for entry in first}) == users


def test_all_conversations_share_their_prefix_and_no_more(played):
    systems = set()
    for entry in played[1]:
        body = entry["body"]
        first = (body.get("messages") or [{}])[0]
        system = first["content"] if first.get("role") == "system" else body.get("system") or body.get("instructions")
        systems.add(system or body["prompt"].split("\n\n")[0])
    (system,) = systems
    assert len(system.split()) + system.count(".") == 12


def test_the_options_are_in_every_request(played):
    for entry in played[1]:
        body = entry["body"]
        more = body.get("options", body)
        limits = {more[name] for name in ("max_tokens", "max_output_tokens", "num_predict") if name in more}
        assert limits < {16, 17, 18}
        assert (body["model"], body["user"], body["stream"], more["temperature"]) == ("river", "u", True, 0.5)
        counted = PATHS[entry["path"]] == "openai"
        assert body.get("stream_options") == ({"include_usage": True} if counted else None)


def test_a_scenario_of_ones_own_adds_headers_and_looks_at_chunks(played):
    own = {entry["path"] for entry in played[1] if entry["headers"].get("x-own") == "yes"}
    assert own == {"/v1/chat/completions"}


def test_the_server_counts_the_tokens(run):
    for each in run.result["streams"]:
        assert each["tokens"] == 4 * each["outcomes"]["completed"]
        assert each["prompt_tokens"] > 20 * each["outcomes"]["completed"]


def test_the_key_is_sent_where_it_belongs_and_shown_nowhere(played):
    run, asked, directory = played
    for entry in asked:
        fields = entry["headers"]
        expected = {
            "/v1/messages": (None, OTHER_KEY, "2023-06-01"),
            "/api/chat": (None, None, None),
        }.get(entry["path"], (f"Bearer {KEY}", None, None))
        assert tuple(map(fields.get, ("authorization", "x-api-key", "anthropic-version"))) == expected
    written = [run.output.encode(), *(file.read_bytes() for file in directory.rglob("*") if file.is_file())]
    assert len(written) > 4
    assert not any(key.encode() in each for each in written for key in (KEY, OTHER_KEY))


def test_the_command_of_the_result_repeats_the_run(run):
    command = run.result["run"]["command"]
    for part in ("--chat-turns 3", "--chat-think-time 0.2s..0.3s", "--chat-shared-prefix 12", "--chat-model river"):
        assert part in command
    assert """--chat-extra '{"user": "u", "max_tokens_more": 1}'""" in command
