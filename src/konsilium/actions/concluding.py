"""The conclusion: drafted along the requester's questions, placed with the scan of the signed paper, corrected.

A council's protocol is a conclusion too: the secretary writes and places it, and another council corrects it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from konsilium.actions import councils, paper_codes, signing
from konsilium.actions._parts import Parts, items_as_kept, parts_of, put_parts
from konsilium.actions._record import Note
from konsilium.actions._step import lock, step
from konsilium.actions.documents import Upload, add, remove
from konsilium.models import (
    Answer,
    Conclusion,
    Consultation,
    Council,
    Document,
    Membership,
    Organization,
    Profile,
    Question,
    Session,
)
from konsilium.models.access import door
from konsilium.workflow.consultation import ONE_AUTHOR, Facts, State
from konsilium.workflow.council import CouncilState
from konsilium.workflow.document import DocumentState
from konsilium.workflow.machine import Missing, NotNow, NotYours, Refused, Stale
from konsilium.workflow.roles import Actor, Role
from konsilium.workflow.session import SessionState
from konsilium.workflow.words import CONCLUSION_SCAN, N_

__all__ = [
    "Paper",
    "Parts",
    "attach_scan",
    "correct",
    "discard",
    "draft_of",
    "lacking",
    "may_write",
    "paper_of",
    "place",
    "save_draft",
]

FIELDS = (
    "kind mode goal diagnosis_code diagnosis_text diagnosis_certainty text sections "
    "visit_needed admission_needed repeat_needed next_date correction"
).split()
_AUTHOR = ("author_id", "author_name", "author_position", "author_specialty", "author_organization")


@dataclass(frozen=True)
class Paper:
    """A conclusion as it is being written: the draft (unsaved while nothing was kept), answers, and its other parts."""

    draft: Conclusion
    answers: tuple[tuple[Question, str], ...]
    parts: Parts


def paper_of(consultation: Consultation, *, actor: Actor, at: datetime) -> Paper:
    """Return what is being written, or what it begins from, and change nothing.

    A first conclusion begins along the requester's questions, a correction as a copy of what was placed.
    Raises NotNow, NotYours, or Missing when only a council may write it.
    """
    _may_write(consultation, actor)
    draft = _draft(consultation) or _new_draft(consultation, actor, at)
    source = draft if draft.edition == 1 or not draft._state.adding else _placed(consultation)  # noqa: SLF001
    written = dict(Answer.objects.filter(conclusion=source).values_list("question_id", "text"))
    questions = Question.objects.filter(consultation=consultation)
    answers = tuple((question, written.get(question.pk, "")) for question in questions)
    return Paper(draft, answers, parts_of(source) if source else Parts())


def draft_of(consultation: Consultation, *, actor: Actor, at: datetime) -> Conclusion:
    """Return the draft of the conclusion; begin one where there is none. Raises NotThere and what `paper_of` raises."""
    with transaction.atomic():
        row = lock(consultation, actor=actor)
        paper = paper_of(row, actor=actor, at=at)
        if paper.draft._state.adding:  # noqa: SLF001  Django's own word for "not saved yet"
            paper.draft.save(force_insert=True)
            _put_answers(paper.draft, {question.pk: text for question, text in paper.answers})
            put_parts(paper.draft, paper.parts)
        return paper.draft


def save_draft(
    conclusion: Conclusion,
    values: Mapping[str, Any],
    answers: Mapping[UUID, str],
    parts: Parts | None = None,
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> Conclusion:
    """Keep what was written so far; whoever writes last is its author. Without `parts` those stay as they are.

    Raises NotThere, NotNow, NotYours, or Stale when it was placed, or another window has saved meanwhile.
    """
    with transaction.atomic():
        row = lock(conclusion.consultation, actor=actor)
        _may_write(row, actor)
        draft = Conclusion.objects.filter(pk=conclusion.pk, placed_at=None).first()
        if draft is None or (version is not None and version != draft.version):
            raise Stale
        given = [name for name in FIELDS if name in values]
        is_same = _is_same(draft, {name: values[name] for name in given}, answers, parts)
        if councils.is_being_signed(row):
            if not is_same:
                raise NotNow(N_("The protocol is being signed, or is signed: it can't be changed."))
            return draft
        for name in given:
            setattr(draft, name, _stripped(values[name]))
        # What was signed electronically stays signed while nobody writes anything else.
        if not is_same or draft.author_id != actor.person_id:
            draft.updated_at = at
        _sign(draft, actor)
        draft.version += 1
        draft.save(update_fields=[*given, *_AUTHOR, "version", "updated_at"])
        _put_answers(draft, answers)
        if parts is not None:
            put_parts(draft, parts)
    return draft


def _is_same(
    draft: Conclusion, values: Mapping[str, Any], answers: Mapping[UUID, str], parts: Parts | None
) -> bool:
    """Say whether this is what stands in the draft already."""
    written = dict(Answer.objects.filter(conclusion=draft).values_list("question_id", "text"))
    return (
        all(getattr(draft, name) == _stripped(value) for name, value in values.items())
        and all(written.get(pk, "") == _stripped(text) for pk, text in answers.items())
        and (parts is None or _stripped_parts(parts) == parts_of(draft))
    )


def _stripped_parts(parts: Parts) -> Parts:
    """Return the parts as they are kept: a form sends one more line of recommendations than was written."""
    captions = tuple((pk, caption.strip()) for pk, caption in parts.pictures)
    return replace(parts, items=items_as_kept(parts.items), pictures=captions)


def attach_scan(conclusion: Conclusion, upload: Upload, *, actor: Actor, at: datetime) -> Document:
    """Lay the scan of the signed paper to a draft; the requesting side sees it once the conclusion is placed.

    Raises NotThere, NotNow, NotYours, Stale when it was placed meanwhile, and what `documents.add` refuses.
    """
    with transaction.atomic():
        row = lock(conclusion.consultation, actor=actor)
        _may_write(row, actor)
        draft = Conclusion.objects.filter(pk=conclusion.pk, placed_at=None).first()
        if draft is None:
            raise Stale
        return add(row, upload, kind=CONCLUSION_SCAN, conclusion=draft, actor=actor, at=at)


def discard(conclusion: Conclusion, *, actor: Actor, at: datetime) -> None:
    """Throw a draft away with its scans. Raises NotThere, NotNow, NotYours, or Stale when it was placed meanwhile."""
    with transaction.atomic():
        row = lock(conclusion.consultation, actor=actor)
        _may_write(row, actor)
        draft = Conclusion.objects.filter(pk=conclusion.pk, placed_at=None).first()
        if draft is None:
            raise Stale
        if councils.is_being_signed(row):
            raise NotNow(N_("The protocol is being signed, or is signed: it can't be changed."))
        for scan in _scans(draft).filter(author_id=actor.person_id).exclude(state=DocumentState.REMOVED):
            remove(scan, actor=actor, at=at)
        draft.delete()


def place(
    consultation: Consultation, *, actor: Actor, at: datetime, version: int | None = None
) -> Conclusion:
    """Place the drafted conclusion: from now on the requesting side reads it, and nobody changes it.

    Raises what `step` raises: Missing while a question is unanswered, or neither the scan of the signed paper is there
    and available nor is its document signed electronically.
    """
    facts = lambda row: _readiness(row, actor)  # noqa: E731
    with step(consultation, "place", actor=actor, at=at, version=version, facts=facts) as row:
        draft = _publish(row, actor, at)
        row.answered_at = row.answered_at or at
    return draft


def correct(
    consultation: Consultation, *, actor: Actor, at: datetime, version: int | None = None
) -> Conclusion:
    """Place a corrected edition that says what it changes; the earlier one stays readable, marked superseded.

    The requester confirms reading again. Raises what `step` raises: Missing when a council's protocol is to be
    corrected and no council has signed the correction.
    """
    with transaction.atomic():
        draft = _draft(consultation)
        note = Note(text=draft.correction if draft else "")
        facts = lambda row: _readiness(row, actor)  # noqa: E731
        with step(
            consultation, "correct", actor=actor, at=at, version=version, facts=facts, note=note
        ) as row:
            with door(row.pk):
                present = Conclusion.objects.filter(consultation=row, superseded_at=None)
                present.exclude(placed_at=None).update(superseded_at=at)
            draft = _publish(row, actor, at)
            row.acknowledged_at = None
    return draft


def lacking(draft: Conclusion) -> list[str]:
    """Return what the draft still lacks before its author may place it, as message ids."""
    laid = list(_scans(draft).filter(author_id=draft.author_id))
    scans = {scan.state for scan in laid}
    counted = [scan for scan in laid if scan.state == DocumentState.AVAILABLE]
    answered = Answer.objects.filter(conclusion=draft).exclude(text="")
    unanswered = Question.objects.filter(consultation_id=draft.consultation_id).exclude(
        pk__in=answered.values("question_id")
    )
    checks = (
        (not unanswered.exists(), N_("An answer to every question")),
        (bool(draft.text.strip()), N_("The conclusion's text")),
        (_has_sections(draft), N_("Every section that the profile needs")),
        (draft.edition == 1 or bool(draft.correction.strip()), N_("What the correction changes, and why")),
        (
            bool(scans & {DocumentState.AVAILABLE, DocumentState.QUARANTINED}) or signing.is_signed(draft),
            N_("The scan of the signed paper"),
        ),
        (
            DocumentState.AVAILABLE in scans or DocumentState.QUARANTINED not in scans,
            N_("The end of the scan's check"),
        ),
        (
            not paper_codes.is_other(counted, draft),
            N_("A scan of this edition: the code on the one laid here is another's"),
        ),
    )
    return [label for there, label in checks if not there]


def _has_sections(draft: Conclusion) -> bool:
    """Say whether the sections that the profile's template needs are written."""
    template = Profile.objects.filter(consultation=draft.consultation_id).values_list("sections", flat=True)
    needed = [section["code"] for section in template.first() or () if section.get("is_needed")]
    return all(draft.sections.get(code, "").strip() for code in needed)


