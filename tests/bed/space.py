"""A network namespace with one veth address of its own, for programs that skip the loopback interface.

Inside is `space.inside`, this machine is reached from there at `space.outside`. Only root can make one.
"""

import itertools
import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest

_numbers = itertools.count(1)


def need(*programs):
    """Skip the test, by the name of what is lacking, where the bed can't stand."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    for program in ("ip", *programs):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed; `make test` installs it as root on Debian")


class Space:
    """The namespace: how a program is started in it, and its two addresses."""

    def __init__(self, number):
        base = number % 64 * 4
        net = f"10.213.{number // 64 % 256}"
        self.name, self.outside, self.inside = f"kons{number}", f"{net}.{base + 1}", f"{net}.{base + 2}"
        self._here, self._there = f"kh{number}", f"kn{number}"

    def command(self, *words):
        return ["ip", "netns", "exec", self.name, *map(str, words)]

    def run(self, *words):
        return subprocess.run(self.command(*words), check=True, capture_output=True, text=True)

    def start(self, *words, log, **named):
        """Start a program inside; its output goes into the file."""
        with log.open("wb") as file:
            return subprocess.Popen(
                self.command(*words), stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, **named
            )

    def make(self):
        _ip("netns", "add", self.name)
        _ip("link", "add", self._here, "type", "veth", "peer", "name", self._there, "netns", self.name)
        _ip("addr", "add", f"{self.outside}/30", "dev", self._here)
        _ip("link", "set", self._here, "up")
        _ip("-n", self.name, "addr", "add", f"{self.inside}/30", "dev", self._there)
        _ip("-n", self.name, "link", "set", self._there, "up")
        _ip("-n", self.name, "link", "set", "lo", "up")

    def unmake(self):
        for words in (("link", "del", self._here), ("netns", "del", self.name)):
            subprocess.run(["ip", *words], capture_output=True, check=False)


@contextmanager
def namespace():
    """Make a namespace with a network of two addresses, and take both away afterwards."""
    space = Space((os.getpid() * 7 + next(_numbers)) % 16000)
    try:
        space.make()
        yield space
    finally:
        space.unmake()


def _ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


def end(process, seconds=5):
    """Ask a program to end, and make it when it doesn't."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(seconds)
