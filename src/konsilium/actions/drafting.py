"""Writing a request: begun with what is known of the doctor, saved as it grows, sent when it may be."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from konsilium.actions._record import Note, record
from konsilium.actions._step import lock, step
from konsilium.models import (
    Consultation,
    Document,
    Membership,
    Organization,
    Person,
    Profile,
    Question,
    Term,
    Upload,
)
from konsilium.models._base import uuid7
from konsilium.workflow import clock
from konsilium.workflow.completeness import Draft, Lack, Template, lacks, sendable
from konsilium.workflow.consultation import Facts, State
from konsilium.workflow.machine import NotNow
from konsilium.workflow.roles import Actor
from konsilium.workflow.words import N_

# What the requesting side writes; the rest of the row is the request's way.
FIELDS = (
    "urgency kind mode occurrence goal profile_id place_of_care severity incomplete_reason named_centre_id "
    "requester_name requester_snils requester_department requester_position requester_specialty requester_phone "
    "requester_email patient_unknown patient_unknown_reason patient_family patient_given patient_patronymic "
    "patient_sex patient_birth_date patient_snils patient_enp patient_document representative diagnosis_code "
    "diagnosis_text diagnosis_certainty complaints anamnesis objective_state treatment consent_kind consent_date "
    "consent_by"
).split()
# A copy starts with everything but the consent, which was given for the earlier request.
_NOT_COPIED = {"incomplete_reason", "consent_kind", "consent_date", "consent_by"}
MOST_QUESTIONS = 10


def begin(*, actor: Actor, at: datetime) -> Consultation:
    """Begin a draft with the next number, filled with what is known of the doctor."""
    with transaction.atomic():
        row = Consultation(
            number=_next_number(actor, at),
            created_at=at,
            updated_at=at,
            stirred_at=at,
            requester_id=actor.person_id,
            **_asking_side(actor),
            **_known_of(actor),
        )
        row.save(force_insert=True)
        record(row, "begin", actor=actor, at=at, states=("", row.state))
    return row


def _next_number(actor: Actor, at: datetime) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('konsilium_consultation_number')")
        return f"{at.astimezone(ZoneInfo(actor.time_zone)):%Y}-{cursor.fetchone()[0]:06d}"


def _asking_side(actor: Actor) -> dict[str, Any]:
    organization = Organization.objects.get(pk=actor.organization_id)
    return {
        "requesting_organization_id": organization.pk,
        "requesting_name": organization.short_name,
        "requesting_time_zone": organization.time_zone,
        "requesting_level": organization.level,
    }


def _known_of(actor: Actor) -> dict[str, str]:
    person = Person.objects.get(pk=actor.person_id)
    place = Membership.objects.get(pk=actor.membership_id)
    return {
        "requester_name": person.full_name,
        "requester_snils": person.snils,
        "requester_department": place.department,
        "requester_position": place.position,
        "requester_specialty": place.specialty,
        "requester_phone": person.phone,
        "requester_email": person.email,
    }


def save(
    consultation: Consultation,
    values: Mapping[str, Any],
    questions: Sequence[str] | None = None,
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> Consultation:
    """Keep what was written so far, in a draft or while the centre has asked for more.

    Identifiers come in their canonical form. Raises NotThere, NotNow, or Stale when another window saved meanwhile.
    """
    with transaction.atomic():
        row = lock(consultation, actor=actor, version=version)
        _in_writing(row)
        given = [name for name in FIELDS if name in values]
        for name in given:
            setattr(row, name, values[name])
        row.version += 1
        row.updated_at = at
        row.save(update_fields=[*(name.removesuffix("_id") for name in given), "version", "updated_at"])
        if questions is not None:
            _put_questions(row, questions)
    return row


def _in_writing(row: Consultation) -> None:
    if row.state not in (State.DRAFT, State.CLARIFICATION):
        raise NotNow(N_("The request was sent already and can't be changed."))


def _put_questions(row: Consultation, questions: Sequence[str]) -> None:
    texts = [text.strip() for text in questions if text.strip()][:MOST_QUESTIONS]
    # Numbers stay with their questions: an answer may refer to them by the time more information is asked.
    for number, text in enumerate(texts, 1):
        if not Question.objects.filter(consultation=row, number=number).update(text=text):
            Question(consultation=row, number=number, text=text).save(force_insert=True)
    Question.objects.filter(consultation=row, number__gt=len(texts)).delete()


def submit(
    consultation: Consultation, *, actor: Actor, at: datetime, version: int | None = None
) -> Consultation:
    """Send a draft to the centre it names, which starts the answer's clock.

    Raises what `step` raises: Missing while something is lacking, or when no route leads to the centre.
    """
    with step(
        consultation,
        "submit",
        actor=actor,
        at=at,
        version=version,
        facts=lambda row: _send_facts(row, actor, at),
    ) as row:
        centre, profile_id = _destination(row)
        row.centre, row.centre_name, row.centre_time_zone = centre, centre.short_name, centre.time_zone
        row.submitted_at = at
        term = Term.objects.of(centre_id=centre.pk, profile_id=profile_id, urgency=row.urgency)
        row.set_clock(clock.start(at, term))
    return row


def _destination(row: Consultation) -> tuple[Organization, UUID]:
    """Return where the request goes; the rules have just said that both are named."""
    if row.named_centre_id is None or row.profile_id is None:
        raise NotNow(N_("Choose a profile and a consulting centre."))
    return Organization.objects.get(pk=row.named_centre_id), row.profile_id


def _send_facts(row: Consultation, actor: Actor, at: datetime) -> Facts:
    template = template_of(row)
    return Facts(sendable=sendable(facts_of(row, actor, at), template), route_open=_route_open(row))


def _route_open(row: Consultation) -> bool:
    if row.named_centre_id is None or row.profile_id is None:
        return False
    centres = Organization.objects.centres_for(row.requesting_level, row.profile_id)
    return centres.filter(pk=row.named_centre_id).exists()


def missing(row: Consultation, *, actor: Actor, at: datetime) -> tuple[Lack, ...]:
    """Return what the request still lacks, in the form's order."""
    return lacks(facts_of(row, actor, at), template_of(row))


