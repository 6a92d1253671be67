"""The rows of the work-list, formatted once: the template neither filters nor looks up."""

from datetime import datetime
from typing import NamedTuple
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


class Row(NamedTuple):
    """One request in the list, as text."""

    address: str
    assign: str
    number: str
    unread: bool
    urgency: str
    urgency_label: str
    time: SafeString
    patient: str
    age: str
    profile: str
    sender: str
    sender_time: str
    state: str
    tone: str
    consultant: str


def rows_of(found: list[Raw], at: datetime) -> list[Row]:
    """Format the rows; words and zones are looked up once, not once a row."""
    urgencies = {str(code): gettext(label) for code, label in URGENCIES.items()}
    states = {str(code): gettext(label) for code, label in STATE_LABELS.items()}
    zones = {name: local_clock(at, name) for name in {raw.requesting_time_zone for raw in found}}
    pattern = reverse("consultation:show", args=[UUID(int=0)]).replace(str(UUID(int=0)), "{}")
    to_assign = reverse("triage:assign", args=[UUID(int=0)]).replace(str(UUID(int=0)), "{}")
    russian, today, unknown = get_language() == "ru", at.date(), gettext("Unknown patient")
    return [
        Row(
            address=pattern.format(raw.id),
            assign=to_assign.format(raw.id) if raw.state == State.SUBMITTED else "",
            number=raw.number,
            unread=raw.read_at is None or raw.stirred_at > raw.read_at,
            urgency=raw.urgency,
            urgency_label=urgencies[raw.urgency],
            time=_time(raw, at),
            patient=unknown if raw.patient_unknown else _short(raw),
            age=age(raw.patient_birth_date, today),
            profile=_profile(raw, russian=russian),
            sender=raw.requesting_name,
            sender_time=zones[raw.requesting_time_zone],
            state=states[raw.state],
            tone=STATE_TONES.get(State(raw.state), ""),
            consultant=raw.consultant_name,
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
