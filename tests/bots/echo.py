"""A bot on a WebSocket, by the messages of VoxEngine's media streams: echo.py HERTZ [URL]

It answers each piece of sound with as much of a tone, and silence with silence. On a text `ahead SECONDS` it sends that
much of its tone at once. It goes to the URL, or else listens and prints its port.
"""

import array
import asyncio
import base64
import json
import math
import sys

import websockets

HERTZ = float(sys.argv[1])
RATE = 8_000


class Tone:
    def __init__(self):
        self.at = 0

    def samples(self, count):
        step = 2 * math.pi * HERTZ / RATE
        piece = array.array("h", (round(6_000 * math.sin(step * n)) for n in range(self.at, self.at + count)))
        self.at += count
        return piece.tobytes()


def media(chunk, timestamp, octets):
    payload = base64.b64encode(octets).decode()
    return json.dumps({"event": "media", "media": {"chunk": chunk, "timestamp": timestamp, "payload": payload}})


async def serve(socket):
    tone, chunk, at = Tone(), 0, 0
    start = {"mediaFormat": {"encoding": "PCM8", "sampleRate": RATE}, "customParameters": json.dumps({"bot": "echo"})}
    await socket.send(json.dumps({"event": "start", "sequenceNumber": 0, "start": start}))

    async def say(octets):
        nonlocal chunk, at
        chunk += 1
        await socket.send(media(chunk, at, octets))
        at += len(octets) // 2

    async for text in socket:
        if text.startswith("ahead "):
            for _ in range(round(float(text.split()[1]) * 50)):
                await say(tone.samples(160))
            continue
        message = json.loads(text)
        if message["event"] != "media" or "quiet" in socket.request.path:
            continue
        heard = array.array("h", base64.b64decode(message["media"]["payload"]))
        sounds = max(map(abs, heard)) > 500
        await say(tone.samples(len(heard)) if sounds else bytes(2 * len(heard)))


async def main():
    if len(sys.argv) > 2:
        async with websockets.connect(sys.argv[2]) as socket:
            return await serve(socket)
    async with websockets.serve(serve, "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
