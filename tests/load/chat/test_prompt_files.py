"""Prompts from files: JSON lines, ShareGPT and traces become turns; a bad file names the line and what was expected."""

import json

import pytest

SYSTEM = {"role": "system", "content": "Be brief."}
HI, HELLO, BYE = ({"role": "user", "content": text} for text in ("Hi", "Hello?", "Bye"))
PARTS = {"role": "user", "content": [{"type": "text", "text": "Look"}]}
ANSWER = {"role": "assistant", "content": "recorded"}


def received(text):
    return {"role": "assistant", "content": text}


def messages(turns):
    """The messages of each request of a conversation."""
    return [turn["body"]["messages"] for turn in turns]


def from_to(*pairs):
    return [{"from": who, "value": text} for who, text in pairs]


@pytest.fixture
def asked(talk, write):
    """The messages of each request, by conversation."""

    def ask(*lines, options=(), numbers=(0,), answers=("A", "B", "C")):
        found = talk("--chat-prompts", write(*lines), *options, numbers=numbers, answers=answers)
        return [messages(turns) for turns in found]

    return ask


def test_a_prompt_is_a_message_of_the_user(asked):
    assert asked({"prompt": "Hi"}) == [[[HI]]]


@pytest.mark.parametrize("line", [[SYSTEM, HI], {"messages": [SYSTEM, HI]}], ids=["list", "object"])
def test_messages_are_sent_as_they_are(asked, line):
    assert asked(line) == [[[SYSTEM, HI]]]


def test_parts_and_further_members_of_a_message_are_kept(asked):
    named = {**HI, "name": "Ann"}
    assert asked([named], [PARTS], numbers=(0, 1)) == [[[named]], [[PARTS]]]


def test_answers_that_are_received_replace_those_of_the_file(asked):
    (requests,) = asked([SYSTEM, HI, ANSWER, HELLO, ANSWER, BYE])
    assert requests == [
        [SYSTEM, HI],
        [SYSTEM, HI, received("A"), HELLO],
        [SYSTEM, HI, received("A"), HELLO, received("B"), BYE],
    ]


def test_a_last_answer_asks_nothing(asked):
    assert len(asked([HI, ANSWER])[0]) == 1


def test_an_answer_before_the_first_question_belongs_to_it(asked):
    assert asked([ANSWER, HI, ANSWER, BYE]) == [[[ANSWER, HI], [ANSWER, HI, received("A"), BYE]]]


def test_recorded_answers_are_repeated_where_the_file_has_them(talk, write):
    path = write([HI, ANSWER, HELLO, ANSWER, BYE])
    (turns,) = talk("--chat-prompts", path, "--chat-answers", "recorded", answers=["A", "B", "C"])
    assert messages(turns)[-1] == [HI, ANSWER, HELLO, ANSWER, BYE]
    assert [turn["collected"] for turn in turns] == [False, False, False]


def test_the_last_turn_alone_has_the_history_of_the_file(asked):
    assert asked([SYSTEM, HI, ANSWER, HELLO, ANSWER], options=("--chat-turns", "last")) == [
        [[SYSTEM, HI, ANSWER, HELLO]]
    ]


@pytest.mark.parametrize(("turns", "count"), [("1", 1), ("2", 2), ("9", 3)])
def test_a_conversation_has_at_most_the_turns_that_are_asked_for(asked, turns, count):
    assert len(asked([HI, ANSWER, HELLO, ANSWER, BYE], options=("--chat-turns", turns))[0]) == count


def test_sharegpt_in_one_array_or_in_lines(asked):
    talks = [
        {"id": "a", "conversations": from_to(("system", "Be brief."), ("human", "Hi"), ("gpt", "x"), ("human", "Bye"))},
        {"id": "b", "conversations": from_to(("user", "Hello?"), ("chatgpt", "x"))},
    ]
    expected = [[[SYSTEM, HI], [SYSTEM, HI, received("A"), BYE]], [[HELLO]]]
    assert asked(json.dumps(talks), numbers=(0, 1)) == expected
    assert asked(json.dumps(talks, indent=2), numbers=(0, 1)) == expected
    assert asked(*talks, numbers=(0, 1)) == expected


def test_what_sharegpt_has_before_the_first_question_is_left_out(asked):
    nothing, late = {"conversations": from_to(("gpt", "x"))}, {"conversations": from_to(("gpt", "x"), ("human", "Hi"))}
    assert asked(nothing, {"conversations": []}, late) == [[[HI]]]


def test_the_file_begins_again_after_its_last_conversation(asked):
    assert asked({"prompt": "Hi"}, {"prompt": "Bye"}, numbers=(1, 2, 3)) == [[[BYE]], [[HI]], [[BYE]]]


def test_empty_lines_and_a_byte_order_mark_are_ignored(asked):
    assert asked("\ufeff" + json.dumps([HI]), "", "  ", json.dumps([BYE]), "", numbers=(0, 1)) == [[[HI]], [[BYE]]]


def test_a_line_says_the_most_tokens_of_its_answers_unless_the_option_does(talk, write):
    path = write({"messages": [HI, ANSWER, BYE], "max_tokens": 7}, {"prompt": "Hi", "max_tokens": 9})
    found = talk("--chat-prompts", path, numbers=(0, 1))
    assert [turn["body"]["max_tokens"] for turns in found for turn in turns] == [7, 7, 9]
    (turns,) = talk("--chat-prompts", path, "--chat-max-tokens", "3")
    assert [turn["body"]["max_tokens"] for turn in turns] == [3, 3]


