"""The rows of the requesting side's list, each one string of markup (web/cells.py says why)."""

from datetime import datetime

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from konsilium.web import cells
from konsilium.web.requests.worklist import Raw
from konsilium.workflow.consultation import FINAL, State, Turn


def rows_of(found: list[Raw], *, at: datetime, with_doctor: bool) -> SafeString:
    """Format the rows, an administrator's with the doctor; every text of people's is escaped here."""
    words, unnamed = cells.words(), gettext("Patient not named yet")
    show, edit = cells.pattern("consultation:show"), cells.pattern("drafting:edit")
    texts = cells.escaped(_texts(raw, words, unnamed) for raw in found)
    return cells.joined(
        "<tr>"
        f"<td>{words.unread if raw.is_unread and raw.state != State.DRAFT else ''}"
        f'<a class="open" href="{raw.id.join(edit if raw.state == State.DRAFT else show)}">{number}</a>'
        f'<small class="urgency {raw.urgency}">{words.urgencies[raw.urgency]}</small></td>'
        f"<td>{patient} <small>{diagnosis}</small></td>"
        f'<td class="wide"><span class="badge{" accent" if _is_mine(raw) else ""}">{words.states[raw.state]}</span>'
        f" <small>{'' if raw.state in FINAL else words.turns[raw.turn]}</small></td>"
        f"<td>{_time(raw, at, words)}</td>"
        f"<td>{centre}</td>"
        f"<td>{profile}</td>"
        f"{f'<td>{doctor}</td>' if with_doctor else ''}"
        "</tr>"
        for raw, (number, patient, diagnosis, centre, profile, doctor) in zip(found, texts, strict=True)
    )


def _texts(raw: Raw, words: cells.Words, unnamed: str) -> tuple[str, ...]:
    name = cells.short_name(raw.patient_family, raw.patient_given, raw.patient_patronymic)
    return (
        raw.number,
        words.unknown if raw.patient_unknown else name or unnamed,
        raw.diagnosis_code,
        raw.centre_name,
        (raw.profile_name if words.is_russian else raw.profile_name_en or raw.profile_name) or "",
        raw.requester_name,
    )


def _is_mine(raw: Raw) -> bool:
    return raw.turn in (Turn.REQUESTER, Turn.BOTH) and raw.state not in FINAL


def _time(raw: Raw, at: datetime, words: cells.Words) -> str:
    if raw.state == State.DRAFT:
        return ""
    return cells.time(raw.state, raw.due_at, raw.paused_at, raw.answered_at, at=at, said=words.times)