def may_write(row: Consultation, *, actor: Actor) -> bool:
    """Say whether the conclusion, or its correction, is this person's to write now."""
    try:
        _may_write(row, actor)
    except Refused:
        return False
    return True


def _may_write(row: Consultation, actor: Actor) -> None:
    """Raise unless it is this person's to write: the consultant's, and while a council sits its secretary's.

    What a council has signed is nobody's to write until a council sits over it again.
    """
    hats = row.roles_of(actor) & {Role.CONSULTANT, Role.SECRETARY}
    council = councils.sitting(row) if hats else None
    if not _is_writer(hats, council, actor):
        raise NotYours(N_("This step belongs to another role."))
    if row.state not in (State.CONCLUSION, State.COMPLETED):
        raise NotNow(N_("This step is not possible in the present state."))
    if council is None and councils.has_signed(row):
        raise Missing(ONE_AUTHOR)


def _is_writer(hats: frozenset[Role], council: Council | None, actor: Actor) -> bool:
    """Say whether somebody with these hats writes: of two councils' secretaries it is the sitting one's."""
    if council is None:
        return Role.CONSULTANT in hats
    return Role.SECRETARY in hats and Role.SECRETARY in council.roles_of(actor)


def _draft(row: Consultation) -> Conclusion | None:
    return Conclusion.objects.filter(consultation=row, placed_at=None).first()


