"""The conclusion: drafted along the requester's questions, placed with the scan of the signed paper, corrected."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from konsilium.actions._record import Note
from konsilium.actions._step import lock, step
from konsilium.models import Answer, Conclusion, Consultation, Document, Membership, Organization, Session
from konsilium.models.access import door
from konsilium.workflow.consultation import Facts, State
from konsilium.workflow.document import DocumentState
from konsilium.workflow.machine import NotNow, Stale
from konsilium.workflow.roles import Actor, Role
from konsilium.workflow.session import SessionState
from konsilium.workflow.words import CONCLUSION_SCAN, N_

FIELDS = (
    "kind mode goal documents_studied diagnosis_code diagnosis_text diagnosis_certainty text recommendations "
    "visit_needed admission_needed repeat_needed next_date correction"
).split()


def draft_of(consultation: Consultation, *, actor: Actor, at: datetime) -> Conclusion:
    """Return the draft of the conclusion; begin one along the requester's questions where there is none.

    A correction begins as a copy of what was placed. Raises NotThere or NotNow.
    """
    with transaction.atomic():
        row = lock(consultation, actor=actor)
        _in_writing(row)
        drafts = Conclusion.objects.filter(consultation=row, placed_at=None)
        return drafts.first() or _begin(row, actor, at)


def _in_writing(row: Consultation) -> None:
    if row.state not in (State.CONCLUSION, State.COMPLETED):
        raise NotNow(N_("This step is not possible in the present state."))


def _begin(row: Consultation, actor: Actor, at: datetime) -> Conclusion:
    placed = Conclusion.objects.filter(consultation=row).exclude(placed_at=None).last()
    membership = Membership.objects.get(pk=actor.membership_id)
    organization = Organization.objects.get(pk=actor.organization_id)
    held = Session.objects.filter(consultation=row, state=SessionState.HELD).exists()
    draft = Conclusion(
        consultation=row,
        edition=placed.edition + 1 if placed else 1,
        author_id=actor.person_id,
        author_name=actor.name,
        author_position=membership.position,
        author_specialty=membership.specialty,
        author_organization=organization.full_name,
        created_at=at,
        updated_at=at,
        **(_copied(placed) if placed else _taken_over(row, held=held)),
    )
    draft.save(force_insert=True)
    earlier = dict(placed.answers.values_list("question_id", "text")) if placed else {}
    Answer.objects.bulk_create(
        Answer(conclusion=draft, question=question, text=earlier.get(question.pk, ""))
        for question in row.questions.all()
    )
    return draft


def _copied(placed: Conclusion) -> dict[str, Any]:
    return {name: getattr(placed, name) for name in FIELDS if name != "correction"}


def _taken_over(row: Consultation, *, held: bool) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "mode": "real_time" if held else "deferred",
        "goal": row.goal,
        "diagnosis_code": row.diagnosis_code,
        "diagnosis_text": row.diagnosis_text,
        "diagnosis_certainty": row.diagnosis_certainty,
    }


def save_draft(
    conclusion: Conclusion,
    values: Mapping[str, Any],
    answers: Mapping[UUID, str],
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> Conclusion:
    """Keep what was written so far. Raises NotThere, NotNow, or Stale when another window has saved meanwhile."""
    with transaction.atomic():
        _in_writing(lock(conclusion.consultation, actor=actor))
        draft = Conclusion.objects.get(pk=conclusion.pk)
        if draft.placed_at is not None or (version is not None and version != draft.version):
            raise Stale
        for name in FIELDS:
            if name in values:
                setattr(draft, name, values[name])
        draft.version += 1
        draft.updated_at = at
        draft.save(update_fields=[*FIELDS, "version", "updated_at"])
        for question_id, text in answers.items():
            Answer.objects.filter(conclusion=draft, question_id=question_id).update(text=text.strip())
    return draft


def place(
    consultation: Consultation, *, actor: Actor, at: datetime, version: int | None = None
) -> Conclusion:
    """Place the drafted conclusion: from now on the requesting side reads it, and nobody changes it.

    Raises what `step` raises: Missing while a question is unanswered or the scan is not attached.
    """
    with step(consultation, "place", actor=actor, at=at, version=version, facts=readiness) as row:
        draft = Conclusion.objects.get(consultation=row, placed_at=None)
        _publish(row, draft, at)
        row.answered_at = row.answered_at or at
    return draft


def correct(
    consultation: Consultation, *, actor: Actor, at: datetime, version: int | None = None
) -> Conclusion:
    """Place a corrected edition that says what it changes; the earlier one stays readable, marked superseded."""
    with transaction.atomic():
        draft = Conclusion.objects.filter(consultation=consultation, placed_at=None).first()
        note = Note(text=draft.correction if draft else "")
        with step(
            consultation, "correct", actor=actor, at=at, version=version, facts=readiness, note=note
        ) as row:
            draft = Conclusion.objects.get(consultation=row, placed_at=None)
            with door(row.pk):
                earlier = Conclusion.objects.filter(consultation=row, superseded_at=None).exclude(pk=draft.pk)
                earlier.update(superseded_at=at)
            _publish(row, draft, at)
            # The requester has to read it again.
            row.acknowledged_at = None
    return draft


def _publish(row: Consultation, draft: Conclusion, at: datetime) -> None:
    with door(row.pk):
        Conclusion.objects.filter(pk=draft.pk).update(placed_at=at)
        Document.objects.filter(conclusion_id=draft.pk, kind=CONCLUSION_SCAN).update(placed_at=at)
    draft.placed_at = at


def readiness(row: Consultation) -> Facts:
    """Return whether the draft may be placed: a text, every question answered, a scan of the signed paper."""
    draft = Conclusion.objects.filter(consultation=row, placed_at=None).first()
    if draft is None:
        return Facts()
    ready = not lacking(draft)
    return Facts(conclusion_ready=ready, correction_explained=bool(draft.correction.strip()))


def lacking(draft: Conclusion) -> list[str]:
    """Return what the draft still lacks, as message ids."""
    scans = Document.objects.filter(conclusion=draft, kind=CONCLUSION_SCAN, state=DocumentState.AVAILABLE)
    checks = (
        (bool(draft.text.strip()), N_("The conclusion's text")),
        (not draft.answers.filter(text="").exists(), N_("An answer to every question")),
        (scans.exists(), N_("The scan of the signed paper")),
        (draft.edition == 1 or bool(draft.correction.strip()), N_("What the correction changes, and why")),
    )
    return [label for there, label in checks if not there]


def is_author(row: Consultation, actor: Actor) -> bool:
    """Say whether the actor writes this request's conclusion."""
    return Role.CONSULTANT in row.roles_of(actor)
