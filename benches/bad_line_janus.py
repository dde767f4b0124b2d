"""What a µ-law telephone hears through Janus of a caller on a bad line: takes the place of bad_line.rs for bad_line.py.

    BAD_LINE=… bad_line_janus.py CODEC LOSS BURST JITTER SEED < SOUND > SOUND

BAD_LINE is what bad_line.rs is built to: it makes the packets. A Janus of its own (Debian's package) has a room of its
AudioBridge, at the rate of the codec, with two plain RTP participants; packets are sent as they would arrive, in real
time. What is heard of the last time that the sound is sent is written.
"""

import json
import os
import selectors
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy

# Payload type and rate of the room.
CODECS = {"pcmu": (0, 16_000), "opus": (96, 48_000)}
TIMES = 3
PACKET = 0.02
TAIL = 0.6


def decoded(octets):
    """Samples of µ-law (G.711)."""
    inverted = ~numpy.frombuffer(octets, dtype=numpy.uint8)
    magnitude = (((inverted & 15).astype(int) << 3) + 132 << ((inverted >> 4) & 7)) - 132
    return numpy.where(inverted & 128, -magnitude, magnitude).astype("<i2")


class Janus:
    """A Janus on a port of its own, and a session in it."""

    def __init__(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        files = {
            "janus.jcfg": "general: { debug_level = 2 }\n",
            "janus.transport.http.jcfg": f'general: {{ http = true, port = {port}, ip = "127.0.0.1", https = false }}\n',
            "janus.plugin.audiobridge.jcfg": 'general: { local_ip = "127.0.0.1" }\n',
        }
        for name, text in files.items():
            (folder / name).write_text(text)
        self.process = subprocess.Popen(
            ["janus", "-F", str(folder), "--disable-colors"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.url = f"http://127.0.0.1:{port}/janus"
        for _ in range(100):
            try:
                self.session = self.ask("", janus="create")["data"]["id"]
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("Janus does not answer")

    def ask(self, path, **body):
        body["transaction"] = "bench"
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def attach(self):
        path = f"/{self.session}"
        handle = self.ask(path, janus="attach", plugin="janus.plugin.audiobridge")["data"]["id"]
        return f"{path}/{handle}"

    def join(self, codec, payload_type, ours):
        """Joins the room by plain RTP. Gives where Janus wants it."""
        rtp = {"ip": "127.0.0.1", "port": ours.getsockname()[1], "payload_type": payload_type, "fec": codec == "opus"}
        self.ask(self.attach(), janus="message", body={"request": "join", "room": 1, "codec": codec, "rtp": rtp})
        while True:
            with urllib.request.urlopen(f"{self.url}/{self.session}?maxev=1", timeout=10) as answer:
                data = json.load(answer).get("plugindata", {}).get("data", {})
            if data.get("audiobridge") == "joined" and "rtp" in data:
                return "127.0.0.1", data["rtp"]["port"]
            if "error" in data:
                raise RuntimeError(data["error"])


def arriving(octets):
    """The packets that arrive, each with its time in seconds."""
    at = 0
    while at < len(octets):
        micros, length = struct.unpack_from("!QH", octets, at)
        at += 10
        yield micros / 1e6, octets[at : at + length]
        at += length


def played(codec, packets, end):
    """What the listener is sent until `end`: samples, by where their timestamps put them, from the first packet on."""
    payload_type, rate = CODECS[codec]
    with tempfile.TemporaryDirectory() as folder, socket.socket(type=socket.SOCK_DGRAM) as caller, socket.socket(
        type=socket.SOCK_DGRAM
    ) as listener:
        for ours in (caller, listener):
            ours.bind(("127.0.0.1", 0))
        janus = Janus(Path(folder))
        try:
            room = {"request": "create", "room": 1, "sampling_rate": rate, "allow_rtp_participants": True}
            janus.ask(janus.attach(), janus="message", body=room)
            listening = janus.join("pcmu", 0, listener)
            there = janus.join(codec, payload_type, caller)
            waiting = selectors.DefaultSelector()
            waiting.register(listener, selectors.EVENT_READ)
            heard, start, due, sent = [], time.monotonic(), next(packets, None), 0
            while (now := time.monotonic() - start) < end:
                while due and due[0] <= now:
                    caller.sendto(due[1], there)
                    due = next(packets, None)
                # Janus sends nothing to whom it hears nothing of.
                if sent * PACKET <= now:
                    head = struct.pack("!BBHII", 0x80, 0, sent, 160 * sent, 9)
                    listener.sendto(head + b"\xff" * 160, listening)
                    sent += 1
                until = min(due[0] if due else end, sent * PACKET, end)
                if waiting.select(max(until - now, 0)):
                    packet = listener.recv(2_048)
                    heard.append((struct.unpack_from("!I", packet, 4)[0], decoded(packet[12:])))
        finally:
            janus.process.terminate()
            janus.process.wait()
    if not heard:
        raise RuntimeError("Janus sent nothing")
    return numpy.concatenate([samples for _, samples in sorted(heard, key=lambda item: item[0])])


def main():
    if len(sys.argv) != 6 or sys.argv[1] not in CODECS:
        sys.exit(__doc__)
    sound = sys.stdin.buffer.read()
    made = subprocess.run([os.environ["BAD_LINE"], "packets", *sys.argv[1:]], input=sound, stdout=subprocess.PIPE)
    made.check_returncode()
    seconds = len(sound) / 2 / {"pcmu": 8_000, "opus": 48_000}[sys.argv[1]]
    samples = played(sys.argv[1], arriving(made.stdout), TIMES * seconds + TAIL)
    # The last time, with what was before it for as long as the delay may be.
    samples = samples[-int((seconds + TAIL) * 8_000) :]
    sys.stdout.buffer.write(samples.astype("<i2").tobytes())


if __name__ == "__main__":
    main()