WRONG = {
    "no JSON": (["{}x"], "line 1: expected JSON, got {}x: more follows at 2"),
    "an array and more": (
        ["[", '{"prompt": "a"}] x'],
        "line 2: expected a JSON array, or JSON on each line: More follows the array",
    ),
    "an object that breaks off": (['{"prompt": "a"', {"prompt": "b"}], "line 1: expected JSON, got "),
    "no JSON in a later line": (
        [{"prompt": "a"}, "", "Hi there"],
        "line 3: expected JSON, got Hi there: Expecting value",
    ),
    "an array that breaks off": (["[", '{"prompt": "a"},', '{"prompt"'], "line 3: expected a JSON array, or JSON on "),
    "a number": ([{"prompt": "a"}, "7"], "line 2: expected messages, prompt, conversations or input_length, got 7"),
    "another object": (
        [{"text": "a"}],
        'line 1: expected messages, prompt, conversations or input_length, got {"text"',
    ),
    "one of an array": (
        ['[{"prompt": "a"}, {"text": "a"}]'],
        "conversation 2: expected messages, prompt, conversations or input_length",
    ),
    "an empty prompt": ([{"prompt": ""}], 'line 1: expected a text as prompt, got ""'),
    "messages that are none": ([{"messages": "Hi"}], 'line 1: expected a list of messages, got "Hi"'),
    "no messages": ([{"messages": []}], "line 1: expected a list of messages, got []"),
    "a message without a role": ([[HI], [{"content": "Hi"}]], 'line 2: expected messages such as {"role": "user", '),
    "a message with a number": ([[{"role": "user", "content": 1}]], "conversation 1: expected messages such as "),
    "no question": ([[SYSTEM, ANSWER]], "conversation 1: expected a message of the user, got roles system, assistant"),
    "ShareGPT without a list": ([{"conversations": {}}], "line 1: expected a list as conversations, got {}"),
    "an unknown speaker": (
        [{"conversations": from_to(("tool", "x"))}],
        'line 1: expected turns such as {"from": "human", "value": "…"}, got {"from": "tool"',
    ),
    "tokens that are none": (
        [{"prompt": "a", "max_tokens": 0}],
        "line 1: expected a whole number from 1 as max_tokens",
    ),
    "a trace without a length": ([{"input_length": None}], "line 1: expected a whole number from 1 as input_length"),
    "blocks that are none": (
        [{"input_length": 1, "hash_ids": ["a"]}],
        'line 1: expected a list of whole numbers as hash_ids, got ["a"]',
    ),
    "nothing": ([""], "expected at least one prompt, found none"),
    "nothing that asks": ([{"conversations": []}], "expected at least one prompt, found none"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_bad_file_names_its_line_and_what_was_expected(refused, write, what):
    lines, words = WRONG[what]
    path = write(*lines)
    said = refused("--chat-prompts", path)
    assert f"error: argument --chat-prompts: {path}" in said
    assert said.partition(str(path))[2].lstrip(",: ").startswith(words)


def test_a_file_that_is_not_utf8_is_named_with_its_line(refused, write):
    path = write({"prompt": "a"}, {"prompt": "b"})
    path.write_bytes(path.read_bytes().replace(b'"b"', b'"\xff"'))
    assert (
        refused("--chat-prompts", path).strip().endswith('line 2: expected JSON, got {"prompt": "\ufffd"}: not UTF-8')
    )


def test_a_file_that_is_not_there_is_named(refused, tmp_path):
    said = refused("--chat-prompts", tmp_path / "missing")
    assert f"argument --chat-prompts: cannot read '{tmp_path / 'missing'}': No such file or directory" in said


def test_a_file_that_has_changed_is_read_again(asked):
    assert asked({"prompt": "Hi"}) == [[[HI]]]
    assert asked({"prompt": "Hello?"}, {"prompt": "Bye"}) == [[[HELLO]]]


def test_prompts_that_all_have_a_timestamp_are_in_the_order_of_their_times(talk, write):
    lines = [{"prompt": f"of {at}, {n}", "timestamp": at} for n, at in enumerate([200, 0.5, 200, 100, 0.5])]
    for with_one_without in (False, True):
        more = [{"prompt": "whenever"}] if with_one_without else []
        found = talk("--chat-prompts", write(*lines, *more), numbers=range(5))
        asked = [turns[0]["body"]["messages"][0]["content"] for turns in found]
        order = range(5) if with_one_without else (1, 4, 3, 0, 2)
        assert asked == [lines[number]["prompt"] for number in order]


def test_an_arrival_begins_with_the_conversation_of_its_number(case, write):
    path = write(*({"prompt": f"question {number}"} for number in range(9)))
    found = case(options=["--chat-prompts", str(path)], arrivals=[7, 3, 16, 3], each=2)["value"]
    assert [first for first, _ in found] == ["question 7", "question 3", "question 7", "question 3"]
    seconds = [int(second.split()[1]) for _, second in found]  # of a task that begins another: the user's own walk
    assert [(each - seconds[0]) % 9 for each in seconds] == [0, 1, 2, 3]
