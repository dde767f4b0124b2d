"""aiortc, unchanged, goes into a room by WHIP: whip.py URL TOKEN SAYS-HERTZ SECONDS HEARS-HERTZ...

It says one tone, and tells how loud it heard each of the others in the last second, in dBFS, as JSON.
"""

import asyncio
import fractions
import json
import math
import struct
import sys
import urllib.parse
import urllib.request

import aioice.ice
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from av import AudioFrame

RATE = 48_000
FRAME = RATE // 50

# It offers no address of the loopback interface, and the test has no other.
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]


class Tone(MediaStreamTrack):
    kind = "audio"

    def __init__(self, hertz):
        super().__init__()
        self.hertz, self.at, self.began = hertz, 0, None

    async def recv(self):
        loop = asyncio.get_running_loop()
        self.began = self.began or loop.time()
        await asyncio.sleep(max(0, self.began + self.at / RATE - loop.time()))
        step = 2 * math.pi * self.hertz / RATE
        samples = (round(8_000 * math.sin(step * n)) for n in range(self.at, self.at + FRAME))
        frame = AudioFrame(format="s16", layout="mono", samples=FRAME)
        frame.planes[0].update(struct.pack(f"<{FRAME}h", *samples))
        frame.pts, frame.sample_rate, frame.time_base = self.at, RATE, fractions.Fraction(1, RATE)
        self.at += FRAME
        return frame


async def listen(track, heard):
    while True:
        frame = await track.recv()
        count, channels = frame.samples, len(frame.layout.channels)
        samples = struct.unpack(f"<{count * channels}h", bytes(frame.planes[0])[: 2 * count * channels])
        heard.extend(samples[::channels])
        del heard[:-RATE]


def level(samples, hertz):
    if not samples:
        return -120.0
    step = 2 * math.pi * hertz / RATE
    real = sum(sample * math.cos(step * n) for n, sample in enumerate(samples))
    imaginary = sum(sample * math.sin(step * n) for n, sample in enumerate(samples))
    return 20 * math.log10(max(2 * math.hypot(real, imaginary) / len(samples) / 32_768, 1e-6))


def ask(method, url, token, body=None):
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    request = urllib.request.Request(url, body and body.encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=20) as response:
        return response.read().decode(), response.headers


async def main(url, token, says, seconds, *hears):
    connection, heard, listening = RTCPeerConnection(), [], []
    connection.on("track", lambda track: listening.append(asyncio.ensure_future(listen(track, heard))))
    connection.addTrack(Tone(float(says)))
    await connection.setLocalDescription(await connection.createOffer())
    answer, headers = await asyncio.to_thread(ask, "POST", url, token, connection.localDescription.sdp)
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await asyncio.sleep(float(seconds))
    state, last = connection.connectionState, list(heard)
    await asyncio.to_thread(ask, "DELETE", urllib.parse.urljoin(url, headers["Location"]), token)
    await connection.close()
    levels = {hertz: level(last, float(hertz)) for hertz in (says, *hears)}
    print(json.dumps({"state": state, "links": headers.get_all("Link") or [], "levels": levels}))


asyncio.run(main(*sys.argv[1:]))
