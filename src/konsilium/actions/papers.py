"""What stands on each print form, as plain words: read twice, by whoever asks and by the worker, and the same both times.

Print forms are Russian documents, whatever language the reader has chosen. Sources: the process page, section
"Conclusion"; order 203n for a council's protocol; article 20 of 323-FZ for the consent.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext, override

from konsilium.models import (
    Attendance,
    Conclusion,
    Consultation,
    Council,
    DictionaryEntry,
    Document,
    KeyImage,
    Organization,
    Session,
)
from konsilium.workflow import words
from konsilium.workflow.council import FORM_LABELS, SEAT_LABELS, SeatKind
from konsilium.workflow.identifiers import format_snils
from konsilium.workflow.session import SESSION_STATE_LABELS, SessionState
from konsilium.workflow.words import SIDES, Side

Words = dict[str, Any]
SUBJECTS: Mapping[str, type[Conclusion | Session | Consultation]] = {
    "conclusion": Conclusion,
    "protocol": Conclusion,
    "session": Session,
    "consent": Consultation,
    "cover": Consultation,
}


def words_of(kind: str, subject: Any) -> Words:
    """Return what the form of a kind says of its subject, as values that JSON knows, in Russian (a few queries)."""
    consultation = subject if isinstance(subject, Consultation) else subject.consultation
    with override("ru"):
        made = _MADE[kind](subject)
        return {"kind": kind, **_about(consultation), **made}


def _about(row: Consultation) -> Words:
    return {
        "number": row.number,
        "requesting": row.requesting_name,
        "requester": ", ".join(filter(None, (row.requester_name, row.requester_position))),
        "centre": row.centre_name or (row.named_centre.short_name if row.named_centre else ""),
        "patient": row.patient_name or gettext("Unknown patient"),
        "birth_date": _day(row.patient_birth_date),
        "sex": _word(words.SEXES, row.patient_sex),
        "snils": format_snils(row.patient_snils) if row.patient_snils else "",
        "asked_diagnosis": " ".join(filter(None, (row.diagnosis_code, row.diagnosis_text))),
    }


def _conclusion(row: Conclusion) -> Words:
    consultation = row.consultation
    answers = row.answers.select_related("question").order_by("question__number")
    zone = consultation.centre_time_zone or consultation.requesting_time_zone
    return {
        "edition": row.edition,
        "is_superseded": row.superseded_at is not None,
        "correction": row.correction,
        "organization": row.author_organization,
        "kind_of": _word(words.KINDS, row.kind),
        "mode": _word(words.MODES, row.mode),
        "goal": _word(words.GOALS, row.goal),
        "diagnosis": " ".join(filter(None, (row.diagnosis_code, row.diagnosis_text))),
        "certainty": _word(words.CERTAINTIES, row.diagnosis_certainty),
        "studied": list(row.studied.values_list("name", flat=True)),
        "sessions": _held(consultation, zone) if row.mode == "real_time" else [],
        "answers": [[answer.question.number, answer.question.text, answer.text] for answer in answers],
        "text": row.text,
        "sections": _sections(row),
        "items": [[item.text, _word(words.URGENCIES, item.urgency)] for item in row.items.all()],
        "needs": _needs(row),
        "next_date": _day(row.next_date),
        "pictures": _pictures(row),
        "author": row.author_name,
        "position": ", ".join(filter(None, (row.author_position, row.author_specialty))),
        "date": _day(row.updated_at.astimezone(ZoneInfo(zone)).date()),
        "council": _council(row.council, zone) if row.council else None,
    }


def _sections(row: Conclusion) -> list[list[str]]:
    profile = row.consultation.profile
    labels = {section["code"]: section["label"] for section in profile.sections} if profile else {}
    order = [*labels, *(code for code in row.sections if code not in labels)]
    return [[labels.get(code, code), row.sections[code]] for code in order if row.sections.get(code)]


def _needs(row: Conclusion) -> list[str]:
    needs = (
        (row.visit_needed, gettext("An in-person visit is needed")),
        (row.admission_needed, gettext("Admission is needed")),
        (row.repeat_needed, gettext("A repeated consultation is needed")),
    )
    return [label for there, label in needs if there]


def _pictures(row: Conclusion) -> list[list[str]]:
    """Return each picture's caption and, while it is kept, the address and kind of its bytes (two queries)."""
    chosen = list(row.pictures.all())
    keys = KeyImage.objects.filter(document__in=[one.document_id for one in chosen]).values("document_id")
    kept = Document.objects.filter(pk__in=keys, state="available", media_type__in=PICTURE_NAMES)
    found = {pk: [sha256, kind] for pk, sha256, kind in kept.values_list("pk", "sha256", "media_type")}
    return [[one.caption, *found.get(one.document_id, ["", ""])] for one in chosen]


