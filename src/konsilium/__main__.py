"""`python -m konsilium` is the `konsilium` command."""

import sys

from konsilium.cli import entry

sys.exit(entry())
