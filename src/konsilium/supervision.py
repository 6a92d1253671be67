"""Keep child processes alive, and stop them in the opposite order of their start."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from konsilium.adapters.postgres import CantRun

RESTART_AFTER = (0.5, 1, 2, 5, 10, 30)
STEADY_SECONDS = 60
READY_SECONDS = 120
STOP_SECONDS = 15
LOOK_EVERY = 0.1


class CantServe(Exception):
    """A part can't be started; the text says what to do."""


@dataclass
class Part:
    """One child process (leading a group of its own), how to start it, and how often it fell of late."""

    name: str
    begin: Callable[[], subprocess.Popen[bytes] | None]
    process: subprocess.Popen[bytes] | None = None
    is_stopped_elsewhere: bool = False
    started: float | None = None
    falls: int = 0
    start_again_at: float = 0

    def look(self, now: float) -> None:
        """Start the child if it does not run, after a fall later each time; say a fall in one line."""
        if self.started is None and self.process is not None:
            self.started = now
        if self.process is not None and self.process.poll() is not None:
            _end_group(self.process.pid)
            self._fell(now, f"ended with code {self.process.returncode}")
        if self.process is None and now >= self.start_again_at:
            self._start(now)

    def stop(self) -> None:
        """Ask the child to end, and make it end."""
        if self.is_stopped_elsewhere or self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            _end_group(self.process.pid)
            self.process.wait()

    def _start(self, now: float) -> None:
        self.started = now
        try:
            self.process = self.begin()
        except (CantRun, OSError) as trouble:
            self._fell(now, f"can't be started: {trouble}")

    def _fell(self, now: float, how: str) -> None:
        steady = self.started is not None and now - self.started > STEADY_SECONDS
        self.falls = 1 if steady else self.falls + 1
        pause = RESTART_AFTER[min(self.falls, len(RESTART_AFTER)) - 1]
        say(f"{self.name} {how}; starting it again in {pause:g} s")
        self.process, self.start_again_at = None, now + pause


def _end_group(pid: int) -> None:
    """End what a child has left behind: workers whose parent was killed would keep its port."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def supervise(
    parts: Sequence[Part],
    stop: threading.Event,
    *,
    is_ready: Callable[[], bool],
    when_ready: Callable[[], None],
) -> None:
    """Keep the parts running until `stop` is set; `when_ready` is called once, when the pages can be served.

    Raises CantServe when they can't within two minutes.
    """
    told, begun = False, time.monotonic()
    try:
        while not stop.wait(LOOK_EVERY):
            now = time.monotonic()
            for part in parts:
                part.look(now)
            if told:
                continue
            if is_ready():
                told = True
                when_ready()
            elif now - begun > READY_SECONDS:
                raise CantServe("The pages don't answer; the lines above say why.")
    finally:
        say("stopping …")
        for part in reversed(parts):
            part.stop()


def say(text: str) -> None:
    """Tell the operator something in one line."""
    print(f"konsilium: {text}", flush=True)
