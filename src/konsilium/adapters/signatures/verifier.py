"""What every verifier does, and the one that does nothing and says so."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from konsilium.workflow.signing import Verdict


@dataclass(frozen=True)
class Checked:
    """A verifier's word, and what it is based on.

    `certificate` has subject, issuer, names of the person, serial, from, until, algorithm. `details` are closed words
    and times, never a piece of the document. `material` are the certificates and revocation lists as they were used.
    """

    verdict: Verdict
    certificate: dict[str, Any] = field(default_factory=dict)
    signed_at: datetime | None = None
    details: dict[str, Any] = field(default_factory=dict)
    material: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Paper:
    """What is said to be signed: the document, and other editions and papers that a signature may have strayed from."""

    document: Path
    others: Sequence[Path] = ()


class Verifier(Protocol):
    """Something that says what a signature is worth."""

    name: str

    def verify(self, paper: Paper, signature: Path, *, kind: str, at: datetime, scratch: Path) -> Checked:
        """Check a signature that came in at `at` ("cms": detached, "pades": the signed PDF itself).

        Writes only below `scratch`. Never raises for what stands in the files: that is a verdict.
        """


class NullVerifier:
    """No verifier is configured: nothing is ever called good."""

    name = ""

    def verify(self, paper: Paper, signature: Path, *, kind: str, at: datetime, scratch: Path) -> Checked:
        """Say that nothing was checked."""
        return Checked(Verdict.UNCHECKED)
