"""Signatures over print forms: read in the sandbox, verified by a program in a process of its own, never in a page.

We ship no certified cryptography. A verifier takes a document and a signature as files and says a word of
`workflow.signing.Verdict`; the operator names one, and without it the word is that nothing was checked.
"""

from konsilium.adapters.signatures.openssl import OpenSSLVerifier
from konsilium.adapters.signatures.trust import Trust
from konsilium.adapters.signatures.verifier import Checked, NullVerifier, Paper, Verifier

__all__ = ["Checked", "NullVerifier", "OpenSSLVerifier", "Paper", "Trust", "Verifier", "configured"]


def configured(name: str, trust: Trust, *, program: str = "openssl", engine: str = "") -> Verifier:
    """Return the verifier that the operator named: "openssl", or "" for none. Raises ValueError for another word."""
    if name == "":
        return NullVerifier()
    if name == "openssl":
        return OpenSSLVerifier(trust, program=program, engine=engine)
    raise ValueError(name)
