"""A placed conclusion as it is read and printed, and who has opened it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Min
from django.urls import reverse
from django.utils.translation import get_language, gettext

from konsilium.actions import councils
from konsilium.actions._record import record_viewing
from konsilium.actions.concluding import lacking, may_write
from konsilium.models import Attendance, Conclusion, Consultation, Document, Viewing
from konsilium.web.clockface import day, local
from konsilium.web.sessions.times import both_times
from konsilium.web.signing.panel import of_conclusion
from konsilium.web.viewer.links import key_links
from konsilium.workflow.consultation import State
from konsilium.workflow.document import DocumentState
from konsilium.workflow.roles import CENTRE_ROLES, Actor, Role
from konsilium.workflow.session import SessionState
from konsilium.workflow.words import (
    CERTAINTIES,
    CONCLUSION_SCAN,
    DOCUMENT_KINDS,
    GOALS,
    KINDS,
    MODES,
    URGENCIES,
)

MOST_READERS = 10


def panel(
    consultation: Consultation, *, actor: Actor, at: datetime, roles: frozenset[Role]
) -> dict[str, Any]:
    """Return the conclusion's part of the request page: what is placed, and the author's own draft.

    The page shows the present edition in full, so that it was opened is remembered here.
    """
    rows = list(Conclusion.objects.visible_to(actor).filter(consultation=consultation).order_by("-edition"))
    placed = [row for row in rows if row.placed_at]
    draft = next((row for row in rows if not row.placed_at), None)
    writes = bool(roles & {Role.CONSULTANT, Role.SECRETARY}) and may_write(consultation, actor=actor)
    for row in placed[:1]:
        record_viewing(consultation, "conclusion", row.pk, actor=actor, at=at)
    return {
        "placed": [placed_conclusion(row, consultation, actor=actor) for row in placed[:1]],
        "earlier": [_line(row, actor) for row in placed[1:]],
        "writes": writes and (consultation.state == State.CONCLUSION or draft is not None),
        "recall_url": _recall_url(consultation, placed, roles),
        "write_url": reverse("consulting:write", args=[consultation.pk]),
        "has_draft": draft is not None,
        "lacking": [gettext(label) for label in lacking(draft)] if draft else [],
        "asks_readers": bool(roles & set(CENTRE_ROLES)),
        "readers": _readers(placed[0], actor) if placed and roles & set(CENTRE_ROLES) else [],
    }


def _recall_url(consultation: Consultation, placed: list[Conclusion], roles: frozenset[Role]) -> str:
    """Return where the consultant calls the council again that alone corrects its protocol; empty while one sits."""
    is_protocol = bool(placed) and placed[0].council_id is not None
    if not (is_protocol and Role.CONSULTANT in roles and consultation.state == State.COMPLETED):
        return ""
    if councils.sitting(consultation) is not None:
        return ""
    return reverse("councils:call", args=[consultation.pk])


def _line(row: Conclusion, actor: Actor) -> dict[str, Any]:
    return {
        "edition": row.edition,
        "at": local(row.placed_at, actor.time_zone),
        "url": reverse("consulting:conclusion", args=[row.pk]),
    }


def _readers(row: Conclusion, actor: Actor) -> list[dict[str, str]]:
    """Return who of the requesting side has opened the conclusion, and when first (one query)."""
    opened = Viewing.objects.filter(subject="conclusion", subject_id=row.pk).exclude(role__in=CENTRE_ROLES)
    people = opened.values("person_name", "organization").annotate(first=Min("at")).order_by("first")
    return [
        {
            "name": person["person_name"],
            "organization": person["organization"],
            "at": local(person["first"], actor.time_zone),
        }
        for person in people[:MOST_READERS]
    ]


def placed_conclusion(row: Conclusion, consultation: Consultation, *, actor: Actor) -> dict[str, Any]:
    """Return a conclusion's parts in words (nine queries, however much it holds)."""
    answers = row.answers.select_related("question").order_by("question__number")
    author = (row.author_name, row.author_position, row.author_specialty)
    return {
        **_line(row, actor),
        "times": both_times(consultation, row.placed_at, actor) if row.placed_at else [],
        "is_superseded": row.superseded_at is not None,
        "author": ", ".join(part for part in author if part),
        "organization": row.author_organization,
        "facts": [(label, value) for label, value in _facts(row) if value],
        "text": row.text,
        "sections": _sections(row, consultation),
        "recommendations": [(item.text, _word(URGENCIES, item.urgency)) for item in row.items.all()],
        "studied": [(one.name, _word(DOCUMENT_KINDS, one.kind)) for one in row.studied.all()],
        "attended": attended(consultation, actor) if row.mode == "real_time" else [],
        "answers": [(answer.question.number, answer.question.text, answer.text) for answer in answers],
        "needs": _needs(row),
        "correction": row.correction,
        "scans": [_scan(scan) for scan in _scans(row)],
        "signed": of_conclusion(row, actor=actor),
        "key_images": _pictures(row, consultation),
        "changes_url": reverse("consulting:changes", args=[row.pk]) if row.edition > 1 else "",
    }


