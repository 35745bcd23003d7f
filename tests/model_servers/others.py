"""Scripts of servers with other APIs: Anthropic, OpenAI's Responses, Gemini and Ollama."""

from typing import Any

from tests.model_servers.scripts import GAP, Frame, Script, event, first, last, line


def typed(kind: str, **more: Any) -> Frame:
    """Make an event whose data repeats its name."""
    return event({"type": kind, **more}, kind)


def piece(**more: Any) -> Frame:
    """Make a delta of a message."""
    return typed("content_block_delta", index=0, delta=more)


def argument(text: str) -> Frame:
    """Make a delta of a tool's input."""
    return piece(type="input_json_delta", partial_json=text)


def message(tokens: int) -> Frame:
    """Make the frame with a message's usage."""
    return typed(
        "message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": tokens}
    )


def written(words: str, kind: str = "output_text") -> Frame:
    """Make a delta of a response."""
    return typed(f"response.{kind}.delta", item_id="i", output_index=0, content_index=0, delta=words, sequence_number=4)


def response(kind: str, **more: Any) -> Frame:
    """Make a frame that has the whole response."""
    return typed(f"response.{kind}", response={"id": "r", "status": kind, "output": [], **more}, sequence_number=0)


def said(*parts: Any, shown: int, thoughts: int = 0, **more: Any) -> dict[str, Any]:
    """Make a frame of Gemini's."""
    counts = {"promptTokenCount": 6, "candidatesTokenCount": shown, "totalTokenCount": 6 + shown + thoughts}
    counts |= {"thoughtsTokenCount": thoughts} if thoughts else {}
    candidate = {"content": {"parts": list(parts), "role": "model"}, "index": 0, **more}
    return {"candidates": [candidate], "usageMetadata": counts, "modelVersion": "m", "responseId": "r"}


def element(value: Any, before: bytes, behind: bytes = b"") -> Frame:
    """Make an element of an array."""
    return Frame(before + event(value).data[len(b"data: ") : -2] + behind)


START = typed(
    "message_start",
    message={
        "id": "msg_1", "type": "message", "role": "assistant", "content": [],
        "usage": {"input_tokens": 5, "cache_read_input_tokens": 20, "output_tokens": 1},
    },
)  # fmt: skip
PING, STOP, END = typed("ping"), typed("content_block_stop", index=0), typed("message_stop")
BLOCK = typed("content_block_start", index=0, content_block={"type": "text", "text": ""})
OPENED = [response("created"), response("in_progress"), typed("response.output_item.added", output_index=0, item={}),
          typed("response.content_part.added", output_index=0, part={"type": "output_text", "text": ""})]  # fmt: skip
CLOSED = [typed("response.output_text.done", text="ab"), typed("response.output_item.done", item={})]
LINES = "application/x-ndjson"

