"""Access lines on this machine, for UDP and beside it TCP: each direction with a rate, a queue, a delay, jitter and loss.

A party's address is known by the port that stands for it. Whoever sends to that port is answered from the port that
stands for them, so that both sides believe in each other's stand-ins and every packet crosses the sender's line upwards
and the receiver's downwards. It needs neither root nor the kernel's help, and is as exact as the loop's clock: about a
millisecond.
"""

import asyncio
import random
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field

# IPv4 and UDP headers are on the wire too.
HEADERS = 28
# Two packets are never due at once, or a heap of callbacks would mix them.
MOMENT = 1e-6
# TCP's pieces, and how far it fills a router's queue before it waits.
SEGMENT = 1400
POLITE = 0.8


@dataclass
class Way:
    """One direction of a line. All may be changed while packets pass. Without a rate: as fast as it comes."""

    kbits: float | None = None
    delay_ms: float = 0
    jitter_ms: float = 0
    loss: float = 0
    # What a router holds back before it throws away.
    queue_ms: float = 250
    passed: int = 0
    dropped: int = 0
    octets: int = 0
    _free_at: float = field(default=0, repr=False)
    _last_at: float = field(default=0, repr=False)

    def backlog(self, now):
        """Return how many milliseconds of waiting packets there are."""
        return max(self._free_at - now, 0) * 1000 if self.kbits else 0

    def due(self, size, now, chance, *, may_lose=True):
        """Return when a packet that comes now leaves the other end; None when it is lost."""
        begin = max(now, self._free_at) if self.kbits else now
        if may_lose and (chance.random() < self.loss or begin - now > self.queue_ms / 1000):
            self.dropped += 1
            return None
        if self.kbits:
            begin += (size + HEADERS) * 8 / (self.kbits * 1000)
            self._free_at = begin
        self.passed += 1
        self.octets += size + HEADERS
        # Packets stay in their order, as on one path they do.
        due = begin + (self.delay_ms + chance.uniform(0, self.jitter_ms)) / 1000
        self._last_at = max(due, self._last_at + MOMENT)
        return self._last_at


@dataclass
class Line:
    """Somebody's access line."""

    up: Way = field(default_factory=Way)
    down: Way = field(default_factory=Way)

    def set(self, **values):
        """Change both directions."""
        for way in (self.up, self.down):
            for name, value in values.items():
                setattr(way, name, value)


class Emulator:
    """Lines in a thread of their own. Used as a context manager."""

    def __init__(self, seed=7):
        self._chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._owners, self._ports, self._sockets = {}, {}, []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def own(self, line, ip, port):
        """Say whose line this party's socket is on; one that nobody said is as fast as it comes."""
        self._call(lambda: self._owners.__setitem__((ip, port), line))

    def stand_in(self, ip, port):
        """Return the port, at the same address, that stands for this party."""
        return self._call(lambda: self._port((ip, port))).getsockname()[1]

    def door(self, server, line):
        """Return the port on loopback that leads to a UDP server at the far end of the line."""
        return self._call(lambda: self._open_door(server, line)).getsockname()[1]

    def stream_door(self, server, line):
        """Return the port on loopback that leads to a TCP server over the same line: pages and media share it."""
        opening = asyncio.start_server(lambda *ends: self._carry_stream(*ends, server, line), "127.0.0.1", 0)
        listening = asyncio.run_coroutine_threadsafe(opening, self._loop).result(5)
        self._sockets.append(listening)
        return listening.sockets[0].getsockname()[1]

    async def _carry_stream(self, reader, writer, server, line):
        ends = [writer]
        with suppress(OSError, asyncio.CancelledError):
            there, back = await asyncio.open_connection(*server)
            ends.append(back)
            await asyncio.gather(self._pump(reader, back, line.up), self._pump(there, writer, line.down))
        for end in ends:
            end.transport.abort()

    async def _pump(self, reader, writer, way):
        """Bring a stream through one direction: nothing of it is lost, it waits, and media waits behind it."""
        while data := await reader.read(SEGMENT):
            await asyncio.sleep(max(way.backlog(self._loop.time()) - way.queue_ms * POLITE, 0) / 1000)
            due = way.due(len(data), self._loop.time(), self._chance, may_lose=False)
            self._loop.call_at(due, _write, writer, data)
        await asyncio.sleep((way.delay_ms + way.jitter_ms + way.queue_ms) / 1000)
        if not writer.is_closing():
            writer.write_eof()

    def _port(self, target):
        if target not in self._ports:
            arrived = lambda data, source: self._carry(data, source, target)  # noqa: E731
            self._ports[target] = self._bind((target[0], 0), arrived)
        return self._ports[target]

    def _carry(self, data, source, target):
        """Bring a packet over the sender's line and the receiver's; it comes from the sender's stand-in."""
        free = Line()
        ways = [self._owners.get(source, free).up, self._owners.get(target, free).down]
        self._through(ways, data, lambda: _send(self._port(source), data, target))

    def _open_door(self, server, line):
        """Give every client of the door a socket of its own towards the server."""
        clients = {}

        def towards(client):
            if client not in clients:
                back = lambda data, _: self._through(  # noqa: E731
                    [line.down], data, lambda: _send(door, data, client)
                )
                clients[client] = self._bind(("0.0.0.0", 0), back)  # noqa: S104  its server may be in a namespace
            return clients[client]

        door = self._bind(
            ("127.0.0.1", 0),
            lambda data, client: self._through([line.up], data, lambda: _send(towards(client), data, server)),
        )
        return door

    def _through(self, ways, data, deliver):
        """Bring a packet through one direction after the other."""
        if not ways:
            deliver()
            return
        now = self._loop.time()
        due = ways[0].due(len(data), now, self._chance)
        if due is None:
            return
        if due <= now:
            self._through(ways[1:], data, deliver)
        else:
            self._loop.call_at(due, self._through, ways[1:], data, deliver)

    def _bind(self, address, arrived):
        bound = socket.socket(type=socket.SOCK_DGRAM)
        bound.setblocking(False)
        bound.bind(address)
        self._sockets.append(bound)
        self._loop.add_reader(bound, _drain, bound, arrived)
        return bound

    async def _close(self):
        for one in self._sockets:
            if isinstance(one, socket.socket):
                self._loop.remove_reader(one)
            one.close()
        streams = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in streams:
            task.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
        await asyncio.sleep(0)

    def _call(self, do):
        """Run it in the loop's thread and return what it returns."""

        async def run():
            return do()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(5)


def _drain(bound, arrived):
    while True:
        try:
            data, source = bound.recvfrom(65536)
        except OSError:
            # Nothing more, or somebody told us that nobody listens any more.
            return
        arrived(data, source)


def _write(writer, data):
    if not writer.is_closing():
        writer.write(data)


def _send(bound, data, target):
    try:
        bound.sendto(data, target)
    except OSError:
        # Gone, or no room: a line loses it too.
        return
