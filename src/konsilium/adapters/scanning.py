"""The antivirus: clamd over its socket, or nobody, and then the verdict says so.

It fails closed: whatever isn't a plain "OK" or "FOUND" from clamd is `ScannerUnavailable`, and the file stays
in quarantine. It is no guard against archives that unpack without end; clamd calls those clean.
"""

import re
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 60
_LONGEST_ANSWER = 4096


class Finding(StrEnum):
    """What the scanner says. NOT_CHECKED is shown to people: nobody has looked."""

    CLEAN = "clean"
    INFECTED = "infected"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True)
class Verdict:
    """A finding, and the name of what was found."""

    finding: Finding
    threat: str = ""


class ScannerUnavailable(Exception):
    """The scanner didn't give a verdict: it is down, too slow, or the file is larger than it takes."""


class Scanner(Protocol):
    """Looks for malware. `tests/adapters/test_scanning.py` is the contract."""

    def scan(self, chunks: Iterable[bytes]) -> Verdict:
        """Return the verdict on the bytes. Raises `ScannerUnavailable`, never a guess."""


def scanner(url: str) -> Scanner:
    """Return the scanner a setting names: unix:///run/clamav/clamd.ctl, tcp://host:3310, or null://.

    Raises `ValueError` for anything else.
    """
    parts = urlsplit(url)
    if parts.scheme == "null":
        return NullScanner()
    if parts.scheme == "unix" and parts.path:
        return ClamdScanner(parts.path)
    if parts.scheme == "tcp" and parts.hostname:
        return ClamdScanner((parts.hostname, parts.port or 3310))
    msg = "The scanner setting must be unix:///path, tcp://host:port or null://"
    raise ValueError(msg)


class NullScanner:
    """Looks at nothing and says so."""

    def scan(self, chunks: Iterable[bytes]) -> Verdict:
        """Read everything, as a scanner would, and return NOT_CHECKED."""
        for _ in chunks:
            pass
        return Verdict(Finding.NOT_CHECKED)


class ClamdScanner:
    """Streams the bytes to clamd (INSTREAM) at a path or at (host, port)."""

    def __init__(self, address: str | tuple[str, int]) -> None:
        """Keep the address; a connection is made for each file."""
        self._address = address

    def scan(self, chunks: Iterable[bytes]) -> Verdict:
        """See `Scanner`."""
        try:
            with self._connected() as clamd:
                # clamd answers and hangs up in the middle when the file is larger than it takes.
                with suppress(BrokenPipeError, ConnectionResetError):
                    _stream(chunks, clamd)
                answer = _answer(clamd)
        except OSError as error:
            raise ScannerUnavailable(type(error).__name__) from error
        return _verdict(answer)

    def _connected(self) -> socket.socket:
        if isinstance(self._address, tuple):
            return socket.create_connection(self._address, TIMEOUT_SECONDS)
        clamd = socket.socket(socket.AF_UNIX)
        try:
            clamd.settimeout(TIMEOUT_SECONDS)
            clamd.connect(self._address)
        except OSError:
            clamd.close()
            raise
        return clamd


def _stream(chunks: Iterable[bytes], clamd: socket.socket) -> None:
    clamd.sendall(b"zINSTREAM\x00")
    for chunk in filter(None, chunks):
        clamd.sendall(len(chunk).to_bytes(4, "big") + chunk)
    clamd.sendall(bytes(4))


def _answer(clamd: socket.socket) -> str:
    """Return what clamd says up to its closing zero; an answer cut short is none."""
    answer = b""
    while not answer.endswith(b"\x00") and len(answer) < _LONGEST_ANSWER:
        part = clamd.recv(_LONGEST_ANSWER)
        if not part:
            break
        answer += part
    return answer.decode("utf-8", "replace")


def _verdict(answer: str) -> Verdict:
    if answer == "stream: OK\x00":
        return Verdict(Finding.CLEAN)
    if found := re.fullmatch(r"stream: ([^\x00\n]+) FOUND\x00", answer):
        return Verdict(Finding.INFECTED, found[1])
    raise ScannerUnavailable(answer.rstrip("\x00")[:200] or "no answer")
