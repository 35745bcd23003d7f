"""The openai package against the sample app: answers, errors in a stream and before it."""

import openai
import pytest

CHUNKS = 8
QUESTION = {"model": "river", "messages": [{"role": "user", "content": "How high is the river?"}]}


@pytest.fixture(scope="module")
def ask(url, key):
    """Asks for a chat completion."""
    with openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0) as client:

        def complete(knobs=None, **asked):
            query = {"chunks": CHUNKS, "interval_ms": 5, **(knobs or {})}
            return client.chat.completions.create(**{**QUESTION, **asked}, extra_query=query)

        yield complete


def test_openai_gets_the_same_answer_token_by_token_and_in_one_piece(ask):
    whole = ask()
    frames = list(ask(stream=True))
    tokens = [each.choices[0].delta.content for each in frames]
    assert tokens[0] == ""
    assert frames[0].choices[0].delta.role == "assistant"
    assert len([each for each in tokens if each]) == CHUNKS == whole.usage.completion_tokens
    assert "".join(filter(None, tokens)) == whole.choices[0].message.content
    assert [each.choices[0].finish_reason for each in frames] == [None] * (CHUNKS + 1) + ["stop"]
    assert len({each.id for each in frames}) == 1


def test_openai_gets_the_usage_where_it_is_included(ask):
    *frames, last = ask(stream=True, stream_options={"include_usage": True})
    assert last.choices == []
    assert (last.usage.prompt_tokens, last.usage.completion_tokens, last.usage.total_tokens) == (5, CHUNKS, 5 + CHUNKS)
    assert {each.usage for each in frames} == {None}


@pytest.mark.parametrize("stream", [True, False])
def test_openai_gets_no_more_tokens_than_it_allows(ask, stream):
    answer = ask(stream=stream, max_completion_tokens=3)
    last = list(answer)[-1] if stream else answer
    assert last.choices[0].finish_reason == "length"


def test_openai_raises_an_error_inside_the_stream_after_the_tokens_before_it(ask):
    tokens = []
    with ask({"fail_at": 3}, stream=True) as frames, pytest.raises(openai.APIError, match="failed at chunk 3"):
        tokens.extend(each.choices[0].delta.content for each in frames)
    assert len([each for each in tokens if each]) == 3


def test_openai_raises_the_error_that_its_status_stands_for(ask):
    with pytest.raises(openai.BadRequestError, match="messages") as refused:
        ask(messages=[])
    assert refused.value.param == "messages"
    with pytest.raises(openai.UnprocessableEntityError, match="chunks"):
        ask({"chunks": 0})
    with pytest.raises(openai.InternalServerError, match="failed at chunk 1"):
        ask({"fail_at": 1})


def test_openai_shows_its_key(guarded_url, key):
    asked = {**QUESTION, "extra_query": {"chunks": 2, "interval_ms": 5}}
    with openai.OpenAI(base_url=f"{guarded_url}/v1", api_key=key, max_retries=0) as client:
        assert client.chat.completions.create(**asked).usage.completion_tokens == 2
        with pytest.raises(openai.AuthenticationError) as refused:
            client.with_options(api_key="another").chat.completions.create(**asked)
    assert refused.value.body["detail"] == "unknown key"


def test_openai_is_told_to_come_again_where_it_has_too_many_streams(guarded_url, key):
    with openai.OpenAI(base_url=f"{guarded_url}/v1", api_key=key, max_retries=0) as client:
        slow = {**QUESTION, "extra_query": {"chunks": 1000, "interval_ms": 50}, "stream": True}
        with client.chat.completions.create(**slow) as one, client.chat.completions.create(**slow) as another:
            assert next(iter(one)).id != next(iter(another)).id
            with pytest.raises(openai.RateLimitError) as refused:
                client.chat.completions.create(**slow)
        assert refused.value.response.headers["retry-after"] == "1"
        # Its own way to come again, which waits as long as it is told.
        patient = client.with_options(max_retries=30)
        assert patient.chat.completions.create(**QUESTION, extra_query={"chunks": 2, "interval_ms": 5}).usage
