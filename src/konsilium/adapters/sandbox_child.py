"""The inside of the sandbox: puts the walls up, then imports the parser and does the one task it was given.

No Django and no table is imported here. A task is `function(scratch: Path, **arguments) -> dict` of plain
values; larger things are files in `scratch`.
"""

import errno
import json
import os
import resource
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from konsilium.adapters.sandbox_walls import put_up

TASKS = {
    "inspect": "konsilium.adapters.inspection.verdict:inspect",
    "derive": "konsilium.adapters.inspection.copies:derive",
    "index_study": "konsilium.adapters.imaging.study:index_study",
    "render_series": "konsilium.adapters.imaging.rendering:render_series",
    "render_frames": "konsilium.adapters.imaging.rendered:render_frames",
    "deidentify": "konsilium.adapters.imaging.privacy:deidentify",
    "black_out": "konsilium.adapters.imaging.privacy:black_out",
    "join_paper": "konsilium.adapters.scanned_paper.joining:join",
    "read_codes": "konsilium.adapters.scanned_paper.codes:read_codes",
    "read_cms": "konsilium.adapters.signatures.reading:read_cms",
    "read_pdf": "konsilium.adapters.signatures.reading:read_pdf",
    "try_walls": "konsilium.adapters.sandbox_walls:try_walls",
}


def progress(part: float) -> None:
    """Tell the parent how much is done, from 0 to 1."""
    print(json.dumps({"progress": part}), flush=True)


def main() -> None:
    """Read the request, put the walls up, do the task, and say what became of it."""
    request = json.load(sys.stdin)
    _speak_alone()
    status = os.open("/proc/self/status", os.O_RDONLY)
    put_up(
        request["limits"],
        scratch=request["scratch"],
        reads=request["reads"],
        parent=request["parent"],
    )
    said = _done(request["task"], Path(request["scratch"]), request["arguments"])
    print(json.dumps({"usage": _usage(status)}), flush=True)
    print(said, flush=True)


def _speak_alone() -> None:
    """Keep the answers' pipe to Python's own `print`: what libraries write there themselves is lost."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    sys.stdout = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 0)


def _done(task: str, scratch: Path, arguments: dict[str, Any]) -> str:
    """Return the line that tells the end. A refusal of memory or size is a limit's; the rest is a crash."""
    try:
        module, _, name = TASKS[task].partition(":")
        result = getattr(import_module(module), name)(scratch, **arguments)
        return json.dumps({"result": _plain(result)}, allow_nan=False)
    except MemoryError:
        return '{"killed": "memory"}'
    except OSError as error:
        limit = {errno.EFBIG: "size", errno.ENOMEM: "memory"}.get(error.errno or 0)
        return json.dumps({"killed": limit} if limit else {"failed": type(error).__name__})
    except BaseException as error:  # noqa: BLE001  whatever a parser raises, even to leave
        return json.dumps({"failed": type(error).__name__})


def _plain(value: Any) -> Any:
    """Return the value without what a database's JSON can't hold: NUL and half characters."""
    if isinstance(value, dict):
        return {_text(str(key)): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return _text(str(value)) if isinstance(value, (str, Path)) else value


def _text(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _usage(status: int) -> tuple[int, float]:
    """Return the peak of resident memory and the seconds on the processor.

    `getrusage` would also count what the parent had when it forked.
    """
    lines = os.pread(status, 8192, 0).decode().splitlines()
    peak = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return peak, used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
