"""The options of the chat scenario: what each refuses, and which contradict each other."""

import json
import re

import pytest

NUMBER = "expected a number such as 200, or a range such as 100..400, from 1 to 10000000, got "
TURNS = "expected a number such as 3, or a range such as 2..5, or last, from 1 to 10000, got "
TIME = "expected a duration such as 0.5s, or a range such as 1s..3s, got "
PREFIX = "expected a number of tokens such as 200, or a share such as 50%, got "
HEAT, SEED = "expected a number such as 0.7, from 0 to 100, got ", "expected a whole number such as 1, got "
EXTRA = 'expected a JSON object such as {"seed": 1}, got '
WRONG = {
    "--chat-api": [("gpt", "expected one of chat, completions, responses, anthropic, ollama, got ")],
    "--chat-model": [(" ", "expected a name, got ")],
    "--chat-prompts": [("missing", "cannot read ")],
    "--chat-prompt-tokens": [
        (each, NUMBER) for each in ("0", "-1", "1.5", "9..3", "1..", "..3", "1..2..3", "10000001")
    ],
    "--chat-shared-prefix": [(each, PREFIX) for each in ("0", "0%", "100%", "%", "50%%", "5% x", "half")],
    "--chat-turns": [(each, TURNS) for each in ("0", "first", "3..2", "10001")],
    "--chat-answers": [("mine", "expected received or recorded, got ")],
    "--chat-think-time": [(each, TIME) for each in ("soon", "3s..1s", "-1", "1s..", "2e9")],
    "--chat-max-tokens": [("many", NUMBER)],
    "--chat-temperature": [(each, HEAT) for each in ("hot", "-1", "nan", "inf", "101")],
    "--chat-extra": [
        *((each, EXTRA) for each in ("{", "[]", "1", '{"a": NaN}')),
        ('{"stream": false}', "expected fields that the scenario does not set itself, got 'stream' in "),
    ],
    "--chat-seed": [
        ("-1", "expected a whole number such as 1, got "),
        ("x", "expected a whole number such as 1, got "),
    ],
}


@pytest.mark.parametrize(
    ("option", "value", "words"), [(name, *each) for name, wrong in WRONG.items() for each in wrong]
)
def test_a_wrong_value_is_refused_with_its_option_and_what_was_expected(case, option, value, words):
    found = case(options=[f"{option}={value}"])
    assert found["status"] == 2
    assert f"argument {option}: {words}{value!r}" in found["said"]


ANY = ("--chat-prompts", "{file}")
TOGETHER = {
    "lengths of a file's prompts": (
        (*ANY, "--chat-prompt-tokens", "9"),
        "--chat-prompt-tokens: not with --chat-prompts, whose prompts have their own lengths, got '9'; leave one",
    ),
    "a share of a file's prompts": (
        (*ANY, "--chat-shared-prefix", "5%"),
        "--chat-shared-prefix: expected a number of tokens with --chat-prompts, got a share",
    ),
    "answers of made prompts": (
        ("--chat-answers", "recorded"),
        "--chat-answers: only with --chat-prompts: made prompts have no answers, got 'recorded'",
    ),
    "the last of made prompts": (
        ("--chat-turns", "last"),
        "--chat-turns: last is only for --chat-prompts; expected a number of turns",
    ),
    "time to think before no turn": (
        ("--chat-think-time", "1s"),
        "--chat-think-time: no conversation has a second turn; set --chat-turns to 2 or more",
    ),
    "the same with a file": (
        (*ANY, "--chat-think-time", "1s"),
        "--chat-think-time: no conversation has a second turn; set --chat-turns to 2 or more",
    ),
    "a body": (
        ("--stream-body", "{}"),
        "--stream-body: a chat makes its own bodies; use --chat-prompts and --chat-extra",
    ),
    "another protocol": (
        ("--stream-protocol", "sse"),
        "--stream-protocol: --chat-api chat has protocol openai, got 'sse'",
    ),
}


@pytest.mark.parametrize("line", [{"input_length": 5}, {"prompt": "a"}])
def test_a_file_whose_conversations_have_one_turn_leaves_no_time_to_think(refused, write, line):
    words = "--chat-think-time: no conversation has a second turn; set --chat-turns to 2 or more"
    assert words in refused("--chat-prompts", write(line), "--chat-think-time", "0.5s")


