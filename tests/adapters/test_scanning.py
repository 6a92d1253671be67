"""Scanners under one contract.

There is no clamd where these tests run: a small server speaks its INSTREAM protocol on a socket, by the
protocol's published description. It shows what our side does with each answer and with each way of failing;
it can't show what clamd finds. Try a real clamd with the EICAR file before relying on one.
"""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import pytest

from konsilium.adapters import scanning
from konsilium.adapters.scanning import Finding, Scanner, ScannerUnavailable, Verdict, scanner

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-" + rb"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
LARGEST = 1_000_000


class Clamd(socketserver.StreamRequestHandler):
    """Reads one INSTREAM and answers like clamd, or with the answer that a test forces on it."""

    forced: ClassVar[bytes | None] = None

    def handle(self) -> None:
        if self.rfile.read(10) != b"zINSTREAM\x00":
            self.wfile.write(b"UNKNOWN COMMAND\x00")
            return
        whole = b""
        while size := int.from_bytes(self.rfile.read(4), "big"):
            whole += self.rfile.read(size)
            if len(whole) > LARGEST:
                self.wfile.write(b"INSTREAM size limit exceeded. ERROR\x00")
                return
        usual = b"stream: Eicar-Test-Signature FOUND\x00" if EICAR in whole else b"stream: OK\x00"
        with suppress(BrokenPipeError):
            self.wfile.write(usual if self.forced is None else self.forced)


Serve = Callable[[str], str]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    running: list[tuple[socketserver.BaseServer, threading.Thread]] = []

    def run(server: socketserver.BaseServer) -> None:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))

    def start(family: str) -> str:
        if family == "unix":
            path = str(tmp_path / "clamd.ctl")
            run(socketserver.ThreadingUnixStreamServer(path, Clamd))
            return f"unix://{path}"
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Clamd)
        run(server)
        return f"tcp://127.0.0.1:{server.socket.getsockname()[1]}"

    yield start
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(params=["clamd", "null"])
def any_scanner(request: pytest.FixtureRequest, serve: Serve) -> Scanner:
    return scanner(serve("unix") if request.param == "clamd" else "null://")


def test_a_harmless_file_is_never_called_infected(any_scanner: Scanner) -> None:
    assert any_scanner.scan([b"harmless", b"", b"text"]).finding in (Finding.CLEAN, Finding.NOT_CHECKED)


def test_every_byte_is_read(any_scanner: Scanner) -> None:
    read = []
    any_scanner.scan(read.append(part) or part for part in [b"a", b"b", b"c"])  # type: ignore[func-returns-value]
    assert read == [b"a", b"b", b"c"]


def test_a_reader_that_breaks_is_not_swallowed(any_scanner: Scanner) -> None:
    def broken() -> Iterator[bytes]:
        yield b"a"
        raise LookupError

    with pytest.raises(LookupError):
        any_scanner.scan(broken())


def test_the_null_scanner_says_that_nobody_looked() -> None:
    assert scanner("null://").scan([EICAR]) == Verdict(Finding.NOT_CHECKED)


@pytest.mark.parametrize("family", ["unix", "tcp"])
def test_clamd_finds_and_clears(serve: Serve, family: str) -> None:
    clamd = scanner(serve(family))
    assert clamd.scan([EICAR[:20], EICAR[20:]]) == Verdict(Finding.INFECTED, "Eicar-Test-Signature")
    assert clamd.scan([b"clean"]) == Verdict(Finding.CLEAN)
    assert clamd.scan([]) == Verdict(Finding.CLEAN)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00",
        b"stream: OK",
        b"stream: O",
        b"OK\x00",
        b"stream: OK \x00",
        b"stream: clean\x00",
        b"stream: OK\x00stream: Virus FOUND\x00",
        b"INSTREAM: Can't allocate memory ERROR\x00",
        b"x" * 10_000,
    ],
)
def test_an_answer_that_is_not_plain_is_no_verdict(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(Clamd, "forced", answer)
    with pytest.raises(ScannerUnavailable):
        scanner(serve("unix")).scan([b"anything"])


def test_a_file_larger_than_clamd_takes_is_not_called_clean(serve: Serve) -> None:
    with pytest.raises(ScannerUnavailable):
        scanner(serve("unix")).scan(bytes(65_536) for _ in range(400))


def test_no_clamd_is_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(ScannerUnavailable):
        scanner(f"unix://{tmp_path}/nobody.ctl").scan([b"x"])


def test_a_silent_clamd_is_given_up(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = threading.Event()
    monkeypatch.setattr(Clamd, "handle", lambda _self: silent.wait(5))
    monkeypatch.setattr(scanning, "TIMEOUT_SECONDS", 0.1)
    with pytest.raises(ScannerUnavailable):
        scanner(serve("unix")).scan([b"x"])
    silent.set()


@pytest.mark.parametrize("url", ["", "unix://", "tcp://", "http://clamd:3310", "clamd"])
def test_a_wrong_setting_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="The scanner setting"):
        scanner(url)
