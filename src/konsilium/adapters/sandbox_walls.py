"""The sandbox's walls, put up by the child around itself before any parser is imported.

Each is tried by itself, since kernels and containers differ in what they let an ordinary user do: limits hold
everywhere; a network namespace, a system call filter (seccomp) and a view of the files (Landlock) where they
are allowed. Linux on x86-64 and 64-bit ARM; elsewhere only the limits.
"""

import ctypes
import os
import platform
import resource
import signal
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from errno import ENOSYS, EPERM
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_PR_GET_NO_NEW_PRIVS = 39
_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)


def put_up(limits: dict[str, Any], *, scratch: str, reads: list[str], parent: int) -> None:
    """Put up every wall that this machine allows, in the order in which the earlier don't hinder the later."""
    _die_with(parent)
    _set_limits(limits)
    os.nice(5)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    _leave_network()
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _close_files(scratch, reads)
    _close_calls()


def _die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent ends, and end now if that has happened already."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _set_limits(limits: dict[str, Any]) -> None:
    seconds = limits["cpu_seconds"]
    for kind, soft, hard in (
        (resource.RLIMIT_AS, limits["memory_bytes"], limits["memory_bytes"]),
        (resource.RLIMIT_CPU, seconds, seconds + 1),
        (resource.RLIMIT_FSIZE, limits["file_bytes"], limits["file_bytes"]),
        (resource.RLIMIT_NOFILE, limits["open_files"], limits["open_files"]),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        _, most = resource.getrlimit(kind)
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)  # noqa: PLW2901  an operator's own limit stands
        resource.setrlimit(kind, (soft, hard))


def _leave_network() -> None:
    """Go where there is no network. A user namespace also takes away what root may do outside it."""
    if _libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC):
        _libc.unshare(_CLONE_NEWNET)


# --- The view of the files: Landlock

_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_EXECUTE, _READ_FILE, _READ_FOLDER = 1, 4, 8
_ALL_OF_FIRST_VERSION = (1 << 13) - 1
_TRUNCATE = 1 << 14
_WITH_TRUNCATE = 3
# What only folders can be asked for.
_OF_FILES = _EXECUTE | 2 | _READ_FILE | _TRUNCATE
_SYSTEM = (
    "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types", "/dev/null", "/dev/zero",
    "/dev/urandom",
)  # fmt: skip


def _close_files(scratch: str, reads: list[str]) -> None:
    """Leave to this process: reading Python, its libraries and `reads`, and everything below `scratch`."""
    version = _call(_LANDLOCK_CREATE, 0, 0, 1)
    if version < 1:
        return
    every = _ALL_OF_FIRST_VERSION | (_TRUNCATE if version >= _WITH_TRUNCATE else 0)
    rules = _call(_LANDLOCK_CREATE, struct.pack("Q", every), 8, 0)
    if rules < 0:
        return
    for place in (sys.prefix, sys.base_prefix, *sys.path, *_SYSTEM, *reads):
        _allow(rules, place, _EXECUTE | _READ_FILE | _READ_FOLDER)
    _allow(rules, scratch, every & ~_EXECUTE)
    _call(_LANDLOCK_RESTRICT, rules, 0)
    os.close(rules)


def _allow(rules: int, place: str, what: int) -> None:
    with suppress(OSError):
        handle = os.open(place, os.O_PATH | os.O_CLOEXEC)
        what &= ~0 if Path(place).is_dir() else _OF_FILES
        _call(_LANDLOCK_ADD, rules, 1, struct.pack("=Qi", what, handle), 0)
        os.close(handle)


def _call(number: int, *arguments: int | bytes) -> int:
    """Make a system call that the C library has no name for."""
    wide = [part if isinstance(part, bytes) else ctypes.c_long(part) for part in arguments]
    return int(_libc.syscall(ctypes.c_long(number), *wide))


# --- The system calls: seccomp

