"""``POST /v1/chat/completions``: the OpenAI-compatible interface, with log-normal intervals between tokens."""

import time
from secrets import token_hex
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from target_app.knobs import LARGEST_COLLECTED_BYTES, TokenKnobs
from target_app.producer import StreamCutError, collect, produce
from target_app.response import ChunkedResponse
from target_app.streams.catalogue import CHAT, SSE_TYPE
from target_app.streams.description import Schema, inline, route_options
from target_app.streams.openai import (
    AssistantMessage,
    ChatRequest,
    Choice,
    Completion,
    ErrorResponse,
    OpenAiRoute,
    error_response,
)
from target_app.streams.tokens import Frames, Texts, finish_reason, usage_of

router = APIRouter(route_class=OpenAiRoute)
_EXAMPLE = ChatRequest.model_validate({"model": "river", "messages": [{"role": "user", "content": "How high is it?"}]})
_FRAME_ITEM: Schema = {
    "type": "object",
    "properties": {"data": {"type": "string", "description": "A frame as JSON, or `[DONE]`."}},
    "required": ["data"],
}
_ROUTE = route_options(
    CHAT,
    _FRAME_ITEM,
    "With `stream`: a frame with the role, one per token, one with the `finish_reason`, one with the usage if "
    "`stream_options.include_usage` is set, and `[DONE]`. A failing stream ends with a frame with an `error`. "
    "Without: the whole answer, after its last token.",
    Frames(_EXAMPLE, "chatcmpl-0", 0, 6).chunk(0).decode(),
    {
        400: {"description": "The body is wrong.", "model": ErrorResponse},
        422: {"description": "A knob is wrong.", "model": ErrorResponse},
        500: {"description": "The answer failed, as requested by `fail_at`.", "model": ErrorResponse},
    },
)
_ROUTE["responses"][200]["content"]["application/json"] = {"schema": inline(Completion)}


@router.post(CHAT.path, **_ROUTE)
async def chat_completions(body: ChatRequest, knobs: Annotated[TokenKnobs, Query()], request: Request) -> Response:
    """Each token is a piece of one long text, whatever the prompt. The knobs are in the query, the body is OpenAI's.

    `max_completion_tokens` limits `chunks`, and without `stream` the text has at most 1 MiB. Each word of the prompt
    counts as a token.
    """
    seed = body.seed if knobs.seed is None else knobs.seed
    knobs = knobs.model_copy(update={"chunks": min(knobs.chunks, body.most_tokens), "seed": seed})
    answer_id, created = f"chatcmpl-{token_hex(12)}", int(time.time())
    if body.stream:
        frames = Frames(body, answer_id, created, knobs.chunk_bytes)
        return ChunkedResponse(produce(frames, knobs, request), SSE_TYPE)
    if knobs.chunks * knobs.chunk_bytes > LARGEST_COLLECTED_BYTES:
        message = f"chunks x chunk_bytes is more than {LARGEST_COLLECTED_BYTES} bytes: set stream"
        return JSONResponse(
            error_response(message, "invalid_request_error", "chunks", "invalid_value").model_dump(), 422
        )
    try:
        texts = await collect(produce(Texts(knobs.chunk_bytes), knobs, request), request)
    except StreamCutError as cut:
        return JSONResponse(error_response(str(cut), "server_error").model_dump(), 500)
    answer = AssistantMessage(content=b"".join(texts).decode("ascii"))
    choice = Choice(message=answer, finish_reason=finish_reason(body, len(texts)))
    completion = Completion(
        id=answer_id, created=created, model=body.model, choices=[choice], usage=usage_of(body, len(texts))
    )
    return JSONResponse(completion.model_dump())
