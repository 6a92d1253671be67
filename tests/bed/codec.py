"""Debian's baresip as a hospital's room codec: it calls, answers, and says what it gets."""

import json
import math
import socket
import struct
import subprocess
import time
import wave
from contextlib import contextmanager

from tests.bed.space import need

CONFIG = """
module_path /usr/lib/baresip/modules
module menu.so
module ctrl_tcp.so
module opus.so
module g711.so
module l16.so
module vp8.so
module aufile.so
module aubridge.so
module sndfile.so
module fakevideo.so
module uuid.so
module account.so
sip_listen {address}:{port}
net_interface {interface}
ctrl_tcp_listen {desk}:{control}
audio_player aubridge,heard
audio_source aufile,{folder}/tone.wav
audio_alert aufile,{folder}/alert.wav
ausrc_srate 48000
auplay_srate 48000
ausrc_channels 1
auplay_channels 1
video_source fakevideo,nil
video_display fakevideo,nil
video_size 320x240
video_fps 15
snd_path {folder}
rtp_ports 36000-36999
call_max_calls 2
"""


class Codec:
    """A running codec and its control line."""

    def __init__(self, process, line, address):
        self.process, self.line, self.address = process, line, address
        self.heard, self._rest = [], b""

    def say(self, command, params=""):
        text = json.dumps({"command": command, "params": params, "token": command}).encode()
        self.line.sendall(b"%d:%s," % (len(text), text))

    def hear(self, kind, seconds=15):
        """Wait for an event of this kind."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for message in self._read(deadline):
                self.heard.append(message)
                if message.get("type") == kind:
                    return message
        raise AssertionError((kind, [one.get("type") or one for one in self.heard]))

    def ask(self, command, params="", seconds=5):
        """Send a command and return its answer's text."""
        self.say(command, params)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for message in self._read(deadline):
                if message.get("response"):
                    return message.get("data", "")
                self.heard.append(message)
        raise AssertionError(command)

    def _read(self, deadline):
        self.line.settimeout(max(0.05, min(0.5, deadline - time.monotonic())))
        try:
            self._rest += self.line.recv(65536)
        except TimeoutError:
            return []
        found = []
        while b":" in self._rest:
            length, _, rest = self._rest.partition(b":")
            if len(rest) <= int(length):
                break
            found.append(json.loads(rest[: int(length)]))
            self._rest = rest[int(length) + 1 :]
        return found


def registered(codec, seconds=10):
    """Wait until it is registered at its server."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if "OK" in codec.ask("reginfo"):
            return
        time.sleep(0.1)
    raise AssertionError("not registered")


def tone(path, hertz, seconds=60):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48000)
        # A whole number of waves: one second repeats.
        samples = (int(9000 * math.sin(2 * math.pi * hertz * i / 48000)) for i in range(48000))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples) * seconds)


@contextmanager
def codec(
    folder, space, *, hertz=1000, port=5070, is_inside=False, at="", more="regint=0", codecs="opus/48000/2"
):
    """Run a codec beside the namespace, at its outer address, or in it. `at` is its server, `more` of its account."""
    need("baresip")
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        control = probe.getsockname()[1]
    address = space.inside if is_inside else space.outside
    interface, desk = (space._there, address) if is_inside else (space._here, "127.0.0.1")
    (folder / "config").write_text(
        CONFIG.format(
            address=address, port=port, interface=interface, control=control, folder=folder, desk=desk
        )
    )
    (folder / "accounts").write_text(
        f"<sip:codec@{at or f'{address}:{port}'}>;{more};answermode=auto;audio_codecs={codecs};video_codecs=vp8\n"
    )
    (folder / "contacts").write_text("")
    tone(folder / "tone.wav", hertz)
    tone(folder / "alert.wav", 0, seconds=1)
    words = ("baresip", "-f", str(folder), "-s")
    with (folder / "baresip.log").open("wb") as log:
        process = subprocess.Popen(
            space.command(*words) if is_inside else words,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        with _connected((desk, control), process, folder) as line:
            yield Codec(process, line, f"sip:codec@{address}:{port}")
    finally:
        process.terminate()
        process.wait(5)


def _connected(control, process, folder):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return socket.create_connection(control, timeout=1)
        except OSError:
            time.sleep(0.1)
    raise AssertionError((folder / "baresip.log").read_text()[-3000:])
