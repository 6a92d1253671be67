"""A signed document as one ZIP that verifies elsewhere with ordinary tools; the same content gives the same bytes.

What belongs into it is asked in the reader's own context; the files are read from the store while it is sent.
"""

import base64
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from konsilium.actions._files import store
from konsilium.actions.signed_readme import readme
from konsilium.models import PrintForm, Signature, SignatureCheck
from konsilium.workflow.roles import Actor

# The earliest that a ZIP can say: a container says nothing of when it was made.
THE_BEGINNING = (1980, 1, 1, 0, 0, 0)
_BLOCK = re.compile(rb"-----BEGIN (CERTIFICATE|X509 CRL)-----.+?-----END \1-----\n?", re.DOTALL)
_BASE64 = re.compile(rb"-----BEGIN [A-Z0-9 ]+-----\s+|-----END [A-Z0-9 ]+-----\s*")


class Entry(NamedTuple):
    """A file of the container: its bytes, or where they stand in the store."""

    name: str
    data: bytes = b""
    address: str = ""


def stem_of(form: PrintForm) -> str:
    """Return the beginning of a file's name for a form: the request's number, kind and edition, and no patient."""
    return f"{form.consultation.number}-{form.kind}-{form.edition}"


def contents(form: PrintForm, *, actor: Actor) -> list[Entry]:
    """Return the container's files, in order (two queries; certificates and lists are read from the store)."""
    rows = Signature.objects.visible_to(actor).filter(form=form, void_at=None).order_by("at", "id")
    signatures = list(rows)
    newest = _newest_checks(signatures)
    parts, told = [], []
    for number, one in enumerate(signatures, start=1):
        stem = f"{number}-{one.role}"
        parts += _files_of(stem, one, newest.get(one.pk))
        told.append(_told(stem, one, newest.get(one.pk)))
    verdicts = {"format": "konsilium-signed-document/1", "document": _document(form), "signatures": told}
    text = json.dumps(verdicts, ensure_ascii=False, indent=2, sort_keys=True)
    return [
        Entry("README.txt", readme(form, told).encode()),
        Entry("document.pdf", address=form.sha256),
        *parts,
        Entry("verdicts.json", f"{text}\n".encode()),
    ]


def _newest_checks(signatures: list[Signature]) -> dict[Any, SignatureCheck]:
    checks = SignatureCheck.objects.filter(signature__in=signatures).order_by("at", "id")
    return {check.signature_id: check for check in checks}


def _files_of(stem: str, one: Signature, check: SignatureCheck | None) -> list[Entry]:
    brought = b"".join(store().open_range(one.sha256))
    if one.format == "pades":
        entries = [Entry(f"signatures/{stem}.pdf", brought)]
    else:
        plain = der(brought)
        kept = [] if plain == brought else [Entry(f"signatures/{stem}.as-brought", brought)]
        entries = [Entry(f"signatures/{stem}.p7s", plain), *kept]
    return entries + (_material(stem, check.material_sha256) if check and check.material_sha256 else [])


def der(data: bytes) -> bytes:
    """Return a signature's DER, in which `openssl` reads it, out of PEM or bare Base64; else as it is."""
    text = _BASE64.sub(b"", data.strip())
    if text == data.strip() and text[:2] != b"MI":
        return data
    try:
        return base64.b64decode(text)
    except ValueError:
        return data


def _material(stem: str, address: str) -> list[Entry]:
    """Return what a check was made with: the signer's certificate, its issuers, and their revocation lists."""
    bundle = b"".join(store().open_range(address))
    blocks = [(match[1], match[0].strip() + b"\n") for match in _BLOCK.finditer(bundle)]
    certificates = [block for kind, block in blocks if kind == b"CERTIFICATE"]
    lists = [block for kind, block in blocks if kind != b"CERTIFICATE"]
    entries = [
        Entry(f"certificates/{stem}-signer.pem", b"".join(certificates[:1])),
        Entry(f"certificates/{stem}-issuers.pem", b"".join(certificates[1:])),
        Entry(f"crls/{stem}.pem", b"".join(lists)),
    ]
    return [entry for entry in entries if entry.data]


def _document(form: PrintForm) -> dict[str, Any]:
    return {
        "file": "document.pdf",
        "request": form.consultation.number,
        "kind": form.kind,
        "edition": form.edition,
        "sha256": form.sha256,
        "size": form.size,
    }


def _told(stem: str, one: Signature, check: SignatureCheck | None) -> dict[str, Any]:
    return {
        "file": f"signatures/{stem}.{'pdf' if one.format == 'pades' else 'p7s'}",
        "stem": stem,
        "format": one.format,
        "role": one.role,
        "name": one.person_name,
        "position": one.position,
        "organization": one.organization_name,
        "brought_at": one.at.isoformat(),
        "brought_sha256": one.sha256,
        "signed_at": one.signed_at.isoformat() if one.signed_at else None,
        "certificate": one.certificate,
        "verdict": one.verdict,
        "checked_at": check.at.isoformat() if check else None,
        "verifier": check.verifier if check else "",
        "seconds": int(one.at.timestamp()),
    }


class _Pipe(io.RawIOBase):
    """Where the ZIP is written: it can't be sought in, and gives away what stands in it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def packed(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield the ZIP in pieces. Raises NotStored where a file is missing, and then the ZIP ends unfinished."""
    pipe = _Pipe()
    # Stored, not compressed: what a compressor makes depends on its version.
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as container:
        for entry in entries:
            about = zipfile.ZipInfo(entry.name, THE_BEGINNING)
            about.external_attr = 0o644 << 16
            about.create_system = 3
            with container.open(about, "w") as file:
                chunks = store().open_range(entry.address) if entry.address else [entry.data]
                for chunk in chunks:
                    file.write(chunk)
                    yield pipe.taken()
    yield pipe.taken()
