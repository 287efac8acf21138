"""An echo by aiortc, behind aiohttp as in aiortc's own server example. Back-pressure by `bufferedamountlow`."""

import argparse
import asyncio
from collections import deque

from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

# Senders stop at HIGH unsent bytes and go on at LOW.
HIGH = 1024 * 1024
LOW = 256 * 1024

HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "content-type",
    "Access-Control-Max-Age": "7200",
}

peers = set()


class Work:
    """One channel's work, by its label (README.md)."""

    def __init__(self, channel):
        self.channel = channel
        self.waiting = deque()
        self.received = 0
        channel.bufferedAmountLowThreshold = LOW
        channel.on("bufferedamountlow", self.low)
        channel.on("message", {"sink": self.sink, "source": self.source}.get(channel.label, self.echo))

    def low(self):
        while self.waiting and self.channel.bufferedAmount < HIGH and self.channel.readyState == "open":
            self.channel.send(self.waiting.popleft())

    def echo(self, message):
        self.waiting.append(message)
        self.low()

    def sink(self, message):
        if isinstance(message, str):
            self.channel.send(str(self.received))
        else:
            self.received += len(message)

    def source(self, request):
        size, count = map(int, request.split())
        self.waiting.extend([bytes(size)] * count)
        self.low()


async def offer(request):
    description = await request.json()
    # By default it asks a public STUN server.
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peers.add(peer)

    async def end():
        await peer.close()
        peers.discard(peer)

    @peer.on("datachannel")
    def on_datachannel(channel):
        Work(channel)
        channel.on("close", lambda: asyncio.ensure_future(end()))

    @peer.on("connectionstatechange")
    async def on_connectionstatechange():
        if peer.connectionState in ("closed", "failed"):
            await end()

    await peer.setRemoteDescription(RTCSessionDescription(sdp=description["sdp"], type="offer"))
    # Resolves when all candidates are gathered.
    await peer.setLocalDescription(await peer.createAnswer())
    answer = {"type": "answer", "sdp": peer.localDescription.sdp}
    return web.json_response(answer, status=201, headers=HEADERS)


async def other(_request):
    return web.Response(status=204, headers=HEADERS)


async def main(port):
    application = web.Application()
    application.router.add_post("/offer", offer)
    application.router.add_route("*", "/{path:.*}", other)
    runner = web.AppRunner(application, access_log=None, keepalive_timeout=600)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", port).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=0)
asyncio.run(main(parser.parse_args().port))
