"""A Starlette app under uvicorn with WebSockets by wsproto, token streams, multipart and gzip; it logs every send."""

import asyncio
import json
import socket
import time

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

CONNECTIONS = set()
STREAMS = []
WORDS = ("the ", "river ", "rises ", "in ", "Höhe ", "of ", "spring ")


async def paced(scope, knobs):
    """The numbers 1 to ``chunks`` at a pace, those that ``skip`` names left out, each logged when it is let go."""
    chunks, interval_s = int(knobs.get("chunks", 5)), float(knobs.get("interval_ms", 20)) / 1000
    skip = {int(number) for number in knobs.get("skip", "").split(",") if number}
    CONNECTIONS.add(scope["client"])
    sends = []
    STREAMS.append(sends)
    begin = time.monotonic()
    for number in [number for number in range(1, chunks + 1) if number not in skip]:
        await asyncio.sleep(begin + number * interval_s - time.monotonic())
        sends.append(time.monotonic_ns())
        yield number


async def messages(websocket):
    """Numbered messages, then a close with ``code``."""
    knobs = websocket.query_params
    await websocket.accept()
    if "echo" in knobs:
        await websocket.send_json({"n": 0, "echo": await websocket.receive_text()})
    try:
        async for number in paced(websocket.scope, knobs):
            await websocket.send_json({"n": number, "level": "x" * int(knobs.get("bytes", 50))})
        await websocket.close(int(knobs.get("code", 1000)))
    except (WebSocketDisconnect, RuntimeError):  # the client closed first
        pass


async def refuses(websocket):
    """A close before the handshake, which is a status."""
    await websocket.close()


async def completions(request):
    """A chat completion: a role, words for each choice, the reason why it ends, the usage, ``[DONE]``."""
    asked = await request.json()
    tokens, choices = int(asked.get("max_tokens", 5)), int(asked.get("n", 1))

    def frame(value):
        return f"data: {json.dumps(value)}\n\n"

    def choice(index, delta, reason=None):
        found = {"index": index, "delta": delta, "finish_reason": reason}
        return frame({"object": "chat.completion.chunk", "model": asked["model"], "choices": [found]})

    async def events():
        for index in range(choices):
            yield choice(index, {"role": "assistant", "content": ""})
        async for number in paced(request.scope, {"chunks": tokens * choices, **request.query_params}):
            yield choice(number % choices, {"content": WORDS[number % len(WORDS)]})
        for index in range(choices):
            yield choice(index, {}, "stop")
        if asked.get("stream_options", {}).get("include_usage"):
            yield frame({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2 * tokens * choices}})
        if "fails" in asked:
            yield frame({"error": {"message": asked["fails"], "type": "server_error"}})
        elif "cut" not in asked:
            yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


async def multipart(request):
    """Parts as cameras send them, with or without their lengths."""
    knobs = request.query_params

    async def parts():
        async for number in paced(request.scope, knobs):
            image = bytes([number]) * 1000
            length = f"Content-Length: {len(image)}\r\n" if "length" in knobs else ""
            yield f"--frame\r\nContent-Type: image/jpeg\r\n{length}\r\n".encode() + image + b"\r\n"
        if "endless" not in knobs:
            yield b"--frame--\r\n"

    return StreamingResponse(parts(), media_type="multipart/x-mixed-replace; boundary=frame")


async def lines(request):
    """Lines, which the middleware compresses for those who ask for it."""

    async def made():
        async for number in paced(request.scope, request.query_params):
            yield json.dumps({"n": number, "text": "level " * 20}) + "\n"

    return StreamingResponse(made(), media_type="application/x-ndjson")


async def log(request):
    """What happened since the last call."""
    found = {"connections": len(CONNECTIONS), "streams": list(STREAMS)}
    CONNECTIONS.clear()
    STREAMS.clear()
    return JSONResponse(found)


ROUTES = [
    WebSocketRoute("/ws", messages),
    WebSocketRoute("/refuses", refuses),
    Route("/v1/chat/completions", completions, methods=["POST"]),
    Route("/multipart", multipart),
    Route("/lines", lines),
    Route("/log", log),
]

if __name__ == "__main__":
    app = Starlette(routes=ROUTES, middleware=[Middleware(GZipMiddleware, minimum_size=0)])
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, ws="wsproto", log_level="error")).run(sockets=[listening])