_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_CALL, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16
_KILL, _REFUSE, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_CLONE_THREAD = 0x10000
_FOREIGN_CALLS = 0x40000000
_FILTER_MODE = 2
_CLONE3 = 435
# socket, execve, execveat, ptrace, process_vm_readv and _writev, bpf, unshare, setns, mount, kill, tkill,
# keyctl, add_key, request_key, userfaultfd, perf_event_open; the two with which a process starts another;
# owners, rights and marks of files, which the view of the files doesn't guard; then what is numbered alike on
# all: pidfd_send_signal, io_uring_setup, pidfd_open, fchmodat2.
_ALIKE = (424, 425, 434, 452)
_MACHINES = {
    "x86_64": (
        0xC000003E, 56, 234,
        (41, 59, 322, 101, 310, 311, 321, 272, 308, 165, 62, 200, 250, 248, 249, 323, 298, 57, 58,
         90, 91, 268, 92, 93, 94, 260, 188, 189, 190, *_ALIKE),
    ),
    "aarch64": (
        0xC00000B7, 220, 131,
        (198, 221, 281, 117, 270, 271, 280, 97, 268, 40, 129, 130, 219, 217, 218, 282, 241,
         52, 53, 54, 55, 5, 6, 7, *_ALIKE),
    ),
}  # fmt: skip


def _close_calls() -> None:
    """Refuse sockets, programs, processes (threads are allowed) and every touch of other processes."""
    if sys.maxsize < 2**32 or platform.machine() not in _MACHINES:
        return
    steps = b"".join(struct.pack("HBBI", *step) for step in _steps(platform.machine()))
    kept = ctypes.create_string_buffer(steps, len(steps))
    program = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(steps) // 8, ctypes.addressof(kept)), 16
    )
    _libc.prctl(_PR_SET_SECCOMP, _FILTER_MODE, ctypes.addressof(program), 0, 0)


def _steps(machine: str) -> Iterator[tuple[int, int, int, int]]:
    audit, clone, tgkill, refused = _MACHINES[machine]
    yield _LOAD, 0, 0, _MACHINE
    yield _IF_EQUAL, 1, 0, audit
    yield _RETURN, 0, 0, _KILL
    yield _LOAD, 0, 0, _CALL
    yield _IF_AT_LEAST, 0, 1, _FOREIGN_CALLS
    yield _RETURN, 0, 0, _REFUSE | EPERM
    for call in refused:
        yield _IF_EQUAL, 0, 1, call
        yield _RETURN, 0, 0, _REFUSE | EPERM
    # The C library takes the older call when it hears that this one isn't there; its flags can be seen.
    yield _IF_EQUAL, 0, 1, _CLONE3
    yield _RETURN, 0, 0, _REFUSE | ENOSYS
    for call, test, value in ((clone, _IF_ANY_BIT, _CLONE_THREAD), (tgkill, _IF_EQUAL, os.getpid())):
        yield _IF_EQUAL, 0, 4, call
        yield _LOAD, 0, 0, _FIRST_ARGUMENT
        yield test, 1, 0, value
        yield _RETURN, 0, 0, _REFUSE | EPERM
        yield _RETURN, 0, 0, _ALLOW
    yield _RETURN, 0, 0, _ALLOW


# --- Trying them


def try_walls(scratch: Path) -> dict[str, bool]:
    """Try to do what shouldn't be possible, and return which walls stood.

    `network`: no packet leaves. `sockets`: neither does a word to this computer's own services. `files`:
    nothing outside can be read or written. `programs`: none can be started. `memory`: it is limited.
    `privileges`: none can be gained.
    """
    return {
        "network": not _reaches_network(),
        "sockets": not _opens_socket(),
        "files": not _reads("/etc/passwd") and not _writes(scratch.parent),
        "programs": not _starts_process(),
        "memory": resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY,
        "privileges": _libc.prctl(_PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
    }


def _reaches_network() -> bool:
    """Say whether a packet would leave: no socket, or no way to anywhere, is no network."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outward:
            outward.connect(("192.0.2.1", 9))
    except OSError:
        return False
    return True


def _opens_socket() -> bool:
    try:
        socket.socket(socket.AF_UNIX).close()
    except OSError:
        return False
    return True


def _reads(path: str) -> bool:
    try:
        Path(path).read_bytes()
    except OSError:
        return False
    return True


def _writes(folder: Path) -> bool:
    place = folder / f".wall-{os.getpid()}"
    try:
        place.write_bytes(b"")
    except OSError:
        return False
    place.unlink()
    return True


def _starts_process() -> bool:
    try:
        child = os.fork()
    except OSError:
        return False
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return True
