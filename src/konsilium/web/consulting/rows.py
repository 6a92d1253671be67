"""The rows of the consultant's list, each one string of markup (web/cells.py says why)."""

from datetime import datetime

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from konsilium.web import cells
from konsilium.web.clockface import age, local
from konsilium.web.consultation.head import STATE_TONES
from konsilium.web.consulting.worklist import Raw
from konsilium.workflow.consultation import State, Turn

_TONES = {str(code): STATE_TONES.get(code, "") for code in State}


def rows_of(found: list[Raw], *, at: datetime, zone: str) -> SafeString:
    """Format the rows; every text of people's is escaped here. `zone` is the reader's."""
    words = cells.words()
    clocks = cells.clocks((raw.requesting_time_zone for raw in found), at)
    show, after = cells.pattern("consultation:show")
    texts = cells.escaped(_texts(raw, at, zone, words) for raw in found)
    return cells.joined(
        "<tr>"
        f"<td>{cells.time(raw.state, raw.due_at, raw.paused_at, raw.answered_at, at=at, said=words.times)}"
        f' <small><span class="urgency {raw.urgency}">{words.urgencies[raw.urgency]}</span></small></td>'
        f'<td>{words.unread if raw.is_unread else ""}<a class="open nowrap" href="{show}{raw.id}{after}">{number}</a>'
        f" <small>{profile}</small></td>"
        f'<td>{patient} <small class="nowrap">{about}</small></td>'
        f'<td class="wide">{sender} <small class="nowrap">{clocks[raw.requesting_time_zone]}</small></td>'
        f'<td><span class="badge {_TONES[raw.state]}">{words.states[raw.state]}</span> <small class="nowrap">{session}</small></td>'
        "</tr>"
        for raw, (number, profile, patient, about, sender, session) in zip(found, texts, strict=True)
    )


def _texts(raw: Raw, at: datetime, zone: str, words: cells.Words) -> tuple[str, ...]:
    name = cells.short_name(raw.patient_family, raw.patient_given, raw.patient_patronymic)
    about = (age(raw.patient_birth_date, at.date(), words.times), raw.diagnosis_code)
    # While a time is agreed, the answer is due at the session's beginning.
    agreed = gettext("Session: %(time)s") % {"time": local(raw.due_at, zone)} if raw.turn == Turn.BOTH else ""
    return (
        raw.number,
        (raw.profile_name if words.is_russian else raw.profile_name_en or raw.profile_name) or "",
        words.unknown if raw.patient_unknown else name,
        " · ".join(part for part in about if part),
        raw.requesting_name,
        agreed,
    )
