"""Prompts made to a length, and of traces: their lengths, what they share, and what they do not."""

import itertools

import pytest


def tokens_in(text):
    """Tokens by the estimate: words and full stops."""
    return len(text.split()) + text.count(".")


def shared_by(*texts):
    """The characters with which all texts begin."""
    letters = itertools.takewhile(lambda each: len(set(each)) == 1, zip(*texts, strict=False))
    return "".join(each[0] for each in letters)


def prompts(turns):
    return [turn["body"]["messages"][-1]["content"] for turn in turns]


def systems(found):
    return [turns[0]["body"]["messages"][0]["content"] for turns in found]


def test_a_text_has_the_tokens_that_are_asked_for(case):
    counts = [*range(40), 100, 1000]
    texts = case(tokens=counts, seed=1)["value"]
    assert [tokens_in(text) for text in texts] == counts
    assert texts[0] == ""


def test_a_text_begins_as_any_longer_text_of_its_seed(case):
    *shorter, longest = case(tokens=[1, 11, 12, 13, 30, 60], seed="s")["value"]
    assert all(longest.startswith(text) for text in shorter)
    assert longest != case(tokens=[60], seed="t")["value"][0]


def test_words_are_written_as_sentences(case):
    (text,) = case(tokens=[36], seed=1)["value"]
    assert [len(each.split()) for each in text.split(".")] == [11, 11, 11, 0]
    assert all(each.strip()[0].isupper() for each in text.split(".")[:-1])


def test_without_options_a_prompt_has_200_tokens_and_a_conversation_one_turn(talk):
    found = talk(numbers=range(5))
    assert [len(turns) for turns in found] == [1] * 5
    assert [tokens_in(prompts(turns)[0]) for turns in found] == [200] * 5
    assert len({prompts(turns)[0] for turns in found}) == 5


def test_lengths_and_turns_are_drawn_from_their_ranges(talk):
    found = talk("--chat-prompt-tokens", "20..40", "--chat-turns", "2..4", numbers=range(60))
    lengths = {tokens_in(prompt) for turns in found for prompt in prompts(turns)}
    assert {len(turns) for turns in found} == {2, 3, 4}
    assert (min(lengths), max(lengths)) == (20, 40)


def test_a_seed_makes_the_same_prompts_and_another_makes_others(talk):
    options = ("--chat-prompt-tokens", "10..90", "--chat-turns", "1..3", "--chat-max-tokens", "1..99")
    one, again, other = (talk(*options, "--chat-seed", seed, numbers=range(9)) for seed in (7, 7, 8))
    assert one == again
    assert one != other


def test_users_begin_far_apart_in_every_process(case):
    first, second = (case(options=[], users=100, process=process)["value"] for process in (0, 1))
    places = sorted([*first, *second])
    assert min(b - a for a, b in itertools.pairwise(places)) >= 1_000_000


def test_as_many_users_as_conversations_begin_at_as_many_places(case, write):
    for length in (1, 2, 3, 10, 97, 100):
        path = write(*({"prompt": f"p{number}"} for number in range(length)), name=f"{length}.jsonl")
        options = ["--chat-prompts", str(path)]
        places = case(options=options, users=length, process=0)["value"]
        assert sorted(places) == list(range(length))
        if length > 10:
            assert min(abs(a - b) for a, b in itertools.pairwise(places[:8])) > length // 4
            assert case(options=options, users=3, process=1)["value"] != places[:3]


def test_users_begin_each_run_at_the_same_places(case, write):
    path = write(*({"prompt": f"p{number}"} for number in range(10)))
    first, second = case(options=["--chat-prompts", str(path)], begun=7)["value"]
    assert first == second
    assert len(set(first)) == 7


def test_a_shared_prefix_of_a_length_is_a_system_message_of_all_conversations(talk):
    found = talk("--chat-shared-prefix", 30, "--chat-prompt-tokens", 20, "--chat-turns", 2, numbers=range(4))
    assert {tokens_in(text) for text in systems(found)} == {30}
    assert len(set(systems(found))) == 1
    assert {tokens_in(prompt) for turns in found for prompt in prompts(turns)} == {20}
    assert [message["role"] for message in found[0][1]["body"]["messages"]] == ["system", "user", "assistant", "user"]


