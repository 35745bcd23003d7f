"""Streams of language models' APIs, as servers send them, and what comes of each."""

import json
from dataclasses import dataclass, field
from typing import Any

from streamgauge.wire.anthropic import MessagesDecoder
from streamgauge.wire.gemini import GeminiDecoder
from streamgauge.wire.json_array import JsonArrayDecoder
from streamgauge.wire.ollama import OllamaDecoder
from streamgauge.wire.openai import OpenAiDecoder
from streamgauge.wire.openai_responses import ResponsesDecoder
from streamgauge.wire.token_count import TokenCount
from streamgauge.wire.token_stream import TokenDecoder, said_in_text


def event(value: Any, name: str = "") -> bytes:
    return (f"event: {name}\n" if name else "").encode() + b"data: " + json.dumps(value).encode() + b"\n\n"


def typed(kind: str, **more: Any) -> bytes:
    return event({"type": kind, **more}, kind)


def line(**more: Any) -> bytes:
    return json.dumps({"model": "m", **more}).encode() + b"\n"


def candidate(*parts: Any, finish: str = "", index: int = 0) -> dict[str, Any]:
    return {
        "content": {"parts": list(parts), "role": "model"},
        "index": index,
        **({"finishReason": finish} if finish else {}),
    }


def piece(**delta: Any) -> bytes:
    return typed("content_block_delta", index=0, delta=delta)


def usage(prompt: int, shown: int, **more: int) -> dict[str, int]:
    return {"promptTokenCount": prompt, "candidatesTokenCount": shown, **more}


DONE = b"data: [DONE]\n\n"
START = typed(
    "message_start",
    message={"role": "assistant", "usage": {"input_tokens": 5, "cache_read_input_tokens": 20, "output_tokens": 1}},
)
BLOCK, STOP = typed("content_block_start", index=0, content_block={"type": "text", "text": ""}), typed("message_stop")
ARRAY = b'[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}\n,\r\n{"candidates":[{"finishReason":"STOP"}]}\n]\n'


def text_delta(text: str, **more: Any) -> bytes:
    return typed("response.output_text.delta", delta=text, output_index=0, **more)


def response(kind: str, **more: Any) -> bytes:
    return typed(f"response.{kind}", response={"status": kind, **more})


def array_decoder() -> TokenDecoder:
    return GeminiDecoder(frames=JsonArrayDecoder(), said=said_in_text)


@dataclass
class Stream:
    """What a server sends, and what comes of it."""

    decoder: Any
    data: bytes
    chunks: int
    count: TokenCount
    done: bool = True
    error: str | None = None
    more: dict[str, Any] = field(default_factory=dict)


