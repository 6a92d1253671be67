"""Debian's Janus, started from the files that an operator gets (`deploy/janus`)."""

import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from tests.bed.space import end, namespace, need

FILES = Path(__file__).resolve().parents[2] / "deploy" / "janus"
SECRETS = {"API_SECRET": "an api secret", "TOKEN_SECRET": "a token secret", "ADMIN_KEY": "an admin key"}


class Janus:
    """A running Janus: its addresses, and the environment by which Konsilium finds it."""

    def __init__(self, space, folder):
        self.space, self.folder, self.process = space, folder, None
        self.recordings = folder / "recordings"
        self.recordings.mkdir(parents=True, exist_ok=True)
        self.http = f"http://{space.inside}:8088/janus"
        self.ws = f"ws://{space.inside}:8188"
        self.environment = {
            "KONSILIUM_VIDEO_ENGINE": "janus",
            "KONSILIUM_JANUS_URL": self.ws,
            "KONSILIUM_JANUS_API": self.http,
            "KONSILIUM_JANUS_RECORDINGS": str(self.recordings),
            **{f"KONSILIUM_JANUS_{name}": value for name, value in SECRETS.items()},
        }

    def write(self):
        values = {
            "FOLDER": str(self.folder),
            "ADDRESS": self.space.inside,
            "HTTP_ADDRESS": self.space.inside,
            **SECRETS,
        }
        for file in FILES.glob("*.jcfg"):
            text = file.read_text()
            for name, value in values.items():
                text = text.replace(f"@{name}@", value)
            (self.folder / file.name).write_text(text)

    def start(self):
        """Start it and wait until its HTTP interface answers."""
        self.process = self.space.start(
            "janus", f"--configs-folder={self.folder}", log=self.folder / "janus.log"
        )
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.http}/info", timeout=1).read()
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
            else:
                return
        raise AssertionError((self.folder / "janus.log").read_text()[-3000:])

    def kill(self):
        """As a crash would."""
        self.process.kill()
        self.process.wait(5)

    def stop(self):
        if self.process.poll() is None:
            end(self.process)


@contextmanager
def janus(folder, space=None):
    """Run a Janus in a namespace, in its own when none is given. Skips where that isn't possible."""
    need("janus")
    if space is None:
        with namespace() as own, janus(folder, own) as running:
            yield running
        return
    running = Janus(space, folder)
    running.write()
    running.start()
    try:
        yield running
    finally:
        running.stop()
