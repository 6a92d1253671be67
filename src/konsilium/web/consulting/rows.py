"""The rows of the consultant's list, each formatted once (as the dispatcher's: web/triage/rows.py says why).

Every value is escaped here.
"""

from datetime import datetime
from html import escape
from uuid import UUID

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from konsilium.web.clockface import age, left, local, local_clock
from konsilium.web.consultation.head import STATE_TONES
from konsilium.web.consulting.worklist import Raw
from konsilium.web.triage.rows import time_mark
from konsilium.workflow.consultation import FINAL, STATE_LABELS, State, Turn
from konsilium.workflow.words import URGENCIES

_ROW = (
    "<tr>"
    '<td>{time} <small><span class="urgency {urgency}">{urgency_label}</span></small></td>'
    '<td>{unread}<a class="open nowrap" href="{address}">{number}</a> <small>{profile}</small></td>'
    '<td>{patient} <small class="nowrap">{about}</small></td>'
    '<td class="wide">{sender} <small class="nowrap">{sender_time}</small></td>'
    '<td><span class="badge {tone}">{state}</span> <small class="nowrap">{session}</small></td>'
    "</tr>"
)
_UNREAD = '<span class="unread" title="{}"></span>'
_NOWHERE = UUID(int=0)


def rows_of(found: list[Raw], *, at: datetime, zone: str) -> list[SafeString]:
    """Format the rows; words, zones and addresses are looked up once, not once a row. `zone` is the reader's."""
    urgencies = {str(code): gettext(label) for code, label in URGENCIES.items()}
    states = {str(code): gettext(label) for code, label in STATE_LABELS.items()}
    zones = {name: local_clock(at, name) for name in {raw.requesting_time_zone for raw in found}}
    show = reverse("consultation:show", args=[_NOWHERE]).replace(str(_NOWHERE), "{}")
    unread, unknown = _UNREAD.format(escape(gettext("New"))), gettext("Unknown patient")
    agreed, russian = gettext("Session: %(time)s"), get_language() == "ru"
    return [
        SafeString(
            _ROW.format(
                time=_time(raw, at),
                urgency=raw.urgency,
                urgency_label=urgencies[raw.urgency],
                unread=unread if raw.read_at is None or raw.stirred_at > raw.read_at else "",
                address=show.format(raw.id),
                number=escape(raw.number),
                profile=escape(
                    (raw.profile_name if russian else raw.profile_name_en or raw.profile_name) or ""
                ),
                patient=escape(unknown if raw.patient_unknown else _short(raw)),
                about=escape(_about(raw, at)),
                sender=escape(raw.requesting_name),
                sender_time=zones[raw.requesting_time_zone],
                tone=STATE_TONES.get(State(raw.state), ""),
                state=states[raw.state],
                # While a time is agreed, the answer is due at the session's beginning.
                session=agreed % {"time": local(raw.due_at, zone)} if raw.turn == Turn.BOTH else "",
            )
        )
        for raw in found
    ]


def _short(raw: Raw) -> str:
    initials = "".join(f"{name[0]}." for name in (raw.patient_given, raw.patient_patronymic) if name)
    return f"{raw.patient_family} {initials}".strip()


def _about(raw: Raw, at: datetime) -> str:
    return " · ".join(part for part in (age(raw.patient_birth_date, at.date()), raw.diagnosis_code) if part)


def _time(raw: Raw, at: datetime) -> SafeString:
    if raw.state in FINAL:
        return SafeString("")
    return time_mark(left(raw.due_at, at=at, paused_at=raw.paused_at, answered_at=raw.answered_at))