@pytest.mark.parametrize(
    ("prefix", "tokens", "lengths"),
    [("1", 5, (1, 5)), ("150", 5, (150, 5)), ("1%", 400, (4, 396)), ("25%", 400, (100, 300)), ("99%", 400, (396, 4))],
)
def test_a_shared_prefix_is_as_long_as_it_is_set(talk, prefix, tokens, lengths):
    found = talk("--chat-shared-prefix", prefix, "--chat-prompt-tokens", tokens)
    assert (tokens_in(systems(found)[0]), tokens_in(prompts(found[0])[0])) == lengths


def test_a_shared_prefix_is_another_by_another_seed(talk):
    one, again, other = (systems(talk("--chat-shared-prefix", 30, "--chat-seed", seed))[0] for seed in (7, 7, 8))
    assert one == again
    assert one != other


def test_a_shared_share_is_a_part_of_each_prompt_whatever_its_length(talk):
    found = talk("--chat-shared-prefix", "25%", "--chat-prompt-tokens", "40..80", numbers=range(20))
    pairs = [(tokens_in(text), tokens_in(prompts(turns)[0])) for text, turns in zip(systems(found), found, strict=True)]
    assert all(abs(shared / (shared + own) - 0.25) < 0.02 for shared, own in pairs)
    assert len({shared + own for shared, own in pairs}) > 5
    longest = max(systems(found), key=len)
    assert all(longest.startswith(text) for text in systems(found))


def test_a_shared_prefix_goes_in_front_of_the_system_message_of_a_file(talk, write):
    path = write([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}], {"prompt": "Bye"})
    found = talk("--chat-prompts", path, "--chat-shared-prefix", 12, numbers=(0, 1))
    first, second = systems(found)
    assert first == f"{second}\n\nBe brief."
    assert tokens_in(second) == 12


def traced(tokens, blocks, **more):
    return {"timestamp": 27482, "input_length": tokens, "output_length": 52, "hash_ids": blocks, **more}


def test_a_trace_has_its_lengths_and_its_shared_blocks(talk, write):
    path = write(traced(1300, [0, 1, 2]), traced(1100, [0, 1, 3]), traced(600, [7, 1]))
    found = talk("--chat-prompts", path, numbers=range(3))
    texts = [prompts(turns)[0] for turns in found]
    assert [tokens_in(text) for text in texts] == [1300, 1100, 600]
    assert [turns[0]["body"]["max_tokens"] for turns in found] == [52] * 3
    shared = [tokens_in(shared_by(texts[0], other).rpartition(" ")[0]) for other in texts[1:]]
    assert 1024 <= shared[0] < 1030
    assert shared[1] < 5
    second_block = texts[2][len(shared_by(*texts)) :].split()[-30:]
    assert " ".join(second_block) in texts[0]


def test_what_a_trace_has_beyond_its_blocks_is_its_own(talk, write):
    path = write(traced(700, [0]), traced(700, [0]), traced(100, [0, 1]), {"input_length": 40})
    texts = [prompts(turns)[0] for turns in talk("--chat-prompts", path, numbers=range(4))]
    assert [tokens_in(text) for text in texts] == [700, 700, 100, 40]
    assert 512 <= tokens_in(shared_by(*texts[:2]).rpartition(" ")[0]) < 518


@pytest.mark.parametrize("tokens", [511, 512, 513, 1024, 1025])
def test_a_trace_may_end_within_a_block_or_with_it(talk, write, tokens):
    (turns,) = talk("--chat-prompts", write(traced(tokens, [0, 1])))
    (text,) = prompts(turns)
    assert tokens_in(text) == tokens
    assert text == " ".join(text.split())
    assert all(word in (word.lower(), word.capitalize()) for word in text.split())


def test_a_trace_has_the_same_texts_in_every_process_and_others_by_another_seed(talk, write):
    path = write(traced(600, [0]))
    first, again, other = (prompts(talk("--chat-prompts", path, "--chat-seed", seed)[0])[0] for seed in (7, 7, 8))
    assert first == again
    assert shared_by(first, other) == ""


def test_the_most_tokens_of_a_trace_can_be_set(talk, write):
    path = write(traced(5, [0]))
    (turns,) = talk("--chat-prompts", path, "--chat-max-tokens", 9)
    assert turns[0]["body"]["max_tokens"] == 9


@pytest.mark.parametrize("options", [(), ("--chat-turns", 3), ("--chat-turns", "last"), ("--chat-shared-prefix", 5)])
def test_a_trace_has_one_turn_whatever_is_asked(talk, write, options):
    (turns,) = talk("--chat-prompts", write(traced(5, [0])), *options)
    assert len(turns) == 1
