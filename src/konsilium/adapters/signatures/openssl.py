"""A verifier that asks the `openssl` program, with a configuration of our own and, for GOST, its engine.

The engine is not a certified tool, and neither is this; the interface takes another verifier as well. Revocation lists
are compared with the time of signing by us: the program itself calls everything revoked that was ever revoked.
"""

import base64
import subprocess
import textwrap
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from konsilium.adapters import sandbox
from konsilium.adapters.signatures.trust import Trust
from konsilium.adapters.signatures.verifier import Checked, Paper
from konsilium.workflow.signing import Verdict

LONGEST_SECONDS = 20
LIMITS = sandbox.Limits(cpu_seconds=20, wall_seconds=40)
ENGINES = ("/usr/lib/x86_64-linux-gnu/engines-3/gost.so", "/usr/lib/aarch64-linux-gnu/engines-3/gost.so")
_CONFIGURATION = """openssl_conf = all
[all]
{engines}
[engines]
gost = gost
[gost]
engine_id = gost
dynamic_path = {path}
default_algorithms = ALL
"""
# What the program says of a chain, in its words, and ours for it.
_CHAIN = {
    "certificate has expired": Verdict.EXPIRED,
    "certificate is not yet valid": Verdict.EXPIRED,
}


def gost_engine() -> str:
    """Return the place of Debian's GOST engine, or "" where it isn't installed."""
    return next((path for path in ENGINES if Path(path).exists()), "")


