"""Electronic signatures: brought by whoever signed at their own side, kept bit for bit, in the right order.

What a signature is worth is said later by a check (actions/verifying.py). Until then it waits, and counts for nothing.
"""

from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from konsilium.actions._files import store
from konsilium.actions._record import Note, record
from konsilium.actions._step import NotThere, lock
from konsilium.models import (
    Conclusion,
    Consultation,
    Event,
    Organization,
    Person,
    PrintForm,
    Seat,
    Signature,
)
from konsilium.models.access import door
from konsilium.workflow.consultation import State
from konsilium.workflow.council import SeatKind
from konsilium.workflow.machine import NotNow, NotYours, Refused
from konsilium.workflow.roles import Actor, Role
from konsilium.workflow.signing import AFTER, COUNTING, LAST_OF_AUTHORS, SignatureRole, Verdict
from konsilium.workflow.words import N_

# A CMS holds a chain, maybe revocation lists and time stamps; more than this is something else.
LARGEST_CMS = 1024 * 1024
SIGNED_IN = (State.CONCLUSION, State.COMPLETED)
SEAT_ROLES = {
    SeatKind.CHAIR: SignatureRole.CHAIRMAN,
    SeatKind.SECRETARY: SignatureRole.SECRETARY,
    SeatKind.MEMBER: SignatureRole.COMMISSIONER,
}
CMS, PADES = "cms", "pades"
BRING = N_("Bring a detached signature (.sig, .p7s) or the signed PDF.")
TOO_LARGE = N_("The file is empty or too large for a signature.")
NOT_YOURS = N_("This document is not yours to sign.")
# A signature stands, or may still turn out to.
STANDING = COUNTING | {Verdict.WAITING}


class NoSignature(Refused):
    """What was brought can't be a signature; the words say what to bring instead."""


class OutOfOrder(NotNow):
    """Somebody else has to sign before."""


class Standing(NamedTuple):
    """In which role somebody would sign a form, and why they can't now; no role: never."""

    role: SignatureRole | None
    why_not: str = ""


def is_configured() -> bool:
    """Say whether anything checks signatures here; else the pages say that nothing does."""
    return bool(settings.SIGNATURES.verifier)


def attach(
    form: PrintForm, data: bytes, *, role: SignatureRole, kind: str, actor: Actor, at: datetime
) -> Signature:
    """Lay a signature to a print form, to be checked by the worker: "cms" detached, "pades" the signed PDF itself.

    One of the signer's own that was found bad gives way to it, and so does every one over an earlier text.
    Raises NotThere, NotYours, NotNow, OutOfOrder or NoSignature.
    """
    _check_looks(data, kind, form)
    with transaction.atomic():
        row = lock(form.consultation, actor=actor)
        paper = _ready(form)
        _check_may(paper, row, role, actor)
        stored = store().receive([data], len(data))
        if Signature.objects.filter(consultation=row, sha256=stored.sha256).exclude(form=paper).exists():
            raise NoSignature(N_("This signature was brought for another document or edition already."))
        _make_room(paper, role, actor, at)
        signature = _signature(paper, role, kind, actor, at)
        signature.sha256, signature.size = stored.sha256, stored.size
        signature.save(force_insert=True)
        with door(row.pk):
            settle(paper, at=at)
        note = Note(audience=Event.BOTH if paper.placed_at else Event.CENTRE)
        record(row, "signature_brought", actor=actor, at=at, subject=("signature", signature.pk), note=note)
    return signature


def _check_looks(data: bytes, kind: str, form: PrintForm) -> None:
    """Refuse at once what can't be a signature. What it is worth is found out in the sandbox."""
    if kind not in (CMS, PADES):
        raise NoSignature(BRING)
    most = LARGEST_CMS + (form.size if kind == PADES else 0)
    if not data or len(data) > most:
        raise NoSignature(TOO_LARGE)
    head = data.lstrip()[:5]
    looks = (
        head == b"%PDF-" if kind == PADES else head[:1] == b"\x30" or head[:2] == b"MI" or head == b"-----"
    )
    if not looks:
        raise NoSignature(BRING)


def kind_of(data: bytes) -> str:
    """Tell a signed PDF from a detached signature by its first bytes."""
    return PADES if data.lstrip()[:5] == b"%PDF-" else CMS


def _ready(form: PrintForm) -> PrintForm:
    paper = PrintForm.objects.filter(pk=form.pk).first()
    if paper is None:
        raise NotThere
    return paper


