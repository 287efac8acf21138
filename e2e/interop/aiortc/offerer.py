"""Connects to a server as an aiortc offerer: `offerer.py https://127.0.0.1:8443 certificate.pem`.

Ends with an error unless every message comes back unchanged, and the channel labelled `chat` greets.
"""

import asyncio
import json
import ssl
import sys
import time
import urllib.request

import aiortc
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

ROUNDS = 5
SIZES = [0, 1, 1_200, 16_384, 65_536]
DEADLINE = 15  # seconds, for what takes milliseconds

server, certificate = sys.argv[1:]
trust = ssl.create_default_context(cafile=certificate)


def messages():
    """A text and a binary message of each size."""
    for size in SIZES:
        yield "x" if size == 1 else "ñ" * (size // 2)
        yield bytes(number % 251 for number in range(size))


def post(offer):
    """Sends the offer as the original demo's page does. Returns the answer and the session's id."""
    body = json.dumps({"sdp": offer.sdp, "type": offer.type}).encode()
    request = urllib.request.Request(f"{server}/offer", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, context=trust, timeout=DEADLINE) as reply:
        answer = json.load(reply)
        return RTCSessionDescription(**answer), reply.headers["Location"].rsplit("/", 1)[1]


class Connection:
    """One connection with one channel."""

    async def open(self, label):
        # aiortc would ask a public STUN server for its address.
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.channel = self.peer.createDataChannel(label)
        self.inbox = asyncio.Queue()
        self.channel.on("message", self.inbox.put_nowait)
        opened = asyncio.Event()
        self.channel.on("open", opened.set)

        await self.peer.setLocalDescription(await self.peer.createOffer())
        begun = time.monotonic()
        answer, self.session = await asyncio.to_thread(post, self.peer.localDescription)
        await self.peer.setRemoteDescription(answer)
        await asyncio.wait_for(opened.wait(), DEADLINE)
        self.milliseconds = (time.monotonic() - begun) * 1000

    async def receive(self):
        return await asyncio.wait_for(self.inbox.get(), DEADLINE)

    async def check_echo(self):
        sent = list(messages())
        for message in sent:
            self.channel.send(message)
        for message in sent:
            echo = await self.receive()
            assert echo == message, f"sent {len(message)} {type(message)}, received {len(echo)} {type(echo)}"

    async def close(self):
        await self.peer.close()


async def main():
    times = []
    for round in range(ROUNDS):
        connection = Connection()
        await connection.open("chat" if round == 0 else "any")
        if round == 0:
            greeting = await connection.receive()
            assert connection.session in greeting, greeting
        await connection.check_echo()
        await connection.close()
        times.append(f"{connection.milliseconds:.0f}")
    print(f"aiortc {aiortc.__version__}: {ROUNDS} connections, from POST to open {' '.join(times)} ms")


asyncio.run(main())