def _sections(row: Conclusion, consultation: Consultation) -> list[tuple[str, str]]:
    """Return the template's sections that are written; one that the template lost keeps its code as its name."""
    profile = consultation.profile
    known = {section["code"]: section for section in profile.sections} if profile else {}
    order = [*known, *(code for code in row.sections if code not in known)]
    return [(label_of(known.get(code), code), row.sections[code]) for code in order if row.sections.get(code)]


def label_of(section: dict[str, Any] | None, code: str) -> str:
    """Return what a section of a template is called in the reader's language."""
    if section is None:
        return code
    own = section["label"] if get_language() == "ru" else section.get("label_en")
    return str(own or section["label"])


def _pictures(row: Conclusion, consultation: Consultation) -> list[dict[str, Any]]:
    """Return the pictures that the conclusion shows, in its order; one that is kept no more has its caption alone."""
    chosen = list(row.pictures.all())
    links = key_links(consultation) if chosen else {}
    return [{"caption": one.caption, "key": links.get(one.document_id)} for one in chosen]


def attended(consultation: Consultation, actor: Actor) -> list[dict[str, str]]:
    """Return when the request's sessions were held and who was there, as their records say (one query)."""
    rows = Attendance.objects.filter(
        session__consultation=consultation, session__state=SessionState.HELD
    ).select_related("session")
    found: dict[UUID, dict[str, str]] = {}
    for one in rows.order_by("session__began_at", "joined_at", "id"):
        session = one.session
        moment = session.began_at or session.starts_at
        held = found.setdefault(
            session.pk, {"at": local(moment, actor.time_zone) if moment else "", "who": ""}
        )
        name = f"{one.name} ({one.organization_name})"
        if name not in held["who"]:
            held["who"] = "; ".join(filter(None, (held["who"], name)))
    return list(found.values())


def _facts(row: Conclusion) -> list[tuple[str, str]]:
    diagnosis = " ".join(part for part in (row.diagnosis_code, row.diagnosis_text) if part)
    return [
        (gettext("Consultant's diagnosis"), diagnosis),
        (
            gettext("Certainty of the diagnosis"),
            _word(CERTAINTIES, row.diagnosis_certainty) if diagnosis else "",
        ),
        (gettext("Kind of consultation"), _word(KINDS, row.kind)),
        (gettext("How it was held"), _word(MODES, row.mode)),
        (gettext("Goal"), _word(GOALS, row.goal)),
    ]


def _word(labels: Mapping[Any, str], code: str) -> str:
    return gettext(labels[code]) if code in labels else ""


def _needs(row: Conclusion) -> list[str]:
    needs = (
        (row.visit_needed, gettext("An in-person visit is needed")),
        (row.admission_needed, gettext("Admission is needed")),
        (row.repeat_needed, gettext("A repeated consultation is needed")),
        (row.next_date is not None, gettext("When: %(date)s") % {"date": day(row.next_date)}),
    )
    return [label for there, label in needs if there]


def _scans(row: Conclusion) -> list[Document]:
    rows = Document.objects.filter(conclusion=row, kind=CONCLUSION_SCAN).exclude(placed_at=None)
    return list(rows.filter(state__in=(DocumentState.AVAILABLE, DocumentState.SUPERSEDED)))


def _scan(row: Document) -> dict[str, str]:
    return {"name": row.file_name, "url": reverse("documents:open", args=[row.pk])}
