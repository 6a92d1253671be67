"""The rows of the work-list, each formatted once.

A row is one string of markup: fifty rows of fifteen template variables each cost more than all the rest of the page.
Every value is escaped here.
"""

from datetime import datetime
from html import escape
from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from konsilium.web.clockface import Left, age, left, local_clock
from konsilium.web.consultation.head import STATE_TONES
from konsilium.web.triage.worklist import Raw
from konsilium.workflow.consultation import FINAL, STATE_LABELS, State
from konsilium.workflow.words import URGENCIES

_ROW = (
    "<tr>"
    '<td>{time} <small><span class="urgency {urgency}">{urgency_label}</span></small></td>'
    '<td>{unread}<a class="open nowrap" href="{address}">{number}</a> <small>{profile}</small></td>'
    '<td>{patient} <small class="nowrap">{age}</small></td>'
    '<td class="wide">{sender} <small class="nowrap">{sender_time}</small></td>'
    '<td><span class="badge {tone}">{state}</span> <small>{consultant}</small></td>'
    "<td>{button}</td>"
    "</tr>"
)
_UNREAD = '<span class="unread" title="{}"></span>'
_BUTTON = (
    '<a class="button small above" href="{0}?from=list" hx-get="{0}?from=list" hx-target="closest tr"'
    ' hx-swap="afterend" hx-trigger="click once">{1}</a>'
)
_NOWHERE = UUID(int=0)


def rows_of(found: list[Raw], at: datetime) -> list[SafeString]:
    """Format the rows; words, zones and addresses are looked up once, not once a row."""
    urgencies = {str(code): gettext(label) for code, label in URGENCIES.items()}
    states = {str(code): gettext(label) for code, label in STATE_LABELS.items()}
    tones = {str(code): STATE_TONES.get(code, "") for code in State}
    zones = {name: local_clock(at, name) for name in {raw.requesting_time_zone for raw in found}}
    show, assign = (
        reverse(name, args=[_NOWHERE]).replace(str(_NOWHERE), "{}")
        for name in ("consultation:show", "triage:assign")
    )
    unread = _UNREAD.format(escape(gettext("New")))
    button, unknown = escape(gettext("Assign")), gettext("Unknown patient")
    russian, today = get_language() == "ru", at.date()
    return [
        SafeString(
            _ROW.format(
                time=_time(raw, at),
                urgency=raw.urgency,
                urgency_label=urgencies[raw.urgency],
                unread=unread if raw.read_at is None or raw.stirred_at > raw.read_at else "",
                address=show.format(raw.id),
                number=escape(raw.number),
                profile=escape(_profile(raw, russian=russian)),
                patient=escape(unknown if raw.patient_unknown else _short(raw)),
                age=age(raw.patient_birth_date, today),
                sender=escape(raw.requesting_name),
                sender_time=zones[raw.requesting_time_zone],
                tone=tones[raw.state],
                state=states[raw.state],
                consultant=escape(raw.consultant_name),
                button=_BUTTON.format(assign.format(raw.id), button) if raw.state == State.SUBMITTED else "",
            )
        )
        for raw in found
    ]


def _short(raw: Raw) -> str:
    initials = "".join(f"{name[0]}." for name in (raw.patient_given, raw.patient_patronymic) if name)
    return f"{raw.patient_family} {initials}".strip()


def _profile(raw: Raw, *, russian: bool) -> str:
    return (raw.profile_name if russian else raw.profile_name_en or raw.profile_name) or ""


def _time(raw: Raw, at: datetime) -> SafeString:
    if raw.state in FINAL:
        return SafeString("")
    return time_mark(left(raw.due_at, at=at, paused_at=raw.paused_at, answered_at=raw.answered_at))


def time_mark(given: Left) -> SafeString:
    """Mark up what is left of a term; it ticks in the browser while it runs."""
    if not given.until:
        return format_html('<span class="left {}">{}</span>', given.tone, given.text)
    return format_html(
        '<time class="left {}" datetime="{}" data-left>{}</time>', given.tone, given.until, given.text
    )