def _placed(row: Consultation) -> Conclusion | None:
    return Conclusion.objects.filter(consultation=row).exclude(placed_at=None).last()


def _new_draft(row: Consultation, actor: Actor, at: datetime) -> Conclusion:
    placed = _placed(row)
    draft = Conclusion(
        consultation=row,
        edition=placed.edition + 1 if placed else 1,
        created_at=at,
        updated_at=at,
        council=councils.sitting(row),
        **(_copied(placed) if placed else _taken_over(row)),
    )
    if draft.council_id:
        draft.kind = "council"
    _sign(draft, actor)
    return draft


def _copied(placed: Conclusion) -> dict[str, Any]:
    return {name: getattr(placed, name) for name in FIELDS if name != "correction"}


def _taken_over(row: Consultation) -> dict[str, Any]:
    held = Session.objects.filter(consultation=row, state=SessionState.HELD).exists()
    return {
        "kind": row.kind,
        "mode": "real_time" if held else "deferred",
        "goal": row.goal,
        "diagnosis_code": row.diagnosis_code,
        "diagnosis_text": row.diagnosis_text,
        "diagnosis_certainty": row.diagnosis_certainty,
    }


def _sign(draft: Conclusion, actor: Actor) -> None:
    """Write down who answers for the words, as they are called now: another consultant may have begun them."""
    place_held = Membership.objects.get(pk=actor.membership_id)
    draft.author_id, draft.author_name = actor.person_id, actor.name
    draft.author_position, draft.author_specialty = place_held.position, place_held.specialty
    draft.author_organization = Organization.objects.get(pk=actor.organization_id).full_name


