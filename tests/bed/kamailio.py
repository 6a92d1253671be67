"""Debian's Kamailio, started from the file that an operator gets (`deploy/kamailio`)."""

import socket
import time
from contextlib import contextmanager
from pathlib import Path

from tests.bed.space import end, need

FILE = Path(__file__).resolve().parents[2] / "deploy" / "kamailio" / "kamailio.cfg"
PING = (
    "OPTIONS sip:{address}:{to} SIP/2.0\r\nVia: SIP/2.0/UDP {own}:{port};branch=z9hG4bKping\r\nMax-Forwards: 5\r\n"
    "From: <sip:ping@{own}>;tag=1\r\nTo: <sip:{address}>\r\nCall-ID: ping@{own}\r\nCSeq: 1 OPTIONS\r\n"
    "Content-Length: 0\r\n\r\n"
)


@contextmanager
def kamailio(folder, space, *, janus=None, without="", port=5060):
    """Run it in the namespace until the end; ready when it answers OPTIONS. Yields its address.

    `without` is a line left out of its file, for control runs.
    """
    need("kamailio")
    folder.mkdir(parents=True, exist_ok=True)
    text = FILE.read_text()
    assert without in text
    text = text.replace(without, "").replace(":5060", f":{port}") if without else text
    for name, value in {
        "ADDRESS": space.inside,
        "DOMAIN": "sip.test",
        "JANUS": janus or space.inside,
    }.items():
        text = text.replace(f"@{name}@", value)
    (folder / "kamailio.cfg").write_text(text)
    process = space.start(
        "kamailio", "-DD", "-E", "-f", folder / "kamailio.cfg", "-w", folder, "-Y", folder,
        log=folder / "kamailio.log",
    )  # fmt: skip
    try:
        _await(process, space, folder, port)
        yield f"{space.inside}:{port}"
    finally:
        end(process)


PASSWORD = "a hospital's password"


@contextmanager
def registrar(folder, space, server_pem):
    """Run a hospital's own server, with a certificate of the test's. Yields its address."""
    need("kamailio")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "key.pem").write_text(server_pem)
    (folder / "certificate.pem").write_text(server_pem[server_pem.index("-----BEGIN CERT") :])
    text = (Path(__file__).parent / "registrar.cfg").read_text()
    values = {"ADDRESS": space.inside, "FOLDER": str(folder), "PASSWORD": PASSWORD}
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    (folder / "kamailio.cfg").write_text(text)
    process = space.start(
        "kamailio", "-DD", "-E", "-f", folder / "kamailio.cfg", "-w", folder, "-Y", folder,
        log=folder / "kamailio.log",
    )  # fmt: skip
    try:
        _await(process, space, folder, 5060)
        yield space.inside
    finally:
        end(process)


def _await(process, space, folder, to):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind((space.outside, 0))
        own.settimeout(0.2)
        ping = PING.format(address=space.inside, own=space.outside, port=own.getsockname()[1], to=to)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and process.poll() is None:
            own.sendto(ping.encode(), (space.inside, to))
            try:
                if own.recv(4000).startswith(b"SIP/2.0 200"):
                    return
            except OSError:
                continue
    raise AssertionError((folder / "kamailio.log").read_text()[-3000:])
