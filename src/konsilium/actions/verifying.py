"""Checking signatures: the worker takes each that waits, asks the verifier outside any transaction, writes its word."""

import base64
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from konsilium.actions._files import NOTHING, scratch, store
from konsilium.actions._record import Note, record
from konsilium.actions.signing import settle
from konsilium.adapters.signatures import Checked, Verifier
from konsilium.adapters.signatures import Paper as Document
from konsilium.models import Consultation, Event, Organization, PrintForm, Signature, SignatureCheck
from konsilium.models.access import as_printer, as_worker
from konsilium.workflow.roles import SYSTEM
from konsilium.workflow.signing import COUNTING, SignatureRole, Signer, Verdict, is_named

log = logging.getLogger(__name__)

# Other papers of the request that a signature may have strayed from; the newest are the likely ones.
MOST_OTHERS = 10
LARGEST_MATERIAL = 64 * 1024 * 1024
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)
# Compared with what is known of the signer, and then shown to nobody.
_NOT_SHOWN = ("snils", "inn")


class Taken(NamedTuple):
    """A signature to be checked: plain values, since the check is made outside any transaction."""

    signature: Signature
    signer: Signer
    others: tuple[str, ...]


def check_waiting(verifier: Verifier | None = None, *, at: datetime, most: int = 20) -> int:
    """Check the signatures that wait, the oldest first. Returns how many were; one that can't be now waits on."""
    with as_worker():
        rows = Signature.objects.filter(verdict=Verdict.WAITING).order_by("at")
        waiting = list(rows.values_list("pk", "consultation_id")[:most])
    return sum(_try(verifier or settings.SIGNATURES.made(), *one, at=at) for one in waiting)


def _try(verifier: Verifier, pk: UUID, consultation_id: UUID, *, at: datetime) -> bool:
    try:
        return _check(verifier, pk, consultation_id, at)
    except Exception:
        log.exception("signature %s could not be checked", pk)
        return False


def _check(verifier: Verifier, pk: UUID, consultation_id: UUID, at: datetime) -> bool:
    with as_printer(consultation_id):
        taken = _take(pk)
    if taken is None:
        return False
    signature = taken.signature
    with scratch() as folder, _files(taken) as (paper, brought):
        checked = verifier.verify(paper, brought, kind=signature.format, at=signature.at, scratch=folder)
        material = _keep(checked.material)
    verdict = _judged(checked, taken.signer)
    with as_printer(consultation_id):
        waits = _write(signature, checked, verdict, verifier.name, material, at)
    _remember(signature, verdict, waits=waits, at=at)
    return True


def _take(pk: UUID) -> Taken | None:
    rows = Signature.objects.select_related("form", "consultation").filter(pk=pk, verdict=Verdict.WAITING)
    signature = rows.first()
    if signature is None:
        return None
    papers = PrintForm.objects.filter(consultation=signature.consultation_id, state="ready")
    others = papers.exclude(pk=signature.form_id).order_by("-asked_at").values_list("sha256", flat=True)
    return Taken(signature, _signer(signature), tuple(others[:MOST_OTHERS]))


def _signer(signature: Signature) -> Signer:
    ogrn = ""
    if signature.role == SignatureRole.ORGANIZATION:
        centre = Organization.objects.filter(pk=signature.consultation.centre_id or NOTHING)
        ogrn = centre.values_list("ogrn", flat=True).first() or ""
    return Signer(signature.person_name, signature.person_snils, ogrn)


@contextmanager
def _files(taken: Taken) -> Iterator[tuple[Document, Path]]:
    """Give the document, the others, and the signature as files. Raises NotStored where one is missing."""
    with ExitStack() as stack:
        paths = [
            stack.enter_context(store().open_path(address))
            for address in (taken.signature.form.sha256, taken.signature.sha256, *taken.others)
        ]
        yield Document(paths[0], tuple(paths[2:])), paths[1]


def _keep(material: Iterable[Path]) -> str:
    """Keep certificates and revocation lists as they were used, as one file of PEM blocks. Returns its address."""
    blocks = [_armoured(path.read_bytes()) for path in material]
    return store().receive(blocks, LARGEST_MATERIAL).sha256 if blocks else ""


def _armoured(data: bytes) -> bytes:
    """Return PEM blocks; what is none is a revocation list in DER, for certificates come as PEM out of the reading."""
    found = [match[0] for match in _PEM.finditer(data)]
    if not found:
        lines = base64.encodebytes(data).strip()
        found = [b"-----BEGIN X509 CRL-----\n" + lines + b"\n-----END X509 CRL-----"]
    return b"".join(block + b"\n" for block in found)


def _judged(checked: Checked, signer: Signer) -> Verdict:
    """Return the verifier's word; a good signature of somebody else is not a good one."""
    if checked.verdict == Verdict.VALID and not is_named(checked.certificate, signer):
        return Verdict.WRONG_PERSON
    return checked.verdict


def _write(
    signature: Signature, checked: Checked, verdict: Verdict, verifier: str, material: str, at: datetime
) -> bool:
    """Write the check and what it means for the form. Says whether the organisation's signature is waited for now."""
    check = SignatureCheck(
        consultation_id=signature.consultation_id,
        signature=signature,
        at=at,
        verifier=verifier,
        verdict=verdict,
        details=checked.details,
        material_sha256=material,
    )
    check.save(force_insert=True)
    shown = {name: value for name, value in checked.certificate.items() if name not in _NOT_SHOWN}
    Signature.objects.filter(pk=signature.pk).update(
        verdict=verdict, certificate=shown, signed_at=checked.signed_at, checked_at=at
    )
    return settle(PrintForm.objects.get(pk=signature.form_id), at=at)


def _remember(signature: Signature, verdict: Verdict, *, waits: bool, at: datetime) -> None:
    """Append what others have to hear of: a signature that is not good, and that the organisation's turn has come."""
    kinds = [
        *(["signature_bad"] if verdict not in COUNTING else []),
        *(["signature_waits"] if waits else []),
    ]
    if not kinds:
        return
    with as_worker():
        row = Consultation.objects.only("id", "version").get(pk=signature.consultation_id)
        for kind in kinds:
            subject = ("signature", signature.pk)
            record(row, kind, actor=SYSTEM, at=at, subject=subject, note=Note(audience=Event.CENTRE))