STREAMS = {
    "a message": Stream(
        MessagesDecoder,
        START + BLOCK + typed("ping") + piece(type="text_delta", text="Hé") + piece(type="text_delta", text="!")
        + typed("content_block_stop", index=0)
        + typed("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 3}) + STOP + DONE,
        2,
        TokenCount(3, 3, 1, 25, 2, 0, 1),
    ),
    "a message that thinks and calls a tool": Stream(
        MessagesDecoder,
        START + piece(type="thinking_delta", thinking="hm") + piece(type="signature_delta", signature="x")
        + typed("content_block_start", content_block={"type": "tool_use", "name": "f", "input": {}})
        + piece(type="input_json_delta", partial_json="") + piece(type="input_json_delta", partial_json='{"a')
        + typed("content_block_start", content_block={"type": "redacted_thinking", "data": "x"})
        + typed("message_delta", usage={"output_tokens": 9}) + STOP,
        3,
        TokenCount(9, 9, 1, 25, 3, 0, 1),
    ),
    "a message that broke off": Stream(
        MessagesDecoder, START + BLOCK + piece(type="text_delta", text="a"), 1, TokenCount(1, 1, 1, 25), done=False
    ),
    "a message that failed": Stream(
        MessagesDecoder,
        START + piece(type="text_delta", text="a")
        + typed("error", error={"type": "overloaded_error", "message": "Overloaded"}),
        1,
        TokenCount(1, 1, 1, 25),
        done=False,
        error="Overloaded",
    ),
    "a message without names of events": Stream(
        MessagesDecoder,
        event({"type": "content_block_delta", "delta": {"text": "a"}}) + event({"type": "message_stop"}),
        1,
        TokenCount(1, 1, 1),
    ),
    "a response": Stream(
        ResponsesDecoder,
        response("created") + response("in_progress") + typed("response.output_item.added", item={})
        + typed("response.content_part.added", part={"text": ""}) + text_delta("a") + text_delta("b", obfuscation="xy")
        + typed("response.output_text.done", text="ab") + typed("response.output_item.done", item={})
        + response("completed", usage={"input_tokens": 7, "output_tokens": 3}),
        2,
        TokenCount(3, 3, 1, 7, 2, 0, 1),
    ),
    "a response that hides its reasoning": Stream(
        ResponsesDecoder,
        text_delta("a") + text_delta("b")
        + response("completed", usage={"output_tokens": 90, "output_tokens_details": {"reasoning_tokens": 88}}),
        2,
        TokenCount(90, 2, 1, None, 2, 0, 1),
    ),
    "a response of every kind": Stream(
        ResponsesDecoder,
        b"".join(
            typed(f"response.{kind}.delta", delta="x")
            for kind in ("refusal", "function_call_arguments", "reasoning_text", "output_audio", "mcp_call_arguments")
        )
        + typed("response.image_generation_call.partial_image", partial_image_b64="AAAA") + response("completed"),
        6,
        TokenCount(6, 6, 1, None, None, 0, 1),
    ),
    "a response at its length": Stream(
        ResponsesDecoder,
        text_delta("a") + response("incomplete", incomplete_details={"reason": "max_output_tokens"}),
        1,
        TokenCount(1, 1, 1, None, None, 0, 1),
    ),
    "a response that was filtered": Stream(
        ResponsesDecoder,
        text_delta("a") + response("incomplete", incomplete_details={"reason": "content_filter"}),
        1,
        TokenCount(1, 1, 1, None, None, 0, 1),
        done=False,
        error="response.incomplete: content_filter",
    ),
    "a response that failed": Stream(
        ResponsesDecoder,
        response("created") + response("failed", error={"code": "server_error", "message": "The model failed"}),
        0,
        TokenCount(0, 0, 0, None, None, 1, 0),
        done=False,
        error="The model failed",
    ),
    "a response's error": Stream(
        ResponsesDecoder,
        response("created") + typed("error", code="rate_limit", message="Slow down", param=None),
        0,
        TokenCount(0, 0, 0),
        done=False,
        error="Slow down",
    ),
    "Gemini's events": Stream(
        GeminiDecoder,
        event({"candidates": [candidate({"text": "hm", "thought": True})], "usageMetadata": usage(4, 0)})
        + event({"candidates": [candidate({"text": "a"})], "usageMetadata": usage(4, 1, thoughtsTokenCount=6)})
        + event({"candidates": [candidate({"text": "b"}, finish="STOP")],
                 "usageMetadata": usage(4, 2, thoughtsTokenCount=6)}),
        3,
        TokenCount(8, 8, 1, 4, 3),
    ),
    "Gemini's hidden thoughts": Stream(
        GeminiDecoder,
        event({"candidates": [candidate({"text": "a"})]})
        + event({"candidates": [candidate(finish="MAX_TOKENS")], "usageMetadata": usage(4, 2, thoughtsTokenCount=60)}),
        1,
        TokenCount(62, 2, 1, 4, 1, 0, 1),
    ),
    "Gemini's array": Stream(array_decoder, ARRAY, 1, TokenCount(1, 1, 1, None, None, 0, 1)),
    "Gemini's candidates": Stream(
        GeminiDecoder,
        event({"candidates": [candidate({"text": "a"}), candidate({"functionCall": {"name": "f"}}, index=1)]})
        + event({"candidates": [candidate({"text": "a"}, finish="STOP")]}),
        2,
        TokenCount(3, 3, 2),
        done=False,
    ),
    "Gemini's error": Stream(
        GeminiDecoder,
        event({"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}),
        0,
        TokenCount(0, 0, 0),
        done=False,
        error="Overloaded",
    ),
    "Gemini's error in an array": Stream(
        array_decoder, b'[{"error":{"message":"No"}}\n]', 0, TokenCount(0, 0, 0), done=False, error="No"
    ),
    "Gemini's blocked prompt": Stream(
        GeminiDecoder,
        event({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}}),
        0,
        TokenCount(0, 0, 0, 4),
        done=False,
        error="the prompt was blocked: SAFETY",
    ),
    "Ollama's chat": Stream(
        OllamaDecoder,
        line(message={"role": "assistant", "content": "a"}, done=False) + line(message={"content": "é"}, done=False)
        + line(message={"content": ""}, done=True, done_reason="stop", prompt_eval_count=26, eval_count=3),
        2,
        TokenCount(3, 3, 1, 26, 2, 0, 1),
    ),
    "Ollama's completion, whose last line has no end": Stream(
        OllamaDecoder,
        line(response="a", done=False) + line(response="", done=True, context=[1], eval_count=1).rstrip(),
        1,
        TokenCount(1, 1, 1, None, 1, 0, 1),
    ),
    "Ollama's thoughts and tools": Stream(
        OllamaDecoder,
        line(message={"content": "", "thinking": "hm"}, done=False)
        + line(message={"content": "", "tool_calls": [{"function": {"name": "f"}}]}, done=False)
        + line(message={"content": ""}, done=True, eval_count=8),
        2,
        TokenCount(8, 8, 1, None, 2, 0, 1),
    ),
    "Ollama's error": Stream(
        OllamaDecoder,
        line(response="a", done=False) + b'{"error":"model runner has stopped"}\n',
        1,
        TokenCount(1, 1, 1, None, None, 0, 1),
        done=False,
        error="model runner has stopped",
    ),
    "TGI's own": Stream(
        OpenAiDecoder,
        event({"index": 1, "token": {"id": 5, "text": "a", "special": False}, "generated_text": None, "details": None})
        + event({"token": {"id": 6, "text": " b", "special": False}, "generated_text": None})
        + event({"token": {"id": 2, "text": "</s>", "special": True}, "generated_text": "a b",
                 "details": {"finish_reason": "eos_token", "generated_tokens": 3, "input_length": 7}}),
        2,
        TokenCount(3, 3, 1, 7, 2, 0, 1),
    ),
    "TGI's own error": Stream(
        OpenAiDecoder,
        event({"error": "CUDA out of memory", "error_type": "generation"}),
        0,
        TokenCount(0, 0, 0),
        done=False,
        error="CUDA out of memory",
    ),
    "llama.cpp's own": Stream(
        OpenAiDecoder,
        event({"content": "a", "stop": False, "tokens_predicted": 1, "tokens_evaluated": 4})
        + event({"content": "", "stop": True, "stop_type": "eos", "tokens_predicted": 2, "tokens_evaluated": 4}),
        1,
        TokenCount(2, 2, 1, 4, 1, 0, 1),
    ),
    "llama.cpp's timings": Stream(
        OpenAiDecoder,
        event({"choices": [{"index": 0, "delta": {"content": "a"}}]})
        + event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
                 "timings": {"prompt_n": 3, "cache_n": 4, "predicted_n": 2}})
        + DONE,
        1,
        TokenCount(2, 2, 1, 7, 1, 0, 1),
    ),
}  # fmt: skip
