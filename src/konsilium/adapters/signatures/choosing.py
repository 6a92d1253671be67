"""Which verifier the operator named, out of the settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from konsilium.adapters.signatures.openssl import OpenSSLVerifier, gost_engine
from konsilium.adapters.signatures.trust import Trust
from konsilium.adapters.signatures.verifier import NullVerifier, Verifier

KNOWN = ("", "none", "openssl")


class BadChoice(Exception):
    """The settings of signatures can't be used; the text says what to do."""


@dataclass(frozen=True)
class Choice:
    """`verifier` is "openssl", or "" for none; `trust` the folder of certificates and revocation lists."""

    verifier: str
    trust: Path
    program: str = "openssl"
    engine: str = ""

    def made(self) -> Verifier:
        """Return the verifier."""
        if not self.verifier:
            return NullVerifier()
        return OpenSSLVerifier(Trust(self.trust), program=self.program, engine=self.engine)

    def trouble(self) -> list[str]:
        """Return what the operator should know, in sentences: that nothing is checked, or what a check lacks."""
        if not self.verifier:
            return [
                "Signatures are not checked: KONSILIUM_SIGNATURES names no verifier (docs/operate/signatures.md)."
            ]
        trust = Trust(self.trust)
        lacks = (
            (
                which(self.program) is None,
                f"The program {self.program} is missing: no signature can be checked.",
            ),
            (
                not trust.roots(),
                f"No root certificate is in {self.trust / 'roots'}: no signature will be valid.",
            ),
            (
                not trust.lists(),
                f"No revocation list is in {self.trust / 'crls'}: no signature will be valid.",
            ),
            (
                not Path(self.engine or gost_engine() or "/nowhere").is_file(),
                "The GOST engine is missing (Debian: libengine-gost-openssl): only RSA and ECDSA can be checked.",
            ),
        )
        return [words for missing, words in lacks if missing]


def read_choice(environ: Mapping[str, str], data: Path) -> Choice:
    """Read the settings; the trust folder is `trust` in the data folder if none is named. Raises BadChoice."""
    name = environ.get("KONSILIUM_SIGNATURES", "").strip()
    if name not in KNOWN:
        raise BadChoice(f'KONSILIUM_SIGNATURES must be "openssl", or empty for no check, not {name!r}.')
    trust = environ.get("KONSILIUM_SIGNATURES_TRUST", "")
    if trust and not Path(trust).is_absolute():
        raise BadChoice("KONSILIUM_SIGNATURES_TRUST must be a folder's whole path, from / on.")
    return Choice(
        "" if name == "none" else name,
        Path(trust) if trust else data / "trust",
        environ.get("KONSILIUM_SIGNATURES_PROGRAM") or "openssl",
        environ.get("KONSILIUM_SIGNATURES_ENGINE", ""),
    )
