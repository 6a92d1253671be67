"""Signatures over print forms: read in the sandbox, verified by a program in a process of its own, never in a page.

We ship no certified cryptography. A verifier takes a document and a signature as files and says a word of
`workflow.signing.Verdict`; the operator names one, and without it the word is that nothing was checked.
"""

from konsilium.adapters.signatures.choosing import BadChoice, Choice, read_choice
from konsilium.adapters.signatures.openssl import OpenSSLVerifier
from konsilium.adapters.signatures.trust import Trust
from konsilium.adapters.signatures.verifier import Checked, NullVerifier, Paper, Verifier

__all__ = [
    "BadChoice",
    "Checked",
    "Choice",
    "NullVerifier",
    "OpenSSLVerifier",
    "Paper",
    "Trust",
    "Verifier",
    "read_choice",
]