PICTURE_NAMES = {"image/png": "png", "image/jpeg": "jpg"}


def _council(row: Council, zone: str) -> Words:
    seats = row.seats.exclude(answer__in=("declined", "replaced")).order_by("invited_at", "id")
    purposes = DictionaryEntry.objects.of("council_purposes").filter(code=row.purpose)
    order = list(SeatKind)
    members = sorted(seats, key=lambda seat: order.index(SeatKind(seat.kind)))
    return {
        "purpose": purposes.values_list("name", flat=True).first() or row.purpose,
        "form": _word(FORM_LABELS, row.form),
        "reason": row.reason,
        "called": _moment(row.called_at, zone),
        "decided": _moment(row.decided_at, zone),
        "decision": row.decision,
        "members": [
            [
                _word(SEAT_LABELS, seat.kind),
                seat.name,
                ", ".join(filter(None, (seat.position, seat.specialty))),
                seat.organization_name,
            ]
            for seat in members
        ],
        "dissents": [[seat.name, seat.dissent] for seat in members if seat.dissent],
    }


def _held(consultation: Consultation, zone: str) -> list[list[str]]:
    """Return when sessions were held and who was there, as their records say (one query)."""
    rows = Attendance.objects.filter(
        session__consultation=consultation, session__state=SessionState.HELD
    ).select_related("session")
    held: dict[UUID, list[str]] = {}
    for one in rows.order_by("session__began_at", "joined_at", "id"):
        session = one.session
        names = held.setdefault(session.pk, [_moment(session.began_at or session.starts_at, zone)])
        name = f"{one.name} ({one.organization_name})"
        if name not in names:
            names.append(name)
    return list(held.values())


def _session(row: Session) -> Words:
    zone = row.centre_time_zone or row.requesting_time_zone
    rows = Attendance.objects.filter(session=row).order_by("joined_at", "id")
    return {
        "edition": 1,
        "state": _word(SESSION_STATE_LABELS, row.state),
        "planned": _moment(row.starts_at, zone),
        "planned_there": _moment(row.starts_at, row.requesting_time_zone),
        "began": _moment(row.began_at, zone),
        "ended": _moment(row.ended_at, zone),
        "consultant": row.consultant_name,
        "present": {True: gettext("The patient was present"), False: gettext("Without the patient")}.get(
            bool(row.patient_present), ""
        )
        if row.patient_present is not None
        else "",
        "people": [_person(one, zone) for one in rows],
    }


def _person(one: Attendance, zone: str) -> Words:
    loss = one.quality.get("loss_mean")
    return {
        "name": one.name,
        "organization": one.organization_name,
        "side": _word(SIDES, one.side) if one.side in set(Side) else "",
        "from": _moment(one.joined_at, zone),
        "until": _moment(one.left_at, zone),
        "loss": "" if loss is None else f"{loss:.1f}".replace(".", ","),
        "interruptions": one.interruptions,
        "marked_by": one.marked_by,
    }


def _consent(row: Consultation) -> Words:
    house = Organization.objects.filter(pk=row.requesting_organization_id).first()
    return {
        "edition": 1,
        "house": house.full_name if house else row.requesting_name,
        "document": row.patient_document,
        "representative": row.representative,
    }


def _cover(row: Consultation) -> Words:
    present = row.documents.filter(state="available").exclude(kind=words.CONCLUSION_SCAN)
    documents = present.order_by("added_at", "id").values_list("file_name", "kind")
    return {
        "edition": 1,
        "certainty": _word(words.CERTAINTIES, row.diagnosis_certainty),
        "urgency": _word(words.URGENCIES, row.urgency),
        "goal": _word(words.GOALS, row.goal),
        "profile": row.profile.name if row.profile else "",
        "questions": [[one.number, one.text] for one in row.questions.order_by("number")],
        "documents": [[name, _word(words.DOCUMENT_KINDS, kind)] for name, kind in documents],
    }


_MADE: Mapping[str, Callable[[Any], Words]] = {
    "conclusion": _conclusion,
    "protocol": _conclusion,
    "session": _session,
    "consent": _consent,
    "cover": _cover,
}


def _word(labels: Mapping[Any, str], code: str) -> str:
    return gettext(labels[code]) if code in labels else ""


def _day(value: date | None) -> str:
    return value.strftime("%d.%m.%Y") if value else ""


def _moment(value: datetime | None, zone: str) -> str:
    return value.astimezone(ZoneInfo(zone)).strftime("%d.%m.%Y %H:%M (UTC%z)") if value else ""
