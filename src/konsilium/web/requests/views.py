"""The requesting doctor's and administrator's list."""

from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from konsilium.web.clockface import left
from konsilium.web.requests import worklist
from konsilium.web.triage.rows import time_mark
from konsilium.workflow.consultation import FINAL, STATE_LABELS, TURN_LABELS, State, Turn
from konsilium.workflow.roles import Role
from konsilium.workflow.words import URGENCIES, Urgency


class Row(NamedTuple):
    """One request in the list, as text."""

    address: str
    number: str
    unread: bool
    urgency: str
    urgency_label: str
    time: SafeString
    patient: str
    diagnosis: str
    profile: str
    centre: str
    doctor: str
    state: str
    turn: str
    mine: bool


def show_list(request: Any) -> HttpResponse:
    """Show a tab of the own requests, or what a search found among all of them."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:60]
    tab = worklist.tab_of("all" if text else request.GET.get("tab", ""))
    before = _before(request.GET.get("before", ""))
    rows = worklist.page(tab, actor=request.actor, before=before, text=text)
    further = len(rows) > worklist.PAGE
    context = {
        "tabs": _tabs(tab, worklist.counts(actor=request.actor), searched=bool(text)),
        "rows": [_row(raw, request.at) for raw in rows[: worklist.PAGE]],
        "text": text,
        "is_admin": request.actor.role is Role.ORG_ADMIN,
        "first_url": _address(tab, text) if before else "",
        "next_url": _address(tab, text, rows[worklist.PAGE - 1]) if further else "",
        "is_first_visit": tab is worklist.TABS[0] and not rows,
    }
    return render(request, "requests/list.html", context)


def _tabs(tab: worklist.Tab, counts: dict[str, int], *, searched: bool) -> list[dict[str, Any]]:
    return [
        {
            "label": gettext(one.label),
            "url": f"?tab={one.code}",
            "active": one is tab and not searched,
            "count": f"{worklist.COUNT_TO}+"
            if counts[one.code] > worklist.COUNT_TO
            else str(counts[one.code] or ""),
        }
        for one in worklist.TABS
    ]


def _address(tab: worklist.Tab, text: str, last: worklist.Raw | None = None) -> str:
    given = {"q": text} if text else {"tab": tab.code}
    if last is not None:
        given["before"] = f"{last.updated_at.isoformat()},{last.id}"
    return f"{reverse('requests:list')}?{urlencode(given)}"


def _before(text: str) -> tuple[datetime, UUID] | None:
    moment, _, pk = text.partition(",")
    try:
        return datetime.fromisoformat(moment), UUID(pk)
    except ValueError:
        return None


def _row(raw: worklist.Raw, at: datetime) -> Row:
    initials = "".join(f"{name[0]}." for name in (raw.patient_given, raw.patient_patronymic) if name)
    known = f"{raw.patient_family} {initials}".strip() or gettext("Patient not named yet")
    time = left(raw.due_at, at=at, paused_at=raw.paused_at, answered_at=raw.answered_at)
    profile = raw.profile_name if get_language() == "ru" else raw.profile_name_en or raw.profile_name
    is_draft = raw.state == State.DRAFT
    return Row(
        address=reverse("drafting:edit" if is_draft else "consultation:show", args=[raw.id]),
        number=raw.number,
        unread=not is_draft and (raw.read_at is None or raw.stirred_at > raw.read_at),
        urgency=raw.urgency,
        urgency_label=gettext(URGENCIES[Urgency(raw.urgency)]),
        time=SafeString("") if is_draft or raw.state in FINAL else time_mark(time),
        patient=gettext("Unknown patient") if raw.patient_unknown else known,
        diagnosis=raw.diagnosis_code,
        profile=profile or "",
        centre=raw.centre_name,
        doctor=raw.requester_name,
        state=gettext(STATE_LABELS[State(raw.state)]),
        turn=gettext(TURN_LABELS[Turn(raw.turn)]) if raw.state not in FINAL else "",
        mine=raw.turn in (Turn.REQUESTER, Turn.BOTH) and raw.state not in FINAL,
    )
