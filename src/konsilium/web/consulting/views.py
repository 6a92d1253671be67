"""The consultant's list, their decisions, and a placed conclusion."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import consulting
from konsilium.actions._record import record_viewing
from konsilium.models import Conclusion, Consultation
from konsilium.web.clockface import day
from konsilium.web.consultation.head import head, patient
from konsilium.web.consultation.moving import Move, answered_before, case, move_page, press
from konsilium.web.consulting import worklist
from konsilium.web.consulting.forms import AskForm, HandBackForm
from konsilium.web.consulting.placed import placed_conclusion
from konsilium.web.consulting.rows import rows_of
from konsilium.web.http import found
from konsilium.web.keyset import capped
from konsilium.web.triage.views import pause_hint


def show_list(request: Any) -> HttpResponse:
    """Show a tab of the own requests."""
    tab = worklist.tab_of(request.GET.get("tab", ""))
    after = _after(request.GET.get("after", ""))
    raws = worklist.page(tab, actor=request.actor, after=after)
    around = worklist.around(actor=request.actor)
    context = {
        "tabs": _tabs(tab, around.counts),
        "notices_unread": around.unread,
        "rows": rows_of(raws[: worklist.PAGE], at=request.at, zone=request.actor.time_zone),
        "first_url": _address(tab) if after else "",
        "next_url": _address(tab, raws[worklist.PAGE - 1]) if len(raws) > worklist.PAGE else "",
    }
    return render(request, "consulting/list.html", context)


def _tabs(tab: worklist.Tab, counts: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "label": gettext(one.label),
            "url": _address(one),
            "active": one is tab,
            "count": capped(counts[one.code]),
        }
        for one in worklist.TABS
    ]


def _address(tab: worklist.Tab, last: worklist.Raw | None = None) -> str:
    wanted = {"tab": tab.code} | ({"after": f"{last.due_at.isoformat()},{last.id}"} if last else {})
    return f"{reverse('consulting:list')}?{urlencode(wanted)}"


def _after(text: str) -> tuple[datetime, UUID] | None:
    moment, _, pk = text.partition(",")
    try:
        due_at = datetime.fromisoformat(moment)
        return (due_at, UUID(pk)) if due_at.tzinfo else None
    except ValueError:
        return None


@require_POST
def need_video(request: Any, pk: UUID) -> HttpResponse:
    """Decide that video is needed."""
    return _press(request, pk, consulting.need_video, gettext("Now propose times for the session."))


@require_POST
def no_video(request: Any, pk: UUID) -> HttpResponse:
    """Decide to answer without video."""
    return _press(request, pk, consulting.no_video, gettext("Now write the conclusion."))


@require_POST
def reconsider(request: Any, pk: UUID) -> HttpResponse:
    """Take the decision about video back."""
    return _press(request, pk, consulting.reconsider, "")


@require_POST
def give_up_video(request: Any, pk: UUID) -> HttpResponse:
    """Go on without video."""
    return _press(request, pk, consulting.give_up_video, gettext("Now write the conclusion."))


def _press(request: Any, pk: UUID, action: Any, done: str) -> HttpResponse:
    row = case(request, pk)
    return press(
        request,
        row,
        lambda version: action(row, actor=request.actor, at=request.at, version=version),
        done=done,
    )


def ask(request: Any, pk: UUID) -> HttpResponse:
    """Ask the requester for more."""
    row = case(request, pk)
    form = AskForm(request.POST or None)
    return move_page(
        request,
        row,
        form,
        lambda version: consulting.ask_back(
            row, form.cleaned_data["text"], actor=request.actor, at=request.at, version=version
        ),
        move=Move("ask", pause_hint(row), gettext("The question is sent.")),
    )


def hand_back(request: Any, pk: UUID) -> HttpResponse:
    """Give the request back to the dispatcher."""
    answered = answered_before(request)
    if answered is not None:
        return answered
    row = case(request, pk)
    form = HandBackForm(request.POST or None)
    hint = gettext(
        "The dispatcher finds another consultant or another way. The requesting side doesn't see this."
    )
    return move_page(
        request,
        row,
        form,
        lambda version: consulting.hand_back(
            row,
            form.cleaned_data["reason"],
            form.cleaned_data["text"],
            actor=request.actor,
            at=request.at,
            version=version,
        ),
        move=Move("hand_back", hint, gettext("The request is back with the dispatcher.")),
        after=reverse("consulting:list"),
    )


def conclusion(request: Any, pk: UUID) -> HttpResponse:
    """Show a placed conclusion to read and print; that it was opened is remembered: it is the receipt."""
    row = found(
        Conclusion.objects.visible_to(request.actor)
        .exclude(placed_at=None)
        .select_related("consultation")
        .filter(pk=pk)
        .first()
    )
    record_viewing(row.consultation, "conclusion", row.pk, actor=request.actor, at=request.at)
    context = {
        "row": row,
        "head": head(row.consultation, actor=request.actor, at=request.at),
        "conclusion": placed_conclusion(row, row.consultation, actor=request.actor),
        "about": _about(row.consultation),
    }
    return render(request, "consulting/conclusion.html", context)


def _about(row: Consultation) -> list[tuple[str, str]]:
    doctor = ", ".join(part for part in (row.requester_name, row.requester_position) if part)
    return [
        (gettext("Patient"), patient(row)),
        (gettext("Birth date"), day(row.patient_birth_date)),
        (gettext("Requesting organisation"), row.requesting_name),
        (gettext("Requesting doctor"), doctor),
    ]