OTHERS = {
    "Anthropic": Script(
        "anthropic",
        [START, BLOCK, PING, GAP, first(piece(type="text_delta", text="Hé")), GAP, piece(type="text_delta", text="llo"),
         GAP, STOP, last(message(3)), END],
        chunks=2, tokens=3, prompt=25, between=2,
    ),
    "Anthropic, thinking": Script(
        "anthropic",
        [START, GAP, first(piece(type="thinking_delta", thinking="hm")), piece(type="signature_delta", signature="x"),
         GAP, piece(type="text_delta", text="a"), GAP, STOP, last(message(6)), END],
        chunks=2, tokens=6, prompt=25, between=5, answer=2,
    ),
    "Anthropic, a tool's input": Script(
        "anthropic",
        [START, typed("content_block_start", content_block={"type": "tool_use", "name": "f", "input": {}}), GAP,
         argument(""), GAP, first(argument('{"a')), GAP, last(argument('":1}')), STOP, GAP, message(2), END],
        chunks=2, tokens=2, prompt=25, between=1,
    ),
    "Anthropic, as vLLM sends it": Script(
        "anthropic",
        [START, BLOCK, GAP, first(piece(type="text_delta", text="a")), GAP, piece(type="text_delta", text="b"), GAP,
         STOP, last(message(3)), END, event("[DONE]")],
        chunks=2, tokens=3, prompt=25, between=2,
    ),
    "Anthropic, overloaded": Script(
        "anthropic",
        [START, GAP, first(last(piece(type="text_delta", text="a"))), GAP,
         typed("error", error={"type": "overloaded_error", "message": "Overloaded"})],
        chunks=1, tokens=1, prompt=25, outcome="in_band_error", reason="Overloaded",
    ),
    "Anthropic, no end": Script(
        "anthropic", [START, GAP, first(last(piece(type="text_delta", text="a"))), GAP, STOP],
        chunks=1, tokens=1, prompt=25, outcome="incomplete", reason="the named end had not come",
    ),
    "Responses": Script(
        "openai-responses",
        [*OPENED, GAP, first(written("a")), GAP, written("ü"), GAP, *CLOSED,
         last(response("completed", usage={"input_tokens": 7, "output_tokens": 3, "output_tokens_details": {}}))],
        chunks=2, tokens=3, prompt=7, between=2,
    ),
    "Responses, reasoning in sight": Script(
        "openai-responses",
        [*OPENED, GAP, first(written("hm", "reasoning_summary_text")), GAP, last(written("a")), GAP,
         response("completed", usage={"input_tokens": 7, "output_tokens": 2})],
        chunks=2, tokens=2, prompt=7, between=1, answer=2,
    ),
    "Responses, a length": Script(
        "openai-responses",
        [*OPENED, GAP, first(written("a")), GAP, last(written("b")), GAP,
         response("incomplete", incomplete_details={"reason": "max_output_tokens"}, usage={"output_tokens": 2})],
        chunks=2, tokens=2, between=1,
    ),
    "Responses, filtered": Script(
        "openai-responses",
        [*OPENED, GAP, first(last(written("a"))), GAP,
         response("incomplete", incomplete_details={"reason": "content_filter"})],
        chunks=1, tokens=1, outcome="in_band_error", reason="response.incomplete: content_filter",
    ),
    "Responses, failed": Script(
        "openai-responses",
        [*OPENED, GAP, response("failed", error={"code": "server_error", "message": "The model failed"})],
        chunks=0, tokens=0, outcome="in_band_error", reason="The model failed",
    ),
    "Gemini": Script(
        "gemini",
        [first(event(said({"text": "a"}, shown=1))), GAP, event(said({"text": "ü"}, shown=2)), GAP,
         last(event(said({"text": ""}, shown=3, finishReason="STOP")))],
        chunks=2, tokens=3, prompt=6, between=2,
    ),
    "Gemini, hidden thoughts": Script(
        "gemini",
        [first(event(said({"text": "a"}, shown=1, thoughts=50))), GAP,
         last(event(said({"text": "b"}, shown=2, thoughts=50, finishReason="MAX_TOKENS")))],
        chunks=2, tokens=52, prompt=6, between=1,
    ),
    "Gemini, an array": Script(
        "gemini",
        [first(element(said({"text": "a"}, shown=1), b"[")), GAP, element(said({"text": "ü}]"}, shown=2), b",\r\n"),
         GAP, last(element(said({"text": "c"}, shown=3, finishReason="STOP"), b",\r\n", b"\n]\n"))],
        chunks=3, tokens=3, prompt=6, between=2, content_type="application/json; charset=UTF-8", found=False,
    ),
    "Gemini, blocked": Script(
        "gemini",
        [event({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 6}})],
        chunks=0, tokens=0, prompt=6, outcome="in_band_error", reason="the prompt was blocked: PROHIBITED_CONTENT",
    ),
    "Gemini, an error": Script(
        "gemini",
        [first(last(event(said({"text": "a"}, shown=1)))), GAP,
         event({"error": {"code": 503, "message": "The model is overloaded", "status": "UNAVAILABLE"}})],
        chunks=1, tokens=1, prompt=6, outcome="in_band_error", reason="The model is overloaded",
    ),
    "Ollama": Script(
        "ollama",
        [first(line(message={"role": "assistant", "content": "a"}, done=False)), GAP,
         line(message={"role": "assistant", "content": "ü"}, done=False), GAP,
         last(line(message={"role": "assistant", "content": ""}, done=True, done_reason="stop", total_duration=9,
                   prompt_eval_count=26, eval_count=3))],
        chunks=2, tokens=3, prompt=26, between=2, content_type=LINES,
    ),
    "Ollama, a completion": Script(
        "ollama",
        [first(line(response="a", done=False)), GAP, last(line(response="b", done=False)), GAP,
         line(response="", done=True, done_reason="length", context=[1, 2], prompt_eval_count=4, eval_count=2)],
        chunks=2, tokens=2, prompt=4, between=1, content_type=LINES,
    ),
    "Ollama, an error": Script(
        "ollama",
        [first(last(line(response="a", done=False))), GAP, Frame(b'{"error":"an error was encountered: EOF"}\n')],
        chunks=1, tokens=1, outcome="in_band_error", reason="an error was encountered: EOF", content_type=LINES,
    ),
}  # fmt: skip
