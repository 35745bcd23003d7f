"""``/stream/ws``: WebSocket messages (RFC 6455)."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Annotated

import anyio
from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import WebSocketRequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.status import WS_1000_NORMAL_CLOSURE, WS_1008_POLICY_VIOLATION, WS_1011_INTERNAL_ERROR

from target_app.knobs import Knobs
from target_app.producer import Form, StreamCutError, produce
from target_app.readings import reading_json
from target_app.streams.catalogue import WEBSOCKET
from target_app.streams.description import LINE_ITEM, REFUSALS

router = APIRouter(tags=[WEBSOCKET.tag])


class Messages(Form[str]):
    """Messages, and the close code. The server sends WebSocket pings as heartbeats."""

    has_terminator = True

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes
        self.close_code = WS_1000_NORMAL_CLOSURE

    def chunk(self, number: int) -> str:
        """Encode a message of the type ``reading``."""
        return reading_json(number, b'"type":"reading",', self._size_bytes).decode("ascii")

    def terminator(self, chunks: int) -> str:
        """Encode the message of the type ``done``."""
        return f'{{"type":"done","chunks":{chunks}}}'

    def error(self, message: str) -> str:
        """Encode the message of the type ``error``, and set its close code."""
        self.close_code = WS_1011_INTERNAL_ERROR
        return f'{{"type":"error","message":"{message}"}}'


@router.websocket(WEBSOCKET.path)
async def stream_websocket(websocket: WebSocket, knobs: Annotated[Knobs, Query()]) -> None:
    """Accept, send the messages, close. Messages of the client are ignored, except its close."""
    await websocket.accept()
    form, cut = Messages(knobs.chunk_bytes), None
    async with aclosing(produce(form, knobs, websocket)) as messages, anyio.create_task_group() as group:
        group.start_soon(_cancel_on_disconnect, websocket, group.cancel_scope)
        try:
            await _send_all(websocket, form, messages)
        except StreamCutError as error:
            cut = error
        group.cancel_scope.cancel()
    if cut is not None:
        raise cut  # the server closes the connection without a closing handshake


async def _send_all(websocket: WebSocket, form: Messages, messages: AsyncGenerator[str]) -> None:
    with suppress(WebSocketDisconnect):
        async for message in messages:
            await websocket.send_text(message)
        await websocket.close(form.close_code)


async def _cancel_on_disconnect(websocket: WebSocket, sending: anyio.CancelScope) -> None:
    """Cancel the sending when the client disconnects. Only reading its messages shows that."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
    sending.cancel()


async def reject_knobs(websocket: WebSocket, error: Exception) -> None:
    """Answer wrong knobs with status 422, like the other streams, if the server can do so before the handshake."""
    assert isinstance(error, WebSocketRequestValidationError)
    if "websocket.http.response" in websocket.scope.get("extensions", {}):
        answer = JSONResponse({"detail": jsonable_encoder(error.errors())}, 422)
        await websocket.send_denial_response(answer)
    else:
        await websocket.close(WS_1008_POLICY_VIOLATION)


@router.get(
    WEBSOCKET.path,
    summary=WEBSOCKET.title,
    status_code=426,
    response_class=PlainTextResponse,
    responses={
        101: {
            "description": '`chunks` text messages of `"type":"reading"`, one of `"type":"done"`, and a close with '
            'code 1000. A failing stream ends with one of `"type":"error"` and code 1011 instead.',
            "content": {"application/json": {"schema": LINE_ITEM}},
        },
        426: {"description": "The request is no WebSocket upgrade."},
        **REFUSALS,
    },
)
async def explain_websocket(_knobs: Annotated[Knobs, Query()]) -> PlainTextResponse:
    """A WebSocket: each message is a JSON object that a note fills to `chunk_bytes`. Send an upgrade request."""
    return PlainTextResponse("this is a WebSocket\n", 426, {"Upgrade": "websocket", "Connection": "Upgrade"})
