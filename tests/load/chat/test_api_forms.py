"""The forms of the APIs: requests that OpenAI's own types accept, and answers as real servers send them."""

import pydantic
import pytest
from openai.types import completion_create_params
from openai.types.chat import completion_create_params as chat_create_params
from openai.types.responses import response_create_params

from tests.model_servers.completions import COMPLETIONS
from tests.model_servers.others import OTHERS
from tests.model_servers.scripts import Frame

LINE = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "x"},
    {"role": "user", "content": [{"type": "text", "text": "By"}, {"type": "text", "text": "e"}]},
]
ASKED = ("--chat-model", "m", "--chat-max-tokens", 9, "--chat-temperature", 0.5)


@pytest.fixture
def bodies(talk, write):
    """The bodies of a conversation's two requests."""

    def of(api, *options):
        (turns,) = talk("--chat-prompts", write(LINE), "--chat-api", api, *ASKED, *options, answers=["Hello!"])
        return [turn["body"] for turn in turns]

    return of


USER = LINE[1]
ANSWER = {"role": "assistant", "content": "Hello!"}
LIMITS = {"max_tokens": 9, "temperature": 0.5}
SECOND = {
    "chat": {"model": "m", "messages": [*LINE[:2], ANSWER, LINE[3]], "stream": True, **LIMITS},
    "completions": {"model": "m", "prompt": "Be brief.\n\nHi\n\nHello!\n\nBye", "stream": True, **LIMITS},
    "responses": {
        "model": "m",
        "instructions": "Be brief.",
        "input": [USER, ANSWER, LINE[3]],
        "stream": True,
        "max_output_tokens": 9,
        "temperature": 0.5,
    },
    "anthropic": {"model": "m", "system": "Be brief.", "messages": [USER, ANSWER, LINE[3]], "stream": True, **LIMITS},
    "ollama": {
        "model": "m",
        "messages": [*LINE[:2], ANSWER, LINE[3]],
        "stream": True,
        "options": {"num_predict": 9, "temperature": 0.5},
    },
}


@pytest.mark.parametrize("api", SECOND)
def test_the_second_turn_repeats_the_first_and_its_answer(bodies, api):
    assert bodies(api)[1] == SECOND[api]


@pytest.mark.parametrize(
    ("api", "kind"),
    [
        ("chat", chat_create_params.CompletionCreateParamsStreaming),
        ("completions", completion_create_params.CompletionCreateParamsStreaming),
        ("responses", response_create_params.ResponseCreateParamsStreaming),
    ],
)
def test_openais_types_accept_a_request(talk, api, kind):
    options = ("--chat-turns", 2, "--chat-shared-prefix", 5, "--chat-prompt-tokens", 5, *ASKED)
    (turns,) = talk("--chat-api", api, *options)
    accepted = pydantic.TypeAdapter(kind)
    for turn in turns:
        assert accepted.validate_python(turn["body"]).keys() == turn["body"].keys()
        with pytest.raises(pydantic.ValidationError):
            accepted.validate_python({**turn["body"], "stream": "soon"})


def test_what_is_not_asked_for_is_not_sent(talk):
    sent = {api: talk("--chat-api", api)[0][0]["body"] for api in SECOND}
    assert [len(body) for body in sent.values()] == [3, 3, 3, 4, 3]
    assert sent["anthropic"]["max_tokens"] == 1024  # required there
    assert {body["model"] for body in sent.values()} == {"test-model"}


def test_further_fields_are_sent_and_those_of_an_object_are_added_to_it(bodies):
    assert bodies("chat", "--chat-extra", '{"seed": 1, "max_tokens": null}')[0]["seed"] == 1
    assert bodies("chat", "--chat-extra", '{"max_tokens": null}')[0]["max_tokens"] is None
    options = bodies("ollama", "--chat-extra", '{"options": {"top_k": 3, "temperature": 1}}')[0]["options"]
    assert options == {"num_predict": 9, "temperature": 1, "top_k": 3}
    assert bodies("ollama", "--chat-extra", '{"options": 5, "model": {"a": 1}}')[0]["options"] == 5


