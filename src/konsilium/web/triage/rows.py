"""The rows of the dispatcher's work-list, each one string of markup (web/cells.py says why)."""

from datetime import datetime
from html import escape

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from konsilium.web import cells
from konsilium.web.clockface import age
from konsilium.web.consultation.head import STATE_TONES
from konsilium.web.triage.worklist import Raw
from konsilium.workflow.consultation import State

_TONES = {str(code): STATE_TONES.get(code, "") for code in State}


def rows_of(found: list[Raw], at: datetime) -> SafeString:
    """Format the rows; every text of people's is escaped here."""
    words, today = cells.words(), at.date()
    clocks = cells.clocks((raw.requesting_time_zone for raw in found), at)
    show, after = cells.pattern("consultation:show")
    button = _assign_button()
    texts = cells.escaped(_texts(raw, words) for raw in found)
    return cells.joined(
        "<tr>"
        f"<td>{cells.time(raw.state, raw.due_at, raw.paused_at, raw.answered_at, at=at, said=words.times)}"
        f' <small><span class="urgency {raw.urgency}">{words.urgencies[raw.urgency]}</span></small></td>'
        f'<td>{words.unread if raw.is_unread else ""}<a class="open nowrap" href="{show}{raw.id}{after}">{number}</a>'
        f" <small>{profile}</small></td>"
        f'<td>{patient} <small class="nowrap">{age(raw.patient_birth_date, today, words.times)}</small></td>'
        f'<td class="wide">{sender} <small class="nowrap">{clocks[raw.requesting_time_zone]}</small></td>'
        f'<td><span class="badge {_TONES[raw.state]}">{words.states[raw.state]}</span> <small>{consultant}</small></td>'
        f"<td>{button.replace('{id}', raw.id) if raw.state == State.SUBMITTED else ''}</td>"
        "</tr>"
        for raw, (number, profile, patient, sender, consultant) in zip(found, texts, strict=True)
    )


def _assign_button() -> str:
    before, after = cells.pattern("triage:assign")
    address = f"{before}{{id}}{after}?from=list"
    return (
        f'<a class="button small above" href="{address}" hx-get="{address}" hx-target="closest tr"'
        f' hx-swap="afterend" hx-trigger="click once">{escape(gettext("Assign"))}</a>'
    )


def _texts(raw: Raw, words: cells.Words) -> tuple[str, ...]:
    name = cells.short_name(raw.patient_family, raw.patient_given, raw.patient_patronymic)
    return (
        raw.number,
        (raw.profile_name if words.is_russian else raw.profile_name_en or raw.profile_name) or "",
        words.unknown if raw.patient_unknown else name,
        raw.requesting_name,
        raw.consultant_name,
    )
