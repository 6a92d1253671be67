"""`python -m bench.line`: the room on thin lines, emulated between real pages in Chromium; about six minutes.

The line carries media and the pages' own bytes, with 30 ms each way and a queue of 250 ms. Sound that gets lost is
counted at every end; the picture is one that moves and has noise, as a camera's.
"""

import os
import subprocess
import sys
from pathlib import Path

MEASURED = "tests/browser/test_thin_line.py"


def main():
    """Run the measurements one after the other; each prints what it found beside whether it holds."""
    command = [sys.executable, "-m", "pytest", MEASURED, "-m", "prove", "-q", "-n0", "--no-header"]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[1], env=os.environ | {"KONSILIUM_PROVE": "1"}, check=False
    )
    raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