class OpenSSLVerifier:
    """Verifies detached CMS and PAdES signatures: GOST R 34.10-2012 where the engine is, RSA and ECDSA anywhere."""

    name = "openssl"

    def __init__(self, trust: Trust, *, program: str = "openssl", engine: str = "") -> None:
        self._trust, self._program = trust, program
        self._engine = engine or gost_engine()

    def verify(self, paper: Paper, signature: Path, *, kind: str, at: datetime, scratch: Path) -> Checked:
        """Read the signature in the sandbox, then: is it over this document, whose is it, and was it valid at `at`."""
        if kind == "pades":
            return self._verify_pdf(paper, signature, at=at, scratch=scratch)
        return self._verify_detached(paper, signature, at=at, scratch=scratch)

    def _verify_pdf(self, paper: Paper, signed: Path, *, at: datetime, scratch: Path) -> Checked:
        """Check the last signature of a PDF; it has to be over the whole file, and the file to begin as the form."""
        try:
            read = sandbox.run("read_pdf", {"document": str(signed)}, scratch=scratch, limits=LIMITS)
        except (sandbox.Killed, sandbox.Failed):
            return Checked(Verdict.UNREADABLE)
        found = read["signatures"]
        if not found:
            return Checked(Verdict.UNREADABLE)
        last = found[-1]
        if not last["is_whole"]:
            return Checked(Verdict.PARTIAL)
        # A signature is appended to the form: another beginning is another document.
        form = paper.document.read_bytes()
        if signed.read_bytes()[: len(form)] != form:
            return Checked(Verdict.OTHER_DOCUMENT)
        content = Paper(Path(last["content"]))
        return self._verify_detached(content, Path(last["signature"]), at=at, scratch=scratch)

    def _verify_detached(self, paper: Paper, signature: Path, *, at: datetime, scratch: Path) -> Checked:
        arguments = {
            "signature": str(signature),
            "roots": [str(path) for path in self._trust.roots()],
            "intermediates": [str(path) for path in self._trust.intermediates()],
            "lists": [str(path) for path in self._trust.lists()],
        }
        try:
            read = sandbox.run("read_cms", arguments, scratch=scratch, limits=LIMITS)
        except (sandbox.Killed, sandbox.Failed):
            return Checked(Verdict.UNREADABLE)
        if not read["is_readable"]:
            return Checked(Verdict.UNREADABLE)
        verdict = self._content(paper, Path(read["signature"]), scratch) or self._chain(read, at, scratch)
        if verdict == Verdict.VALID and read["is_weak"]:
            verdict = Verdict.WEAK
        signed_at = datetime.fromisoformat(read["signed_at"]) if read["signed_at"] else None
        return Checked(
            verdict,
            certificate=read["certificate"],
            signed_at=signed_at,
            details={"revocations": [_told(one) for one in read["revocations"]]},
            material=(
                *(Path(path) for path in read["chain"]),
                *(Path(one["list"]) for one in read["revocations"] if one),
            ),
        )

    def _content(self, paper: Paper, signature: Path, scratch: Path) -> Verdict | None:
        """Say what is wrong between document and signature; None when it is over exactly this document."""
        if self._is_over(paper.document, signature, scratch):
            return None
        if any(self._is_over(other, signature, scratch) for other in paper.others):
            return Verdict.OTHER_DOCUMENT
        return Verdict.CHANGED

    def _is_over(self, document: Path, signature: Path, scratch: Path) -> bool:
        arguments = ["-content", str(document), "-in", str(signature), "-noverify"]
        return self._cms(arguments, scratch).returncode == 0

    def _chain(self, read: dict[str, Any], at: datetime, scratch: Path) -> Verdict:
        """Say what the certificate was worth at `at`: its chain first, then the revocation lists of each issuer."""
        chain = [Path(path) for path in read["chain"]]
        said = self._run(
            [
                "verify",
                "-purpose", "any",
                "-attime", str(int(at.timestamp())),
                "-no-CApath", "-no-CAstore",
                "-CAfile", str(self._bundle(self._trust.roots(), scratch / "roots.pem")),
                "-untrusted", str(self._bundle(chain[1:], scratch / "untrusted.pem")),
                str(chain[0]),
            ],
            scratch,
        )  # fmt: skip
        if said.returncode != 0:
            text = (said.stderr + said.stdout).decode(errors="replace")
            return next((word for words, word in _CHAIN.items() if words in text), Verdict.UNKNOWN_ISSUER)
        pairs = zip(read["revocations"], chain[1:] or chain, strict=False)
        judged = [self._revocation(one, issuer, at, scratch) for one, issuer in pairs]
        return next((word for word in judged if word is not None), Verdict.VALID)

    def _revocation(self, one: dict[str, Any], issuer: Path, at: datetime, scratch: Path) -> Verdict | None:
        """Say what a revocation list holds against a certificate at `at`; None when nothing.

        A list that is older than its term, or that its issuer didn't sign, can't be asked.
        """
        if not one or not self._is_signed_list(Path(one["list"]), issuer, scratch):
            return Verdict.NO_REVOCATION_LIST
        if one["revoked_at"] and datetime.fromisoformat(one["revoked_at"]) <= at:
            return Verdict.REVOKED
        if one["until"] and datetime.fromisoformat(one["until"]) < at:
            return Verdict.NO_REVOCATION_LIST
        return None

    def _is_signed_list(self, path: Path, issuer: Path, scratch: Path) -> bool:
        form = "PEM" if path.read_bytes().lstrip().startswith(b"-----") else "DER"
        said = self._run(
            ["crl", "-in", str(path), "-inform", form, "-CAfile", str(issuer), "-noout", "-verify"], scratch
        )
        return b"verify OK" in said.stderr + said.stdout

    def _cms(self, arguments: Sequence[str], scratch: Path) -> subprocess.CompletedProcess[bytes]:
        fixed = ["cms", "-verify", "-binary", "-inform", "DER", "-out", "/dev/null"]
        return self._run([*fixed, *arguments], scratch)

    def _run(self, arguments: Sequence[str], scratch: Path) -> subprocess.CompletedProcess[bytes]:
        """Run the program with nothing of our environment but our own configuration."""
        place = scratch / "openssl.cnf"
        if not place.exists():
            engines = "engines = engines" if self._engine else ""
            place.write_text(_CONFIGURATION.format(engines=engines, path=self._engine))
        try:
            return subprocess.run(
                [self._program, *arguments],
                env={"OPENSSL_CONF": str(place), "PATH": "/usr/bin:/bin"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=LONGEST_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess([], 1, b"", b"")

    @staticmethod
    def _bundle(paths: Sequence[Path], place: Path) -> Path:
        place.write_bytes(b"\n".join(_pem(path) for path in paths))
        return place


def _pem(path: Path) -> bytes:
    """Return a certificate's file as PEM; the operator may have laid it down in DER."""
    data = path.read_bytes()
    if data.lstrip().startswith(b"-----"):
        return data
    # Anything else beside certificates would make the program refuse all of them.
    if data[:1] != b"\x30":
        return b""
    lines = textwrap.wrap(base64.b64encode(data).decode(), 64)
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""]).encode()


def _told(one: dict[str, Any]) -> dict[str, str]:
    return {name: one[name] for name in ("from", "until", "revoked_at") if one.get(name)}
