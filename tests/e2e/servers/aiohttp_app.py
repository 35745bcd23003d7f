"""Streams of every kind from aiohttp, which is none of our servers, on a port and on a Unix socket if one is named."""

import asyncio
import json
import sys

from aiohttp import MultipartWriter, web

CHUNKS, PAUSE_S = 30, 0.02
#: The paths of streams whose client hung up.
LEFT = web.AppKey("left", list)


async def paced():
    for number in range(1, CHUNKS + 1):
        await asyncio.sleep(PAUSE_S)
        yield number


async def _stream(request, media_type, chunks):
    response = web.StreamResponse(headers={"Content-Type": media_type})
    await response.prepare(request)
    try:
        async for chunk in chunks:
            await response.write(chunk)
        await response.write_eof()
    except ConnectionResetError:  # the client has hung up
        request.app[LEFT].append(request.path)
    return response


async def events(request):
    async def made():
        async for number in paced():
            yield b"id: %d\ndata: %s\n\n" % (number, b"x" * int(request.query.get("bytes", 100)))
        yield b"event: done\ndata: all\n\n"

    return await _stream(request, "text/event-stream", made())


async def lines(request):
    async def made():
        async for number in paced():
            yield json.dumps({"type": "reading", "number": number}).encode() + b"\n"
        yield b'{"type":"done","chunks":120}\n'

    return await _stream(request, "application/x-ndjson", made())


async def file(request):
    async def made():
        async for number in paced():
            yield b"%d\n" % number * 100

    return await _stream(request, "text/csv", made())


async def messages(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for number in paced():
        await socket.send_json({"type": "reading", "number": number})
    await socket.send_json({"type": "done"})
    await socket.close()
    return socket


async def parts(request):
    response = web.StreamResponse(headers={"Content-Type": "multipart/x-mixed-replace; boundary=frame"})
    await response.prepare(request)
    async for number in paced():
        with MultipartWriter("image/jpeg", boundary="frame") as writer:
            writer.append(b"x" * number, {"Content-Type": "image/jpeg"})
        await writer.write(response, close_boundary=number == CHUNKS)
    await response.write_eof()
    return response


async def chat(request):
    assert (await request.json())["stream"] is True

    async def made():
        async for number in paced():
            delta = {"choices": [{"index": 0, "delta": {"content": f"word {number} "}, "finish_reason": None}]}
            yield b"data: %s\n\n" % json.dumps(delta).encode()
        yield b"data: [DONE]\n\n"

    return await _stream(request, "text/event-stream", made())


async def left(request):
    return web.json_response(request.app[LEFT])


def build():
    app = web.Application()
    app[LEFT] = []
    streams = {
        "/stream/sse": events,
        "/stream/ndjson": lines,
        "/stream/file/readings.csv": file,
        "/stream/ws": messages,
        "/stream/multipart": parts,
    }
    app.add_routes([web.get(path, handler) for path, handler in streams.items()])
    app.add_routes([web.get("/left", left), web.post("/v1/chat/completions", chat)])
    return app


async def serve():
    runner = web.AppRunner(build())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    for path in sys.argv[1:]:
        await web.UnixSite(runner, path).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
