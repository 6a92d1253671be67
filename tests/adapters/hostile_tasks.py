"""Tasks that misbehave, for the sandbox's tests; they run inside it."""

import ctypes
import json
import os
import socket
import subprocess
import threading
import time
from pathlib import Path

from konsilium.adapters.sandbox_child import progress


def answer(scratch, **arguments):
    print("a library's chatter")
    print(json.dumps(["no object"]))
    ctypes.CDLL(None).puts(b'{"result": {"forged": true}}')
    ctypes.CDLL(None).fflush(None)
    progress(0.5)
    return {"cwd": str(Path.cwd()), "environment": dict(os.environ), **arguments}


def odd_text(scratch):
    return {"text\x00": ["a\x00b", "half \ud800", Path("/p"), 1.5, None]}


def not_a_number(scratch):
    return {"number": float("nan")}


def read(scratch, path, also=""):
    return {"content": Path(also or path).read_text()}


def write(scratch, path):
    Path(path).write_text("x")
    return {}


def open_up(scratch, path):
    Path(path).chmod(0o777)
    return {}


def network(scratch):
    return {"network": str(Path("/proc/self/ns/net").readlink())}


def connect(scratch, port):
    socket.create_connection(("127.0.0.1", port), 2).close()
    return {}


def connect_local(scratch, place):
    with socket.socket(socket.AF_UNIX) as outward:
        outward.connect(place)
    return {}


def start(scratch):
    subprocess.run(["/bin/true"], check=True)
    return {}


def fork(scratch):
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
    return {}


def kill(scratch, pid):
    os.kill(pid, 0)
    return {}


def thread(scratch):
    done = []
    worker = threading.Thread(target=lambda: done.append(1))
    worker.start()
    worker.join()
    return {"done": len(done)}


def eat(scratch, size):
    return {"eaten": len(b"\x01" * size)}


def spin(scratch):
    while True:
        pass


def write_and_sleep(scratch):
    (scratch / "pid").write_text(str(os.getpid()))
    (scratch / "folder").mkdir()
    (scratch / "folder" / "half").write_bytes(bytes(1000))
    progress(0.1)
    time.sleep(60)
    return {}


def close_and_sleep(scratch):
    os.closerange(0, 20)
    time.sleep(60)


def write_much(scratch, files, size):
    for number in range(files):
        (scratch / str(number)).write_bytes(bytes(size))
        time.sleep(0.02)
    return {}


def flood(scratch):
    while True:
        print("x" * 100_000)


def crash(scratch):
    ctypes.string_at(0)


def break_down(scratch):
    raise ValueError("Ivanov Ivan Ivanovich, born 1 January 1970")


def leave(scratch):
    raise SystemExit(0)


def end_without_a_word(scratch):
    os._exit(0)
