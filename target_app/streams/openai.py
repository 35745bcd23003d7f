"""The OpenAI-compatible interface's own shapes: what is asked, what is answered, and how errors are told.

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

#: The greatest whole number that every reader of JSON has exactly (RFC 8259, section 6).
_MOST = (1 << 53) - 1
FinishReason = Literal["stop", "length"]


def _a_number(value: object) -> object:
    """A number as JSON has it: neither a text nor a truth value, for which pydantic would take one."""
    if isinstance(value, str | bool):
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return value


Tokens = Annotated[int, Field(ge=1, le=_MOST), BeforeValidator(_a_number)]
Seed = Annotated[int, Field(ge=-_MOST, le=_MOST), BeforeValidator(_a_number)]


class Message(BaseModel):
    """One message of the conversation."""

    role: str = Field(min_length=1)
    content: str | list[dict[str, Any]] | None = None

    @property
    def words(self) -> int:
        """How many words its text has."""
        if self.content is None:
            return 0
        texts = [self.content] if isinstance(self.content, str) else [each.get("text") for each in self.content]
        return sum(len(text.split()) for text in texts if isinstance(text, str))


class StreamOptions(BaseModel):
    """What else a stream brings."""

    include_usage: bool = Field(
        False, strict=True, description="Whether a last frame before `[DONE]` counts the tokens."
    )


class ChatRequest(BaseModel):
    """The request, as far as it matters here; whatever else the interface has is taken and left."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"model": "river", "messages": [{"role": "user", "content": "How high is it?"}]}}
    )

    model: str = Field(min_length=1, max_length=256, description="Any name; the answer repeats it.")
    messages: list[Message] = Field(min_length=1)
    stream: bool = Field(False, strict=True, description="Whether the answer comes token by token.")
    stream_options: StreamOptions | None = None
    max_completion_tokens: Tokens | None = Field(None, description="Tokens of the answer at most.")
    max_tokens: Tokens | None = Field(None, description="The same by its former name.")
    n: Literal[1] | None = Field(None, description="One answer is all there is.")
    seed: Seed | None = Field(None, description="As the knob `seed`, which goes before it.")

    @property
    def most_tokens(self) -> int:
        """How many tokens the answer may have."""
        return min(self.max_completion_tokens or _MOST, self.max_tokens or _MOST)

    @property
    def prompt_tokens(self) -> int:
        """The words of all messages, which are taken for tokens."""
        return sum(message.words for message in self.messages)


class Usage(BaseModel):
    """How many tokens there were."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Answer(BaseModel):
    """A message of the assistant."""

    role: Literal["assistant"] = "assistant"
    content: str


class Choice(BaseModel):
    """The one answer."""

    index: Literal[0] = 0
    message: Answer
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


class Trouble(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class Refusal(BaseModel):
    """An error as this interface tells it."""

    error: Trouble


def refused(message: str, kind: str, param: str | None = None, code: str | None = None) -> Refusal:
    """An error that is told."""
    return Refusal(error=Trouble(message=message, type=kind, param=param, code=code))


class OpenAiRoute(APIRoute):
    """A route whose errors have this interface's shape: 400 for a body that is wrong, 422 for a knob."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, its errors told in this shape."""
        handle = super().get_route_handler()

        async def handle_and_tell(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                return _told(error)
            except HTTPException as error:
                told = refused(str(error.detail), "invalid_request_error")
                return JSONResponse(told.model_dump(), error.status_code)

        return handle_and_tell


def _told(error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    place, *names = first["loc"]
    param = ".".join(str(name) for name in names) or None
    code = "missing_required_parameter" if first["type"] == "missing" else "invalid_value"
    message = f"{param}: {first['msg']}" if param else first["msg"]
    told = refused(message, "invalid_request_error", param, code)
    return JSONResponse(told.model_dump(), 422 if place == "query" else 400)
