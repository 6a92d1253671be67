"""`python -m bench.imports`: a study of 300 slices read and rendered in the sandbox, beside reading its bytes plainly."""

import argparse
import sys
import tempfile
import time
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from tests import phantom

from konsilium.adapters import sandbox

MIB = 1024**2


def main():
    """Make the study, read it plainly, then let the inspector's two tasks have it."""
    parser = argparse.ArgumentParser(prog="bench.imports")
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--side", type=int, default=512)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.zip"
        path.write_bytes(phantom.archive(_files(options), zipfile.ZIP_STORED))
        plain = _timed(lambda: _read(path))
        scratch = Path(folder) / "scratch"
        scratch.mkdir()
        usage = []
        index = sandbox.run(
            "index_study",
            {"sources": [{"path": str(path), "name": "study.zip", "id": "1"}]},
            scratch=scratch,
            on_usage=usage.append,
        )
        (series,) = index["series"]
        given = [{**one, "path": str(path)} for one in series["instances"]]
        began = time.monotonic()
        said = sandbox.run("render_series", {"instances": given}, scratch=scratch, on_usage=usage.append)
        wall = time.monotonic() - began
        size, pack = path.stat().st_size, (scratch / said["pack"]).stat().st_size
        previews = sum((scratch / one["file"]).stat().st_size for one in said["previews"].values())
    print(f"study            {size / MIB:7.1f} MB, {len(given)} slices")
    print(f"plain read       {plain:7.2f} s")
    for name, used in zip(("headers", "pictures"), usage, strict=True):
        print(f"{name:16} {used.cpu_seconds:7.2f} s CPU, {used.peak_bytes / MIB:5.0f} MB at most")
    print(f"pictures, wall   {wall:7.2f} s, {wall / max(plain, 0.001):.0f} × the plain read")
    print(f"pack             {pack / MIB:7.1f} MB, previews {previews / 1024:.0f} kB")


def _files(options):
    """Yield slices that differ by their noise, as real ones do."""
    values = phantom.volume(8, options.side)
    chance = np.random.default_rng(1)
    for number in range(options.slices):
        plane = values[number % 8] + chance.integers(-30, 30, values.shape[1:])
        given = phantom.header(number=number + 1)
        given.ImagePositionPatient = [0, 0, number * 0.5]
        given.ImageOrientationPatient, given.PixelSpacing = [1, 0, 0, 0, 1, 0], [0.3, 0.3]
        phantom.put_pixels(given, plane.astype(np.int16))
        yield f"IM{number:04}", phantom.as_bytes(given)


def _read(path):
    with path.open("rb") as file:
        while file.read(MIB):
            pass


def _timed(do):
    began = time.monotonic()
    do()
    return time.monotonic() - began


if __name__ == "__main__":
    main()