def may_send(row: Consultation, *, actor: Actor, at: datetime) -> bool:
    """Say whether the request may be sent now: complete, or an emergency with a stated reason."""
    facts = _send_facts(row, actor, at)
    return facts.sendable and facts.route_open


def template_of(row: Consultation) -> Template:
    """Return what the request's profile asks for."""
    profile = Profile.objects.filter(pk=row.profile_id).first() if row.profile_id else None
    return profile.template() if profile else Template()


def facts_of(row: Consultation, actor: Actor, at: datetime) -> Draft:
    """Return what completeness looks at."""
    kinds = set(Document.objects.filter(consultation=row).present().values_list("kind", flat=True))
    # The text goes ahead of its pictures: what is on its way counts, and both sides see that it is.
    kinds |= set(Upload.objects.filter(consultation=row).on_the_way().values_list("kind", flat=True))
    return Draft(
        values=row.values(),
        questions=tuple(row.questions.values_list("text", flat=True)),
        documents=frozenset(kinds),
        today=_today(actor, at),
    )


def _today(actor: Actor, at: datetime) -> date:
    return at.astimezone(ZoneInfo(actor.time_zone)).date()


def delete_draft(consultation: Consultation, *, actor: Actor, at: datetime) -> None:
    """Delete a draft that was never sent; its files are swept later. Raises NotThere or NotNow."""
    with transaction.atomic():
        row = lock(consultation, actor=actor)
        if row.state != State.DRAFT:
            raise NotNow(N_("Only a draft can be deleted; a sent request is withdrawn."))
        # In SQL: what hangs on a draft follows it in the database, where nobody may delete events by themselves.
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM konsilium_consultation WHERE id = %s", [row.pk])


def copy(consultation: Consultation, *, actor: Actor, at: datetime) -> Consultation:
    """Begin a new draft from a rejected or withdrawn request: its fields, questions and documents, not its consent."""
    with transaction.atomic():
        old = lock(consultation, actor=actor)
        if old.state not in (State.REJECTED, State.WITHDRAWN):
            raise NotNow(N_("Only a rejected or withdrawn request can be copied."))
        new = begin(actor=actor, at=at)
        for name in set(FIELDS) - _NOT_COPIED:
            setattr(new, name, getattr(old, name))
        new.save(update_fields=[name.removesuffix("_id") for name in set(FIELDS) - _NOT_COPIED])
        _put_questions(new, list(old.questions.values_list("text", flat=True)))
        _copy_documents(old, new, actor, at)
        record(new, "copied", actor=actor, at=at, note=Note(text=old.number))
    return new


def _copy_documents(old: Consultation, new: Consultation, actor: Actor, at: datetime) -> None:
    rows = (
        Document.objects.filter(consultation=old, message=None, conclusion=None)
        .present()
        .exclude(kind="consent")
    )
    for document in rows:
        document.pk = uuid7()
        document.consultation = new
        document.author_id, document.author_name, document.author_role = (
            actor.person_id,
            actor.name,
            actor.role,
        )
        document.added_at = at
        document.save(force_insert=True)


def centres_for(row: Consultation) -> list[tuple[UUID, str]]:
    """Return the centres that take the request's profile from its organisation, by name."""
    if row.profile_id is None:
        return []
    centres = Organization.objects.centres_for(row.requesting_level, row.profile_id)
    return list(centres.exclude(pk=row.requesting_organization_id).values_list("id", "short_name"))
