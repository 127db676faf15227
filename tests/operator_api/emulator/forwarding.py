"""What stands behind a pod's portforward: a port of this machine, as the kubelet leads to one in the pod.

Framing is that of v4.channel.k8s.io: each message begins with its channel, and a channel's first one names the port.
"""

import asyncio
import struct

from aiohttp import WSMsgType, web

PROTOCOL = "v4.channel.k8s.io"


async def forward(request: web.Request, port: int | None) -> web.StreamResponse:
    """Pass bytes between the WebSocket and a port; without one, say on the channel of errors that nobody listens.

    Who accepts one type alone is refused, as by containerd, whose route promises none (recorded with 1.6.20).
    """
    if request.headers.get("Accept", "*/*") != "*/*":
        raise web.HTTPNotAcceptable(text="406: Not Acceptable\n\nAvailable representations: ")
    channel = web.WebSocketResponse(protocols=(PROTOCOL,), max_msg_size=0)
    await channel.prepare(request)
    asked = struct.pack("<H", int(request.query["ports"]))
    await channel.send_bytes(b"\x00" + asked)
    await channel.send_bytes(b"\x01" + asked)
    try:
        if port is None:
            raise ConnectionRefusedError
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        await channel.send_bytes(b"\x01error forwarding port: connection refused")
        await channel.close()
        return channel
    back = asyncio.create_task(_back(reader, channel))
    try:
        async for message in channel:
            if message.type is WSMsgType.BINARY:
                writer.write(message.data[1:])
                await writer.drain()
    finally:
        back.cancel()
        writer.close()
    return channel


async def _back(reader: asyncio.StreamReader, channel: web.WebSocketResponse) -> None:
    while chunk := await reader.read(65536):
        await channel.send_bytes(b"\x00" + chunk)
    await channel.close()