def _check_may(paper: PrintForm, row: Consultation, role: SignatureRole, actor: Actor) -> None:
    standing = standing_of(paper, row, actor=actor)
    if standing.role is None or standing.role != role:
        raise NotYours(NOT_YOURS)
    if standing.why_not in _ORDER:
        raise OutOfOrder(standing.why_not)
    if standing.why_not:
        raise NotNow(standing.why_not)


_ORDER = (
    N_("The author signs first, and their signature has to be good."),
    N_("The chair signs the protocol first, and their signature has to be good."),
    N_("The chair signs last: somebody has not signed yet."),
)


def standing_of(paper: PrintForm, row: Consultation, *, actor: Actor) -> Standing:
    """Return in which role this person signs the form, and why not now (four queries)."""
    subject = (
        Conclusion.objects.filter(pk=paper.subject_id).first() if paper.kind in LAST_OF_AUTHORS else None
    )
    role = _role(paper, subject, row, actor) if subject else None
    if subject is None or role is None:
        return Standing(None)
    given = list(Signature.objects.filter(form=paper, void_at=None))
    checks = (
        (
            row.state in SIGNED_IN and subject.superseded_at is None,
            N_("This step is not possible in the present state."),
        ),
        (paper.state == "ready", N_("The document is being prepared. Open it again in a moment.")),
        (
            is_current(paper, subject),
            N_("The text was changed after this document was made. Make it anew, and sign that one."),
        ),
        (not _has_signed(given, role, actor), N_("It is signed already.")),
    )
    why_not = next((words for holds, words in checks if not holds), "")
    return Standing(role, why_not or _out_of_order(paper, subject, role, given))


def _role(paper: PrintForm, subject: Conclusion, row: Consultation, actor: Actor) -> SignatureRole | None:
    hats = row.roles_of(actor)
    if Role.SIGNATORY in hats:
        return SignatureRole.ORGANIZATION
    if paper.kind == "conclusion":
        return (
            SignatureRole.AUTHOR if Role.CONSULTANT in hats and subject.author_id == actor.person_id else None
        )
    if Role.COUNCIL_MEMBER not in hats:
        return None
    seat = _seats(subject).filter(person_id=actor.person_id).first()
    return SEAT_ROLES[SeatKind(seat.kind)] if seat else None


def _seats(subject: Conclusion) -> QuerySet[Seat]:
    return Seat.objects.filter(council=subject.council, answer="accepted")


def is_current(paper: PrintForm, subject: Conclusion) -> bool:
    """Say whether a form is what its subject says now: a placed one doesn't change, a draft does."""
    if subject.placed_at is not None:
        return paper.placed_at is not None
    return paper.edition == subject.edition and paper.asked_at >= subject.updated_at


def _has_signed(given: list[Signature], role: SignatureRole, actor: Actor) -> bool:
    standing = [one for one in given if one.verdict in STANDING and one.role == role]
    several = role == SignatureRole.COMMISSIONER
    return any(not several or one.person_id == actor.person_id for one in standing)


def _out_of_order(paper: PrintForm, subject: Conclusion, role: SignatureRole, given: list[Signature]) -> str:
    """Return who has to sign before, in words."""
    counted = {one.role for one in given if one.verdict in COUNTING}
    if AFTER.get(role) and LAST_OF_AUTHORS[paper.kind] not in counted:
        return _ORDER[0] if paper.kind == "conclusion" else _ORDER[1]
    if role == SignatureRole.CHAIRMAN and _unsigned(subject, given):
        return _ORDER[2]
    return ""


def _unsigned(subject: Conclusion, given: list[Signature]) -> bool:
    """Say whether a member has signed the protocol neither electronically nor on paper."""
    signed = {one.person_id for one in given if one.verdict in COUNTING}
    return any(
        seat.kind != SeatKind.CHAIR and seat.signed_at is None and seat.person_id not in signed
        for seat in _seats(subject)
    )


def _make_room(paper: PrintForm, role: SignatureRole, actor: Actor, at: datetime) -> None:
    """Void the signer's own bad signature, and what was signed of another text of the same subject."""
    with door(paper.consultation_id):
        rows = Signature.objects.filter(form=paper, role=role, void_at=None).exclude(verdict__in=STANDING)
        if role == SignatureRole.COMMISSIONER:
            rows = rows.filter(person_id=actor.person_id)
        rows.update(void_at=at)
    void_replaced(paper, at=at)


