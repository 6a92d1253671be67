"""A line that breaks: a proxy between a browser and the pages which resets, falls silent and delays."""

import socket
import struct
import threading
import time

PIECE = 64 * 1024
RESET = struct.pack("ii", 1, 0)


class BreakingLine:
    """Forward every connection to a port; count what the browser sends, and break as told.

    `reset_every`: bytes from the browser after which its connection is reset. `silent_after`: after so many bytes once,
    one connection stays open and moves nothing any more. `delay`: seconds before each piece.
    """

    def __init__(self, port, *, reset_every=0, silent_after=0, delay=0.0):
        """Listen on a port of our own, which the system chooses."""
        self.to, self.reset_every, self.silent_after, self.delay = port, reset_every, silent_after, delay
        self.sent = self.resets = self.silences = 0
        self._since = 0
        self._lock = threading.Lock()
        self._open = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        # The buffers of a loopback hold megabytes, which a reset would lose; a real line holds less.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE)
        self.port = self._listener.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """Hang up everything."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self):
        """Reset every connection that is open now."""
        with self._lock:
            lines = list(self._open)
        for line in lines:
            _reset(line)

    def _accept(self):
        while True:
            try:
                browser, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                _reset(browser)
                continue
            server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PIECE)
            with self._lock:
                self._open |= {browser, server}
            for one, other, is_up in ((browser, server, True), (server, browser, False)):
                threading.Thread(target=self._forward, args=(one, other, is_up), daemon=True).start()

    def _forward(self, one, other, is_up):
        try:
            while data := one.recv(PIECE):
                if self.delay:
                    time.sleep(self.delay)
                if is_up and not self._let_through(len(data), one, other):
                    return
                other.sendall(data)
        except OSError:
            pass
        # Browser and server end a connection whole: a half of it is of no use to either.
        _reset(one)
        _reset(other)
        with self._lock:
            self._open -= {one, other}

    def _let_through(self, count, one, other):
        """Count, and say whether the bytes go on; a silent line keeps them and stays open."""
        with self._lock:
            self.sent += count
            self._since += count
            is_silent = self.silent_after and self.sent >= self.silent_after and not self.silences
            is_reset = self.reset_every and self._since >= self.reset_every
            if is_silent:
                self.silences += 1
            elif is_reset:
                self.resets += 1
                self._since = 0
        if is_reset and not is_silent:
            _reset(one)
            _reset(other)
        return not (is_silent or is_reset)


def _reset(line):
    """End a connection at once, as a fallen line does: what it still holds is lost."""
    try:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    line.close()
