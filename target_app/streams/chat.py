"""``POST /v1/chat/completions``: the OpenAI-compatible interface, its tokens in a log-normal cadence."""

import time
from secrets import token_hex
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from target_app.knobs import LARGEST_GATHERED_BYTES, TokenKnobs
from target_app.producing import StreamCutError, gather, produce
from target_app.response import ChunkedResponse
from target_app.streams.catalogue import CHAT, SSE_TYPE
from target_app.streams.description import Schema, described, inline
from target_app.streams.openai import Answer, ChatRequest, Choice, Completion, OpenAiRoute, Refusal, refused
from target_app.streams.tokens import Frames, Texts, finish_reason, usage_of

router = APIRouter(route_class=OpenAiRoute)
_EXAMPLE = ChatRequest.model_validate({"model": "river", "messages": [{"role": "user", "content": "How high is it?"}]})
_FRAME_ITEM: Schema = {
    "type": "object",
    "properties": {"data": {"type": "string", "description": "A frame as JSON, or `[DONE]`."}},
    "required": ["data"],
}
_ROUTE = described(
    CHAT,
    _FRAME_ITEM,
    "With `stream`: a frame with the role, one a token, one with the `finish_reason`, one with the usage where "
    "`stream_options.include_usage` is set, and `[DONE]`. A frame with an `error` comes last where the stream fails. "
    "Without: the whole answer, once its last token is there.",
    Frames(_EXAMPLE, "chatcmpl-0", 0, 6).chunk(0).decode(),
    {
        400: {"description": "The body is wrong.", "model": Refusal},
        422: {"description": "A knob is wrong.", "model": Refusal},
        500: {"description": "The answer failed, as `fail_at` asked for.", "model": Refusal},
    },
)
_ROUTE["responses"][200]["content"]["application/json"] = {"schema": inline(Completion)}


@router.post(CHAT.path, **_ROUTE)
async def chat_completions(asked: ChatRequest, knobs: Annotated[TokenKnobs, Query()], request: Request) -> Response:
    """Each token is a piece of one long text, whatever is asked. The knobs are in the query, the body is all OpenAI's.

    `max_completion_tokens` bounds `chunks`, and without `stream` the text has 1 MiB at most. Tokens are counted as they
    are sent; those of the prompt are its words.
    """
    seed = asked.seed if knobs.seed is None else knobs.seed
    knobs = knobs.model_copy(update={"chunks": min(knobs.chunks, asked.most_tokens), "seed": seed})
    answer_id, created = f"chatcmpl-{token_hex(12)}", int(time.time())
    if asked.stream:
        frames = Frames(asked, answer_id, created, knobs.chunk_bytes)
        return ChunkedResponse(produce(frames, knobs, request), SSE_TYPE)
    if knobs.chunks * knobs.chunk_bytes > LARGEST_GATHERED_BYTES:
        message = f"chunks x chunk_bytes is more than {LARGEST_GATHERED_BYTES} bytes, which only a stream may be"
        return JSONResponse(refused(message, "invalid_request_error", "chunks", "invalid_value").model_dump(), 422)
    try:
        texts = await gather(produce(Texts(knobs.chunk_bytes), knobs, request), request)
    except StreamCutError as error:
        return JSONResponse(refused(str(error), "server_error").model_dump(), 500)
    answer = Answer(content=b"".join(texts).decode("ascii"))
    choice = Choice(message=answer, finish_reason=finish_reason(asked, len(texts)))
    whole = Completion(
        id=answer_id, created=created, model=asked.model, choices=[choice], usage=usage_of(asked, len(texts))
    )
    return JSONResponse(whole.model_dump())
