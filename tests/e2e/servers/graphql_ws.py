"""An aiohttp server that speaks graphql-transport-ws, and SignalR's JSON handshake; it keeps what clients say.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
import json

from aiohttp import WSMsgType, web

SAID = []
RECORD = "\x1e"


async def graphql(request):
    """``connection_init`` → ``connection_ack``; each ``subscribe`` → three ``next`` and ``complete``; else a close."""
    socket = web.WebSocketResponse(protocols=("graphql-transport-ws",))
    await socket.prepare(request)
    if socket.ws_protocol is None:
        await socket.close(code=4406, message=b"Subprotocol not acceptable")
        return socket
    acknowledged = False
    async for message in socket:
        said = json.loads(message.data)
        SAID.append(said["type"])
        if said["type"] == "connection_init" and not acknowledged:
            acknowledged = True
            await socket.send_json({"type": "connection_ack"})
        elif said["type"] == "subscribe" and acknowledged:
            for number in range(3):
                await socket.send_json({"id": said["id"], "type": "next", "payload": {"data": {"n": number}}})
                await asyncio.sleep(0.005)
            await socket.send_json({"type": "ping"})
            await socket.send_json({"id": said["id"], "type": "complete"})
        elif said["type"] != "pong":
            await socket.close(code=4401, message=b"Unauthorized")
    return socket


async def signalr(request):
    """Frames end with the record separator; a call before the handshake is an error, as is a text that is not one."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    shaken = False
    async for message in socket:
        SAID.append([message.type is WSMsgType.BINARY, str(message.data)])
        if message.type is not WSMsgType.TEXT or not message.data.endswith(RECORD):
            await socket.close(code=1002)
        elif not shaken:
            shaken = True
            await socket.send_str("{}" + RECORD)
        else:
            for number in range(3):
                await socket.send_str(json.dumps({"type": 1, "target": "level", "arguments": [number]}) + RECORD)
            await socket.close()
    return socket


async def said(_):
    found = web.json_response(list(SAID))
    SAID.clear()
    return found


async def main():
    app = web.Application()
    app.add_routes([web.get("/graphql", graphql), web.get("/signalr", signalr), web.get("/said", said)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
