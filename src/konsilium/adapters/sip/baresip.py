"""baresip as the source and the eye of a test call: a program of its own, on loopback alone, gone with the call.

Its configuration is ours to the letter. Nothing that a person typed or another machine said gets into it: the call's
signalling is our own, and it calls us.
"""

import asyncio
import json
import math
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from konsilium.workflow.probing import NotReached

MODULES = (
    Path("/usr/lib/baresip/modules"),
    *sorted(Path("/usr/lib").glob("*/baresip/modules")),
    Path("/usr/local/lib/baresip/modules"),
)
# Between choosing its control line's port and taking it somebody else may have it: then it is started again.
STARTS, START_SECONDS = 3, 8.0
SECONDS_OF_TONE, RATE = 60, 48000
WIDTH, HEIGHT, FPS = 640, 360, 15
_NEEDED = ("account", "menu", "ctrl_tcp", "aufile", "aubridge", "fakevideo", "snapshot", "uuid")
# H.264 is in avcodec, which Debian has in baresip-ffmpeg; without it the picture is VP8's alone.
_WANTED = ("opus", "g722", "g711", "avcodec", "vp8")
_CONFIG = """module_path {modules}
{loaded}
sip_listen 127.0.0.1:0
net_interface 127.0.0.1
ctrl_tcp_listen 127.0.0.1:{control}
audio_player aubridge,heard
audio_source aufile,{folder}/tone.wav
audio_alert aubridge,bell
ausrc_srate 48000
auplay_srate 48000
ausrc_channels 1
auplay_channels 1
video_source fakevideo,nil
video_display fakevideo,nil
video_size {width}x{height}
video_bitrate 800000
video_fps {fps}
rtcp_mux no
call_max_calls 1
"""


@dataclass
class Child:
    """A running baresip and its control line."""

    folder: Path
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, command: str, params: str) -> None:
        """Give a command; what it answers shows in what it does."""
        text = json.dumps({"command": command, "params": params}).encode()
        self.writer.write(b"%d:%s," % (len(text), text))
        await self.writer.drain()

    async def picture(self) -> bytes | None:
        """Return a PNG of the picture that it receives now, or None."""
        path = self.folder / "seen.png"
        await self.say("snapshot_recv", str(path))
        for _ in range(20):
            await asyncio.sleep(0.1)
            content = path.read_bytes() if path.exists() else b""
            if content.endswith(b"IEND\xaeB`\x82"):
                return content
        return None


def program() -> tuple[str, Path] | None:
    """Return the program and the folder of its modules; None where it isn't installed."""
    found = shutil.which("baresip")
    folder = next((one for one in MODULES if (one / "ctrl_tcp.so").exists()), None)
    return (found, folder) if found and folder else None


@asynccontextmanager
async def running() -> AsyncIterator[Child]:
    """Run one in a folder of its own around the body, and kill it with all it started.

    Raises NotReached: not_here where it isn't installed, broke when it doesn't start.
    """
    there = program()
    if there is None or any(not (there[1] / f"{name}.so").exists() for name in _NEEDED):
        raise NotReached("not_here")
    with tempfile.TemporaryDirectory(prefix="call-") as text:
        folder = Path(text)
        process, reader, writer = await _begun(there, folder)
        try:
            yield Child(folder, reader, writer)
        finally:
            writer.transport.abort()
            await asyncio.to_thread(_end, process)


Begun = tuple[subprocess.Popen[bytes], asyncio.StreamReader, asyncio.StreamWriter]


async def _begun(there: tuple[str, Path], folder: Path) -> Begun:
    """Start it and reach its control line, with another port for that when it can't be reached at one."""
    for _ in range(STARTS - 1):
        with suppress(NotReached):
            return await _begun_once(there, folder)
    return await _begun_once(there, folder)


async def _begun_once(there: tuple[str, Path], folder: Path) -> Begun:
    control = _write(folder, there[1])
    process = await asyncio.to_thread(_start, there[0], folder)
    try:
        return process, *await _connected(control, process)
    except BaseException:
        await asyncio.to_thread(_end, process)
        raise


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _start(path: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start it as the head of a group of its own. It gets no secret: the environment is bare."""
    return subprocess.Popen(
        # Should we be killed, it ends by itself.
        [path, "-f", str(folder), "-t", "120"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={"PATH": os.defpath, "HOME": str(folder), "LC_ALL": "C"},
        start_new_session=True,
    )


async def _connected(
    control: int, process: subprocess.Popen[bytes]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop = asyncio.get_running_loop()
    until = loop.time() + START_SECONDS
    while loop.time() < until and process.poll() is None:
        with suppress(OSError):
            return await asyncio.open_connection("127.0.0.1", control)
        await asyncio.sleep(0.05)
    raise NotReached("broke")


def _write(folder: Path, modules: Path) -> int:
    """Write its files, and return the control line's port."""
    control = _free()
    loaded = [f"module {name}.so" for name in (*_NEEDED, *_WANTED) if (modules / f"{name}.so").exists()]
    text = _CONFIG.format(
        modules=modules,
        loaded="\n".join(loaded),
        folder=folder,
        control=control,
        width=WIDTH,
        height=HEIGHT,
        fps=FPS,
    )
    (folder / "config").write_text(text)
    (folder / "accounts").write_text("<sip:probe@127.0.0.1>;regint=0;answermode=manual\n")
    (folder / "contacts").write_text("")
    _tone(folder / "tone.wav")
    return control


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _tone(path: Path) -> None:
    """Write a minute of a tone that comes and goes, as speech does: one second, repeated."""
    loud = (
        int(9000 * math.sin(2 * math.pi * 440 * i / RATE) * (i % (RATE // 2) < RATE // 3))
        for i in range(RATE)
    )
    second = b"".join(struct.pack("<h", sample) for sample in loud)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(second * SECONDS_OF_TONE)
