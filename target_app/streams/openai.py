"""The types of the OpenAI-compatible interface: requests, responses and errors.

https://platform.openai.com/docs/api-reference/chat
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Literal

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException

#: The largest integer that every JSON reader represents exactly (RFC 8259, section 6).
_MOST = (1 << 53) - 1
FinishReason = Literal["stop", "length"]


def _number(value: object) -> object:
    """Refuse strings and booleans, which pydantic would convert to a number."""
    if isinstance(value, str | bool):
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return value


Tokens = Annotated[int, Field(ge=1, le=_MOST), BeforeValidator(_number)]
Seed = Annotated[int, Field(ge=-_MOST, le=_MOST), BeforeValidator(_number)]


class Message(BaseModel):
    """One message of the conversation."""

    role: str = Field(min_length=1)
    content: str | list[dict[str, Any]] | None = None

    @property
    def words(self) -> int:
        """The number of words in the text."""
        if self.content is None:
            return 0
        texts = [self.content] if isinstance(self.content, str) else [each.get("text") for each in self.content]
        return sum(len(text.split()) for text in texts if isinstance(text, str))


class StreamOptions(BaseModel):
    """Options of a stream."""

    include_usage: bool | None = Field(
        None, strict=True, description="Whether the last frame before `[DONE]` has the token counts."
    )


class ChatRequest(BaseModel):
    """The request. Other fields of the interface are accepted and ignored."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"model": "river", "messages": [{"role": "user", "content": "How high is it?"}]}}
    )

    model: str = Field(min_length=1, max_length=256, description="Any name; the response repeats it.")
    messages: list[Message] = Field(min_length=1)
    stream: bool | None = Field(None, strict=True, description="Whether to send the answer token by token.")
    stream_options: StreamOptions | None = None
    max_completion_tokens: Tokens | None = Field(None, description="Most tokens of the answer.")
    max_tokens: Tokens | None = Field(None, description="Former name of `max_completion_tokens`.")
    n: Literal[1] | None = Field(None, description="Only one answer is supported.")
    seed: Seed | None = Field(None, description="Like the knob `seed`, which has priority.")

    @property
    def most_tokens(self) -> int:
        """The limit on the answer's tokens."""
        return min(self.max_completion_tokens or _MOST, self.max_tokens or _MOST)

    @property
    def prompt_tokens(self) -> int:
        """The words of all messages, which count as tokens."""
        return sum(message.words for message in self.messages)


class Usage(BaseModel):
    """Token counts."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class AssistantMessage(BaseModel):
    """A message of the assistant."""

    role: Literal["assistant"] = "assistant"
    content: str


class Choice(BaseModel):
    """The only answer."""

    index: Literal[0] = 0
    message: AssistantMessage
    logprobs: None = None
    finish_reason: FinishReason


class Completion(BaseModel):
    """The answer in one piece."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage


class ErrorDetail(BaseModel):
    """Details of an error."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorResponse(BaseModel):
    """An error in the interface's own form."""

    error: ErrorDetail


def error_response(message: str, kind: str, param: str | None = None, code: str | None = None) -> ErrorResponse:
    """Make an error response."""
    return ErrorResponse(error=ErrorDetail(message=message, type=kind, param=param, code=code))


class OpenAiRoute(APIRoute):
    """A route whose errors have the interface's own form: 400 for a wrong body, 422 for a wrong knob."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler to convert its errors."""
        handle = super().get_route_handler()

        async def handle_and_convert(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                return _converted(error)
            except HTTPException as error:
                response = error_response(str(error.detail), "invalid_request_error")
                return JSONResponse(response.model_dump(), error.status_code)

        return handle_and_convert


def _converted(error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    place, *names = first["loc"]
    param = ".".join(str(name) for name in names) or None
    code = "missing_required_parameter" if first["type"] == "missing" else "invalid_value"
    message = f"{param}: {first['msg']}" if param else first["msg"]
    response = error_response(message, "invalid_request_error", param, code)
    return JSONResponse(response.model_dump(), 422 if place == "query" else 400)