def test_a_file_with_a_second_turn_leaves_time_to_think(talk, write):
    line = [{"role": role, "content": "a"} for role in ("user", "assistant", "user")]
    for time in ("0.5s", "0s..1s", "1m..1h"):
        assert len(talk("--chat-prompts", write(line, {"input_length": 5}), "--chat-think-time", time)[0]) == 2


@pytest.mark.parametrize("what", TOGETHER)
def test_options_that_contradict_each_other_are_refused(refused, write, what):
    options, words = TOGETHER[what]
    path = write({"prompt": "Hi"})
    assert refused(*(each.format(file=path) if each == "{file}" else each for each in options)).startswith(words)


def test_the_protocol_of_the_api_may_be_named(talk):
    assert talk("--chat-api", "anthropic", "--stream-protocol", "anthropic")


def test_without_a_chatter_other_scenarios_have_the_streams_options_to_themselves(talk):
    assert talk("--stream-body", "{}", "--stream-protocol", "sse", of_chatter=False)


def names(talk, *options, **more):
    (turns,) = talk(*options, **more)
    return [turn["name"] for turn in turns]


def test_the_first_turns_have_names_of_their_own(talk):
    found = names(talk, "--chat-turns", 7)
    assert found == ["chat", "chat turn 2", "chat turn 3", "chat turn 4", *["chat turn 5+"] * 3]


def test_answers_are_collected_only_if_a_later_turn_repeats_them(talk):
    (turns,) = talk("--chat-turns", 3)
    assert [turn["collected"] for turn in turns] == [True, True, False]


def test_a_failed_stream_ends_its_conversation(talk):
    assert names(talk, "--chat-turns", 5, answers=["fine", None]) == ["chat", "chat turn 2"]


def test_tokens_are_drawn_for_each_turn(talk):
    (turns,) = talk("--chat-turns", 40, "--chat-max-tokens", "8..11")
    assert {turn["body"]["max_tokens"] for turn in turns} == {8, 9, 10, 11}


LABELS = {
    "chatApi": "API",
    "chatModel": "Model",
    "chatPrompts": "Prompts from a file",
    "chatPromptTokens": "Tokens of made prompts",
    "chatSharedPrefix": "Shared prefix",
    "chatTurns": "Turns",
    "chatAnswers": "Answers in the history",
    "chatThinkTime": "Think time",
    "chatMaxTokens": "Most tokens of an answer",
    "chatTemperature": "Temperature",
    "chatExtra": "Further fields",
    "chatSeed": "Seed",
}


def test_the_form_has_the_options_first_in_a_section_of_their_own(case):
    page = case(options=["--chat-turns", "7"], form=None)["value"]
    (sections,) = re.findall(r"fields \} of (\[.*\])\) \{", page)
    first, *others = json.loads(sections)
    assert first["title"] == "Chat"
    assert {each["name"]: each["label"] for each in first["fields"]} == LABELS
    assert all(each["help"] for each in first["fields"])
    assert "Request" in [each["title"] for each in others]
    shown = json.loads(re.search(r"window\.templateArgs = (.*)\n", page)[1])["extra_options"]
    assert list(shown)[: len(LABELS)] == [
        re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), each) for each in LABELS
    ]
    assert shown["chat_turns"]["default_value"] == ""  # of the test's process, which has no command line


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"chat_turns": "many"}, "--chat-turns: expected a number such as 3, or a range such as 2..5, or last, "),
        ({"chat_think_time": "1s"}, "--chat-think-time: no conversation has a second turn"),
        ({"stream_body": "{}"}, "--stream-body: a chat makes its own bodies"),
        ({"chat_prompts": "missing"}, "--chat-prompts: cannot read 'missing'"),
    ],
    ids=str,
)
def test_the_form_refuses_what_no_run_can_start_with(case, form, words):
    said = json.loads(case(options=[], form=form)["value"])
    assert said["success"] is False
    assert said["message"].startswith(words)


def test_what_is_set_at_the_start_counts_with_the_form(case):
    form = {"user_count": "x", "chat_think_time": "1s"}  # Locust reads a form that we do not refuse
    assert "Invalid user_count" in case(options=["--chat-turns", "2"], form=form)["value"]
    assert "no conversation" in case(options=["--chat-turns", "2"], form={**form, "chat_turns": "1"})["value"]


def test_the_help_has_them_under_a_heading(case):
    text = case(help=True)["value"]
    section = text.partition("\nChat:\n")[2].partition("\n\n")[0]
    assert re.findall(r"^  (--chat-[a-z-]+) ", section, re.MULTILINE) == sorted(WRONG, key=section.index)
    assert section.count("--chat-") == text.count("  --chat-")
