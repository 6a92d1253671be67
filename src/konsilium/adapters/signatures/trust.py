"""What the operator trusts: a folder of certificates and of revocation lists, read anew at each check."""

from dataclasses import dataclass
from pathlib import Path

MOST_FILES = 2000
_CERTIFICATES = (".pem", ".crt", ".cer")
_LISTS = (".crl",)


@dataclass(frozen=True)
class Trust:
    """`roots` and `intermediates` below the folder hold certificates, `crls` the revocation lists; PEM or DER."""

    folder: Path

    def roots(self) -> list[Path]:
        """Return the files of certificates that end a chain."""
        return self._files("roots", _CERTIFICATES)

    def intermediates(self) -> list[Path]:
        """Return the files of certificates that may stand in between."""
        return self._files("intermediates", _CERTIFICATES)

    def lists(self) -> list[Path]:
        """Return the files of revocation lists."""
        return self._files("crls", _LISTS)

    def _files(self, name: str, endings: tuple[str, ...]) -> list[Path]:
        folder = self.folder / name
        if not folder.is_dir():
            return []
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in endings and path.is_file())
        return found[:MOST_FILES]
