"""`python -m bench.uploads`: a file of 1 GiB by tus, hashed and synced, against a socket written to a file in the same run."""

import argparse
import base64
import hashlib
import os
import re
import socket
import threading
import time
import uuid
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "konsilium.settings")
os.environ.setdefault("KONSILIUM_SECRET_KEY", "bench-only-" + "x" * 40)

import django

django.setup()

import httpx

from bench import ground

MIB = 1024**2
PIECE = 256 * 1024


def main():
    """Fill a small world, serve it, send the file, and print the figures beside the floor."""
    parser = argparse.ArgumentParser(prog="bench.uploads")
    parser.add_argument("--megabytes", type=int, default=1024)
    size = parser.parse_args().megabytes * MIB
    with ground.cluster() as folder:
        database = ground.fill(folder, 1000)
        with ground.pages(folder, database) as (address, process):
            floor = socket_to_file(Path(folder) / "floor", size)
            before = resident(process.pid)
            seconds, after = tus(address, process, size)
    print(f"socket to file   {size / MIB / floor:8.0f} MB/s")
    print(
        f"tus, SHA-256     {size / MIB / seconds:8.0f} MB/s   resident {before} MB before, {after} MB at most"
    )


def socket_to_file(path, size):
    """Time the least there is to do: read a socket, write a file, sync it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def send():
        piece = bytes(PIECE)
        with socket.create_connection(listener.getsockname()) as line:
            for _ in range(size // PIECE):
                line.sendall(piece)

    begun = time.perf_counter()
    threading.Thread(target=send).start()
    line, _ = listener.accept()
    with line, path.open("wb") as file:
        while data := line.recv(PIECE):
            file.write(data)
        file.flush()
        os.fdatasync(file.fileno())
    listener.close()
    path.unlink()
    return time.perf_counter() - begun


def tus(address, process, size):
    """Send the file as the doctor of the filled world; return seconds, and the most megabytes a process held."""
    head = bytes(128) + b"DICM"
    piece = os.urandom(PIECE)

    def body():
        yield head + piece[len(head) :]
        for _ in range(size // PIECE - 1):
            yield piece

    told = hashlib.sha256()
    for part in body():
        told.update(part)
    with httpx.Client(base_url=address, cookies={"konsilium": "key-doctor"}, timeout=300) as client:
        page = client.get("/requests/?tab=open").text
        row = re.search(r'href="/requests/([0-9a-f-]{36})/', page)[1]
        facts = {
            "consultation": str(uuid.UUID(row)),
            "kind": "cbct",
            "name": "scan.dcm",
            "sha256": told.hexdigest(),
        }
        pairs = ",".join(f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in facts.items())
        version = {"Tus-Resumable": "1.0.0"}
        made = client.post(
            "/uploads/", headers={**version, "Upload-Length": str(size), "Upload-Metadata": pairs}
        )
        if made.status_code != httpx.codes.CREATED:
            raise SystemExit(f"the upload was refused: {made.status_code} {made.text}")
        most = Watch(process.pid)
        begun = time.perf_counter()
        done = client.patch(
            made.headers["Location"],
            content=body(),
            headers={
                **version,
                "Upload-Offset": "0",
                "Content-Type": "application/offset+octet-stream",
                "Content-Length": str(size),
            },
        )
        seconds = time.perf_counter() - begun
    if done.status_code != httpx.codes.NO_CONTENT:
        raise SystemExit(f"the bytes were refused: {done.status_code} {done.text}")
    return seconds, most.end()


class Watch:
    """Looks ten times a second how much the processes of a session hold."""

    def __init__(self, session):
        """Begin to look."""
        self.most, self._over = 0, threading.Event()
        self._thread = threading.Thread(target=self._look, args=(session,))
        self._thread.start()

    def _look(self, session):
        while not self._over.wait(0.1):
            self.most = max(self.most, resident(session))

    def end(self):
        """Stop, and return the most megabytes that one process held."""
        self._over.set()
        self._thread.join()
        return self.most


def resident(session):
    """Return the megabytes that the largest process of a session holds."""
    most = 0
    for status in Path("/proc").glob("[0-9]*"):
        try:
            fields = (status / "stat").read_text().rsplit(")", 1)[1].split()
            held = re.search(r"VmRSS:\s+(\d+)", (status / "status").read_text())
        except OSError:
            continue
        if int(fields[3]) == session and held:
            most = max(most, int(held[1]) // 1024)
    return most


if __name__ == "__main__":
    main()
