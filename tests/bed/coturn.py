"""Debian's coturn, started from the file that an operator gets (`deploy/coturn`)."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from konsilium.adapters.turn import Turn, ice_servers
from tests.bed.space import end, namespace, need

FILE = Path(__file__).resolve().parents[2] / "deploy" / "coturn" / "turnserver.conf"
SECRET = "a secret that the tests share"
PORT = 3478
PORTS_TRIED, TAKEN = 5, 437


class Coturn:
    """A running coturn: its address, and the settings by which Konsilium hands its relays out."""

    def __init__(self, space, folder):
        self.space, self.folder, self.process = space, folder, None
        self.address = (space.inside, PORT)
        self.url = f"turn:{space.inside}:{PORT}?transport=udp"
        self.turn = Turn((self.url,), SECRET)
        self.environment = {"KONSILIUM_TURN_URLS": self.url, "KONSILIUM_TURN_SECRET": SECRET}

    def write(self):
        values = {
            "ADDRESS": self.space.inside,
            "PORT": str(PORT),
            "FIRST": "49152",
            "LAST": "49999",
            "SECRET": SECRET,
            "REALM": "konsilium",
            "FOLDER": str(self.folder),
        }
        text = FILE.read_text()
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        (self.folder / "turnserver.conf").write_text(text)

    def start(self):
        """Start it and wait until it gives a relay for credentials of ours."""
        log = self.folder / "turnserver.log"
        self.process = self.space.start("turnserver", "-c", self.folder / "turnserver.conf", log=log)
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                # In a thread: where a browser is driven, this one has a loop that runs already.
                with ThreadPoolExecutor(1) as threads:
                    threads.submit(lambda: asyncio.run(self._ask())).result()
            except (OSError, TimeoutError):
                time.sleep(0.1)
            else:
                return
        raise AssertionError(log.read_text()[-3000:])

    async def _ask(self):
        async with asyncio.timeout(1):
            relay = await self.relay()
            relay.close()
            await asyncio.sleep(0.05)

    async def relay(self, *, name="test", at=None, turn=None, receiver=asyncio.DatagramProtocol, **named):
        """Take a relay with credentials made at this moment, and return its transport."""
        from aioice.stun import TransactionFailed
        from aioice.turn import create_turn_endpoint

        (server,) = ice_servers(turn or self.turn, name, at or datetime.now(UTC), **named)
        credentials = {"username": server["username"], "password": server["credential"]}
        for _ in range(PORTS_TRIED):
            try:
                transport, _ = await create_turn_endpoint(receiver, self.address, **credentials)
            except TransactionFailed as failed:
                # The port that the system gave was another test's a moment ago, and its relay still stands.
                if failed.response.attributes["ERROR-CODE"][0] != TAKEN:
                    raise
            else:
                return transport
        raise AssertionError("no port without a relay")

    def stop(self):
        if self.process and self.process.poll() is None:
            end(self.process)


@contextmanager
def coturn(folder, space=None):
    """Run a coturn in a namespace, in its own when none is given. Skips where that isn't possible."""
    need("turnserver")
    if space is None:
        with namespace() as own, coturn(folder, own) as running:
            yield running
        return
    running = Coturn(space, folder)
    running.write()
    try:
        running.start()
        yield running
    finally:
        running.stop()
