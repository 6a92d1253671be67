"""The letters on everything drawn here: PT Sans (SIL Open Font License), from the package fontpkg-pt-sans."""

from importlib.resources import files
from pathlib import Path

_FOLDER = Path(str(files("fontpkg_pt_sans"))) / "files"

REGULAR = str(_FOLDER / "PT_Sans-Web-Regular.ttf")
BOLD = str(_FOLDER / "PT_Sans-Web-Bold.ttf")
