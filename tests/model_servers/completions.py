"""Scripts of servers with OpenAI's completions: vLLM, llama.cpp, TGI, Azure and LiteLLM."""

from tests.model_servers.scripts import DONE, GAP, ROLE, Frame, Script, counted, delta, event, first, last, usage

EOS = delta("stop", content="")


def text(words: str, finish: str | None = None, usage: object = None) -> Frame:
    """Make a frame of a text completion."""
    choice = {"index": 0, "text": words, "logprobs": None, "finish_reason": finish}
    return event({"object": "text_completion", "choices": [choice], "usage": usage})


def native(words: str, *, stop: bool = False, predicted: int) -> Frame:
    """Make a frame of llama.cpp's ``/completion``."""
    return event(
        {"index": 0, "content": words, "tokens": [], "stop": stop, "tokens_predicted": predicted, "tokens_evaluated": 6}
    )


def token(words: str, *, special: bool = False, whole: str | None = None) -> Frame:
    """Make a frame of TGI's ``/generate_stream``, which has no blank behind ``data:``."""
    details = None if whole is None else {"finish_reason": "eos_token", "generated_tokens": 4, "input_length": 8}
    made = event(
        {"index": 1, "token": {"id": 1, "text": words, "special": special}, "generated_text": whole, "details": details}
    )
    return Frame(made.data.replace(b"data: ", b"data:", 1))


