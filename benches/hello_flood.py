#!/usr/bin/env python3
"""How the gateway fares while TLS hellos are thrown at it: its threads' processor time, and how long a request over UDP waits.

    benches/hello_flood.py PID [--tls 5061] [--udp 5060] [--seconds 3] [--workers 2] [--rate 4000] [--from 127.0.0.1]

A hello is a connection, one ClientHello made beforehand, and the end of it as soon as something comes back: nearly all of its cost is the
server's. --connections opens so many TCP connections instead, holds them, and tells the gateway's memory before, with and after them.
"""

import argparse, multiprocessing, os, pathlib, socket, ssl, statistics, time


def hello():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    out = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), out).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def throw(target, source, until, pause, counts):
    data, answered, refused, due = hello(), 0, 0, time.monotonic()
    while time.monotonic() < until:
        due += pause
        time.sleep(max(0, due - time.monotonic()))
        try:
            with socket.socket() as connection:
                connection.settimeout(1)
                connection.bind((source, 0))
                # No trace in TIME_WAIT: ports are few.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                connection.connect(target)
                connection.sendall(data)
                answered, refused = (answered + 1, refused) if connection.recv(1) else (answered, refused + 1)
        except OSError:
            refused += 1
    counts.put((answered, refused))


def threads(pid):
    """Processor seconds of each thread, by name."""
    tick, used = os.sysconf("SC_CLK_TCK"), {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        name, _, rest = task.joinpath("stat").read_text().partition("(")[2].rpartition(")")
        run = int(task.joinpath("schedstat").read_text().split()[0]) / 1e9
        used[name] = used.get(name, 0) + run
    return used


def ask(udp, method, number):
    """Milliseconds to the final answer; an INVITE goes to a number that no route has."""
    here = "%s:%d" % udp.getsockname()
    key = f"flood{method}{number}"

    def send(method):
        message = (
            f"{method} sip:9@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{key}\r\nMax-Forwards: 70\r\n"
            f"From: <sip:b@{here}>;tag={number}\r\nTo: <sip:9@127.0.0.1>{to_tag}\r\nCall-ID: {key}@{here}\r\n"
            f"CSeq: 1 {method}\r\nContact: <sip:b@{here}>\r\nContent-Length: 0\r\n\r\n"
        )
        udp.send(message.encode())

    to_tag, began = "", time.monotonic()
    send(method)
    try:
        while True:
            answer = udp.recv(4096).decode(errors="replace")
            if key in answer and not answer.startswith("SIP/2.0 1"):
                break
    except TimeoutError:
        return None
    waited = (time.monotonic() - began) * 1000
    if method == "INVITE":
        to = next(line for line in answer.splitlines() if line.lower().startswith("to:"))
        to_tag = to.partition(">")[2]
        send("ACK")
    return waited


def wait_until_ready(place):
    """The gateway may have been started a moment ago."""
    until = time.monotonic() + 30
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", 0))
            udp.connect(place)
            udp.settimeout(1)
            try:
                if ask(udp, "OPTIONS", "ready") is not None:
                    return
            except ConnectionRefusedError:
                time.sleep(0.1)
        if time.monotonic() > until:
            raise SystemExit("no gateway answers at %s:%d" % place)


def resident(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def rush(options):
    before, held = resident(options.pid), []
    for number in range(options.connections):
        connection = socket.socket()
        connection.bind((f"127.0.{1 + number // 250}.1", 0))
        connection.connect(("127.0.0.1", options.udp))
        held.append(connection)
    time.sleep(1)
    full = resident(options.pid)
    for connection in held:
        connection.close()
    time.sleep(3)
    print(f"memory before {before:.1f} MiB, with {options.connections} connections {full:.1f} MiB, after {resident(options.pid):.1f} MiB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pid", type=int)
    for name, default in (("tls", 5061), ("udp", 5060), ("seconds", 3), ("workers", 2), ("rate", 4000), ("connections", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--from", dest="source", default="127.0.0.1")
    options = parser.parse_args()
    wait_until_ready(("127.0.0.1", options.udp))
    if options.connections:
        return rush(options)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp.connect(("127.0.0.1", options.udp))
    udp.settimeout(2)
    until, counts = time.monotonic() + options.seconds, multiprocessing.Queue()
    start = threads(options.pid)
    workers = [
        multiprocessing.Process(target=throw, args=(("127.0.0.1", options.tls), options.source, until, options.workers / options.rate, counts))
        for _ in range(options.workers)
    ]
    for worker in workers:
        worker.start()
    waits, number = {"OPTIONS": [], "INVITE": []}, 0
    while time.monotonic() < until:
        for method, each in waits.items():
            each.append(ask(udp, method, number))
        number += 1
        time.sleep(0.02)
    end = threads(options.pid)
    totals = [counts.get() for _ in workers]
    answered, refused = (sum(each) for each in zip(*totals)) if totals else (0, 0)
    print(f"hellos a second: {answered / options.seconds:.0f} answered, {refused / options.seconds:.0f} refused")
    for method, each in waits.items():
        heard = sorted(wait for wait in each if wait is not None) or [float("nan")]
        print(f"{method}: {len(each)} sent, {each.count(None)} unanswered,"
              f" p50 {statistics.median(heard):.2f} ms, p99 {heard[len(heard) * 99 // 100]:.2f} ms")
    for name in sorted(end):
        print(f"thread {name}: {(end[name] - start.get(name, 0)) / options.seconds:.3f} cores")


main()