def void_replaced(paper: PrintForm, *, at: datetime) -> int:
    """Void the signatures over earlier papers of a form's subject: this one replaces them. Returns how many."""
    others = PrintForm.objects.filter(kind=paper.kind, subject_id=paper.subject_id).exclude(pk=paper.pk)
    with door(paper.consultation_id):
        rows = Signature.objects.filter(form__in=others.filter(placed_at=None), void_at=None)
        voided = rows.update(void_at=at)
        others.exclude(waits_since=None).update(waits_since=None)
    return voided


def void_all(subject: Conclusion, *, at: datetime) -> int:
    """Void every signature over a draft's papers: it was given back, and will be signed anew. Returns how many."""
    with door(subject.consultation_id):
        forms = PrintForm.objects.filter(subject_id=subject.pk, placed_at=None)
        voided = Signature.objects.filter(form__in=forms, void_at=None).update(void_at=at)
        forms.exclude(waits_since=None).update(waits_since=None)
    return voided


def _signature(paper: PrintForm, role: SignatureRole, kind: str, actor: Actor, at: datetime) -> Signature:
    return Signature(
        consultation_id=paper.consultation_id,
        form=paper,
        role=role,
        person_id=actor.person_id,
        person_name=actor.name,
        person_snils=Person.objects.values_list("snils", flat=True).get(pk=actor.person_id),
        organization_name=Organization.objects.get(pk=actor.organization_id).full_name,
        position=actor.position,
        at=at,
        format=kind,
    )


def settle(paper: PrintForm, *, at: datetime) -> bool:
    """Write whether a form waits for the organisation's signature, in the caller's context. Says if it began to."""
    given = list(Signature.objects.filter(form=paper, void_at=None).values_list("role", "verdict"))
    counted = {role for role, verdict in given if verdict in COUNTING}
    standing = {role for role, verdict in given if verdict in STANDING}
    waits = LAST_OF_AUTHORS.get(paper.kind) in counted and SignatureRole.ORGANIZATION not in standing
    if waits == (paper.waits_since is not None):
        return False
    paper.waits_since = at if waits else None
    PrintForm.objects.filter(pk=paper.pk).update(waits_since=paper.waits_since)
    return waits


def recheck(signature: Signature, *, actor: Actor, at: datetime) -> None:
    """Let a signature be checked again; until then it counts for nothing. Earlier checks stay readable.

    Raises NotThere, or NotNow for a void one.
    """
    with transaction.atomic():
        row = lock(signature.consultation, actor=actor)
        found = Signature.objects.select_related("form").filter(pk=signature.pk, consultation=row).first()
        if found is None:
            raise NotThere
        if found.void_at is not None:
            raise NotNow(N_("This signature is void: another edition is signed instead."))
        with door(row.pk):
            Signature.objects.filter(pk=found.pk).update(verdict=Verdict.WAITING)
            settle(found.form, at=at)


def is_signed(draft: Conclusion) -> bool:
    """Say whether the draft as it stands is signed electronically by its author and by the organisation (one query)."""
    kind = "protocol" if draft.council_id else "conclusion"
    rows = Signature.objects.filter(
        form__kind=kind,
        form__subject_id=draft.pk,
        form__edition=draft.edition,
        form__asked_at__gte=draft.updated_at,
        void_at=None,
        verdict__in=COUNTING,
    ).values_list("form_id", "role", "person_id")
    first = LAST_OF_AUTHORS[kind]
    authors = {
        form
        for form, role, person in rows
        if role == first and (first != SignatureRole.AUTHOR or person == draft.author_id)
    }
    return any(form in authors for form, role, _ in rows if role == SignatureRole.ORGANIZATION)


def publish(draft: Conclusion, *, at: datetime) -> int:
    """Let the requesting side see the form of a conclusion that is placed now, with its signatures. Returns how many."""
    with door(draft.consultation_id):
        current = forms_of(draft).filter(placed_at=None, asked_at__gte=draft.updated_at)
        return PrintForm.objects.filter(pk__in=list(current.values_list("pk", flat=True)[:1])).update(
            placed_at=at
        )


def forms_of(subject: Conclusion) -> QuerySet[PrintForm]:
    """Return the documents made of a conclusion: the one that is signed first, then the newest."""
    kind = "protocol" if subject.council_id else "conclusion"
    signed = Exists(Signature.objects.filter(form=OuterRef("pk"), void_at=None))
    forms = PrintForm.objects.filter(kind=kind, subject_id=subject.pk, state="ready")
    return forms.annotate(signed=signed).order_by("-signed", "-asked_at", "-id")