def _stripped(value: Any) -> Any:
    """Return words as they are kept: a form that is sent ends its lines otherwise than one that keeps itself."""
    if isinstance(value, dict):
        return {code: _stripped(text) for code, text in value.items()}
    return value.strip().replace("\r\n", "\n") if isinstance(value, str) else value


def _put_answers(draft: Conclusion, answers: Mapping[UUID, str]) -> None:
    """Keep an answer to each of the request's questions; one that was asked later gets its own."""
    there = {answer.question_id: answer for answer in Answer.objects.filter(conclusion=draft)}
    for question in Question.objects.filter(consultation_id=draft.consultation_id):
        text = _stripped(answers.get(question.pk, ""))
        answer = there.get(question.pk)
        if answer is None:
            Answer(conclusion=draft, question=question, text=text).save(force_insert=True)
        elif question.pk in answers and answer.text != text:
            answer.text = text
            answer.save(update_fields=["text"])


def _scans(draft: Conclusion) -> Any:
    return Document.objects.filter(conclusion=draft, kind=CONCLUSION_SCAN)


def _readiness(row: Consultation, actor: Actor) -> Facts:
    if not row.roles_of(actor) & {Role.CONSULTANT, Role.SECRETARY}:
        return Facts()
    council, draft = councils.sitting(row), _draft(row)
    if draft is not None:
        draft.author_id = actor.person_id
    return Facts(
        conclusion_ready=draft is not None and not lacking(draft),
        correction_explained=draft is not None and bool(draft.correction.strip()),
        no_open_council=council is None,
        no_council_signed=not councils.has_signed(row),
        council_signed=council is not None and _is_signed_for(council, actor),
    )


def _is_signed_for(council: Council, actor: Actor) -> bool:
    """Say whether everybody has signed and this person is the secretary: of this council, not of an earlier one."""
    return council.state == CouncilState.SIGNED and Role.SECRETARY in council.roles_of(actor)


def _publish(row: Consultation, actor: Actor, at: datetime) -> Conclusion:
    """Place the draft and its author's scans, inside the step; what another consultant had laid to it stays inside."""
    draft = Conclusion.objects.get(consultation=row, placed_at=None)
    _sign(draft, actor)
    draft.save(update_fields=_AUTHOR)
    with door(row.pk):
        Conclusion.objects.filter(pk=draft.pk).update(placed_at=at)
        _scans(draft).filter(author_id=actor.person_id).update(placed_at=at)
    signing.publish(draft, at=at)
    draft.placed_at = at
    return draft
