"""A bad network: late_relay.py LISTEN GATEWAY MILLISECONDS [PERCENT] stands between the load generator and the gateway.

Every packet of sound to the gateway comes later by 0 to MILLISECONDS, each as likely as the other, and PERCENT of them
(0) do not come at all. What the gateway sends goes on at once. Of SIP, only the INVITE and its answers pass here; the relay puts itself into their descriptions of the
sound. IPv4 and ports of five digits, so that no length changes.
"""

import contextlib
import heapq
import os
import random
import re
import select
import socket
import sys
import time

AUDIO = re.compile(rb"(?<=m=audio )\d{5}")
CALL_ID = re.compile(rb"\r\nCall-ID: *([^\r]+)", re.IGNORECASE)

Address = tuple[str, int]


class Call:
    """One call: the socket that both sides take for each other, and where they are."""

    def __init__(self, caller: Address) -> None:
        self.socket = bound(("127.0.0.1", 0))
        self.caller = caller  # of the INVITE
        self.phone: Address | None = None
        self.gateway: Address | None = None

    def port(self) -> bytes:
        return b"%05d" % self.socket.getsockname()[1]


def bound(address: Address) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(address)
    made.setblocking(False)
    return made


def address(text: str) -> Address:
    host, port = text.split(":")
    return host, int(port)


class Relay:
    def __init__(self, listen: Address, gateway: Address, latest: float, lost: float) -> None:
        self.sip = bound(listen)
        self.gateway = gateway
        self.latest = latest
        self.lost = lost
        self.calls: dict[bytes, Call] = {}
        self.by_descriptor: dict[int, Call] = {}
        self.ready = select.epoll()
        self.ready.register(self.sip, select.EPOLLIN)
        self.waiting: list[tuple[float, int, Call, bytes]] = []
        self.counted = 0
        self.draw = random.Random(1)

    def run(self) -> None:
        while True:
            until = self.waiting[0][0] - time.monotonic() if self.waiting else None
            for one, _ in self.ready.poll(until if until is None else max(until, 0)):
                call = self.by_descriptor.get(one)
                while True:
                    try:
                        data, source = (call.socket if call else self.sip).recvfrom(4096)
                    except BlockingIOError:
                        break
                    if call:
                        self.on_sound(call, data, source)
                    else:
                        self.on_sip(data, source)
            while self.waiting and self.waiting[0][0] <= time.monotonic():
                _, _, call, data = heapq.heappop(self.waiting)
                call.socket.sendto(data, call.gateway)

    def on_sip(self, data: bytes, source: Address) -> None:
        named, audio = CALL_ID.search(data), AUDIO.search(data)
        if not named:
            return
        call = self.calls.get(named[1])
        if call is None:
            call = self.calls[named[1]] = Call(source)
            self.by_descriptor[call.socket.fileno()] = call
            self.ready.register(call.socket, select.EPOLLIN)
        if audio:
            other = ("127.0.0.1", int(audio[0]))
            if source == self.gateway:
                call.gateway = other
            else:
                call.phone = other
            data = AUDIO.sub(call.port(), data)
        self.sip.sendto(data, call.caller if source == self.gateway else self.gateway)

    def on_sound(self, call: Call, data: bytes, source: Address) -> None:
        if source == call.gateway and call.phone:
            call.socket.sendto(data, call.phone)
        elif source == call.phone and call.gateway:
            if self.draw.random() < self.lost:
                return
            if not self.latest:
                call.socket.sendto(data, call.gateway)
                return
            self.counted += 1
            due = time.monotonic() + self.draw.uniform(0, self.latest)
            heapq.heappush(self.waiting, (due, self.counted, call, data))


def main() -> None:
    with contextlib.suppress(PermissionError):  # punctual, where the system permits it
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(15))
    listen, gateway, milliseconds, *percent = sys.argv[1:]
    lost = float(percent[0]) / 100 if percent else 0
    Relay(address(listen), address(gateway), float(milliseconds) / 1000, lost).run()


main()