#: The filter's report on the prompt, before the answer.
AZURE_PROMPT = event(
    {"choices": [], "created": 0, "id": "", "model": "", "object": "",
     "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {"hate": {"filtered": False}}}]}
)  # fmt: skip
#: A later report, on text that was sent before.
AZURE_FILTER = event(
    {"id": "", "object": "", "choices": [
        {"index": 0, "finish_reason": None, "content_filter_results": {"hate": {"filtered": False}},
         "content_filter_offsets": {"check_offset": 0, "start_offset": 0, "end_offset": 9}}]}
)  # fmt: skip
ERROR = event({"error": {"message": "EngineDeadError", "type": "InternalServerError", "code": 500}})


def nulls(**content: object) -> Frame:
    """Make a frame as LiteLLM does, with members that are null."""
    return delta(**content, function_call=None, tool_calls=None, audio=None, provider_specific_fields=None)


COMPLETIONS = {
    "vLLM": Script(
        "openai",
        [ROLE, GAP, first(delta(content="Hé")), GAP, delta(content="llo"), GAP, last(EOS), usage(9, 3), DONE],
        chunks=2, tokens=3, prompt=9, between=2,
    ),
    "vLLM, parts of characters": Script(
        "openai",
        [ROLE, GAP, delta(content=""), GAP, first(delta(content="é")), GAP, delta(content=""), GAP, delta(content="ü"),
         GAP, last(EOS), usage(9, 5), DONE],
        chunks=2, tokens=5, prompt=9, between=3,
    ),
    "vLLM, usage in every frame": Script(
        "openai",
        [delta(role="assistant", content="", usage=counted(9, 0)), GAP, first(delta(content="a", usage=counted(9, 1))),
         GAP, delta(content="b c", usage=counted(9, 3)), GAP, last(delta("stop", content="", usage=counted(9, 4))),
         usage(9, 4), DONE],
        chunks=2, tokens=4, prompt=9, between=3,
    ),
    "vLLM, a length": Script(
        "openai",
        [ROLE, GAP, first(delta(content="a")), GAP, last(delta("length", content="b")), usage(9, 2), DONE],
        chunks=2, tokens=2, prompt=9, between=1,
    ),
    "vLLM, no usage": Script(
        "openai",
        [ROLE, GAP, first(delta(content="a")), GAP, last(delta(content="b")), GAP, EOS, DONE],
        chunks=2, tokens=2, between=1,
    ),
    "vLLM, a stop token first": Script(
        "openai", [ROLE, GAP, EOS, usage(9, 1), DONE],
        chunks=0, tokens=1, prompt=9, reason="no chunk came; tokens without content: 1",
    ),
    "vLLM, one text and a stop token": Script(
        "openai", [ROLE, GAP, first(delta(content="a")), GAP, last(EOS), usage(9, 2), DONE],
        chunks=1, tokens=2, prompt=9, between=1,
    ),
    "vLLM, reasoning": Script(
        "openai",
        [ROLE, GAP, first(delta(reasoning_content="hm")), GAP, delta(content="a"), GAP, last(EOS), usage(9, 3), DONE],
        chunks=2, tokens=3, prompt=9, between=2, answer=2,
    ),
    "vLLM, a tool call": Script(
        "openai",
        [ROLE, GAP, delta(tool_calls=[{"index": 0, "id": "c", "function": {"name": "f", "arguments": ""}}]), GAP,
         first(delta(tool_calls=[{"index": 0, "function": {"arguments": '{"a'}}])), GAP,
         last(delta(tool_calls=[{"index": 0, "function": {"arguments": '":1}'}}])), delta("tool_calls"), DONE],
        chunks=2, tokens=2, between=1,
    ),
    "vLLM, a text completion": Script(
        "openai",
        [first(text("a")), GAP, text("b"), GAP, last(text("", "stop")), usage(4, 3), DONE],
        chunks=2, tokens=3, prompt=4, between=2,
    ),
    "vLLM, a dead engine": Script(
        "openai", [ROLE, GAP, first(last(delta(content="a"))), GAP, ERROR, DONE],
        chunks=1, tokens=1, outcome="in_band_error", reason="EngineDeadError",
    ),
    "llama.cpp": Script(
        "openai",
        [delta(role="assistant", content=None), GAP, first(delta(content="a")), GAP, delta(content="b"), GAP,
         last(event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "object": "chat.completion.chunk",
                     "timings": {"cache_n": 2, "prompt_n": 5, "predicted_n": 3, "predicted_ms": 1.5}})), DONE],
        chunks=2, tokens=3, prompt=7, between=2,
    ),
    "llama.cpp, its own": Script(
        "openai",
        [first(native("a", predicted=1)), GAP, native("b", predicted=2), GAP, last(native("", stop=True, predicted=3))],
        chunks=2, tokens=3, prompt=6, between=2,
    ),
    "llama.cpp, an error": Script(
        "openai",
        [ROLE, GAP, first(last(delta(content="a"))), GAP,
         Frame(b'error: {"code":500,"message":"context is full","type":"server_error"}\n\n')],
        chunks=1, tokens=1, outcome="in_band_error", reason="context is full",
    ),
    "TGI, its own": Script(
        "openai",
        [first(token("a")), GAP, token("b"), GAP, token(" ü"), GAP, last(token("</s>", special=True, whole="ab ü"))],
        chunks=3, tokens=4, prompt=8, between=3,
    ),
    "TGI, an error": Script(
        "openai",
        [first(last(token("a"))), GAP, event({"error": "CUDA out of memory", "error_type": "generation"})],
        chunks=1, tokens=1, outcome="in_band_error", reason="CUDA out of memory",
    ),
    "TGI, roles in every frame": Script(
        "openai",
        [first(delta(role="assistant", content="a")), GAP, delta(role="assistant", content="b"), GAP,
         last(delta("stop", role="assistant", content="")), usage(8, 3), DONE],
        chunks=2, tokens=3, prompt=8, between=2,
    ),
    "Azure": Script(
        "openai",
        [AZURE_PROMPT, GAP, ROLE, GAP, first(delta(content="a")), AZURE_FILTER, GAP, last(delta(content="b")), GAP,
         delta("stop"), AZURE_FILTER, usage(7, 2), DONE],
        chunks=2, tokens=2, prompt=7, between=1,
    ),
    "LiteLLM": Script(
        "openai",
        [first(nulls(role="assistant", content="a")), GAP, nulls(content="b"), GAP, last(nulls(content="ü")), GAP,
         delta("stop"), delta(usage=counted(5, 3)), DONE],
        chunks=3, tokens=3, prompt=5, between=2,
    ),
    "LiteLLM, an error without an end": Script(
        "openai",
        [first(last(nulls(role="assistant", content="a"))), GAP,
         event({"error": {"message": "litellm.APIConnectionError: no", "type": None, "param": None, "code": "500"}})],
        chunks=1, tokens=1, outcome="in_band_error", reason="litellm.APIConnectionError: no",
    ),
    "no end": Script(
        "openai", [ROLE, GAP, first(last(delta(content="a"))), GAP, delta("stop")],
        chunks=1, tokens=1, outcome="incomplete", reason="the named end had not come",
    ),
}  # fmt: skip
