"""No parser of foreign files is ever loaded where people's requests are answered; each runs in the sandbox alone."""

import json
import subprocess
import sys
from pathlib import Path

PARSERS = {
    "PIL",
    "numpy",
    "pydicom",
    "gdcm",
    "imagecodecs",
    "pikepdf",
    "pypdfium2",
    "pi_heif",
    "openjpeg",
    "jpeg_ls",
}
SOURCE = Path(__file__).resolve().parents[2] / "src"
LOAD = """
import json, pkgutil, sys
import konsilium.asgi, konsilium.web.urls, konsilium.worker
import konsilium.web, konsilium.live, konsilium.actions
for package in (konsilium.web, konsilium.live, konsilium.actions):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        __import__(found.name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
CHILD = "import konsilium.adapters.imaging.rendering, json, sys; print(json.dumps(sorted(sys.modules)))"


def loaded(program):
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=SOURCE
    )
    return set(json.loads(said.stdout.splitlines()[-1]))


def test_pages_live_parts_and_worker_load_no_parser():
    assert loaded(LOAD) & PARSERS == set()


def test_the_sandbox_does_load_them():
    assert {"PIL", "numpy", "pydicom", "imagecodecs"} <= loaded(CHILD)


def test_the_sandboxs_child_loads_no_framework_and_no_table():
    assert not {name for name in loaded(CHILD) if name.startswith(("django", "konsilium.models", "psycopg"))}