def test_an_object_that_the_request_lacks_is_sent_as_it_is(talk):
    ((turn,),) = talk("--chat-api", "ollama", "--chat-extra", '{"options": {"top_k": 3}}')
    assert turn["body"]["options"] == {"top_k": 3}


@pytest.mark.parametrize("temperature", [0, 100])
def test_a_temperature_may_be_at_its_limits(talk, temperature):
    ((turn,),) = talk("--chat-temperature", temperature)
    assert turn["body"]["temperature"] == temperature


TEXTS = [
    ("chat", "vLLM", "Héllo"),
    ("chat", "vLLM, reasoning", "a"),
    ("chat", "vLLM, a tool call", ""),
    ("chat", "Azure", "ab"),
    ("chat", "LiteLLM", "abü"),
    ("completions", "vLLM, a text completion", "ab"),
    ("responses", "Responses", "aü"),
    ("responses", "Responses, reasoning in sight", "a"),
    ("anthropic", "Anthropic", "Héllo"),
    ("anthropic", "Anthropic, thinking", "a"),
    ("ollama", "Ollama", "aü"),
]


@pytest.mark.parametrize(("api", "name", "text"), TEXTS)
def test_the_text_of_an_answer_is_what_it_shows_without_reasoning(case, api, name, text):
    steps = (COMPLETIONS | OTHERS)[name].steps
    stream = b"".join(step.data for step in steps if isinstance(step, Frame)).decode()
    assert case(stream_of=api, stream=stream)["value"] == text


@pytest.mark.parametrize(
    ("api", "whole", "below"),
    [
        ("chat", "/v1/chat/completions", "/chat/completions"),
        ("completions", "/v1/completions", "/completions"),
        ("responses", "/v1/responses", "/responses"),
        ("anthropic", "/v1/messages", "/messages"),
        ("ollama", "/api/chat", "/api/chat"),
    ],
)
def test_a_host_may_end_with_the_version_of_the_api(case, api, whole, below):
    hosts = {"http://h": whole, "http://h/v1": below, "http://h/v1/": below, "http://h/v1beta": whole}
    assert {host: case(host=host)["value"][api] for host in hosts} == hosts


def test_several_system_messages_become_one_instruction(talk, write):
    line = [{"role": "system", "content": "A"}, {"role": "developer", "content": "B"}, {"role": "user", "content": "C"}]
    for api, member in (("responses", "instructions"), ("anthropic", "system")):
        ((turn,),) = talk("--chat-prompts", write(line), "--chat-api", api)
        assert turn["body"][member] == "A\n\nB"


def test_a_message_without_a_text_adds_none(talk, write):
    line = [{"role": "user", "content": None}, {"role": "user", "content": [5, {"text": 5}, {"text": "A"}]}]
    ((turn,),) = talk("--chat-prompts", write(line), "--chat-api", "completions")
    assert turn["body"]["prompt"] == "\n\nA"


def test_the_key_of_the_environment_goes_into_the_field_of_the_api(case):
    key = {"OPENAI_API_KEY": " sk-1 ", "ANTHROPIC_API_KEY": "sk-2"}
    bearer = {"Authorization": "Bearer sk-1"}
    assert case(key=key)["value"] == {
        "chat": bearer,
        "completions": bearer,
        "responses": bearer,
        "anthropic": {"x-api-key": "sk-2"},
        "ollama": {},
    }
    assert set(map(str, case(key={})["value"].values())) == {"{}"}


@pytest.mark.parametrize("key", ["sk-1\r\nX: y", "schlüssel"])
def test_a_key_that_no_field_can_hold_is_refused_and_not_shown(case, key):
    said = case(key={"OPENAI_API_KEY": key})["said"]
    assert said == "OPENAI_API_KEY: expected printable ASCII characters on one line, got others"
