"""The consultant's list, their decisions, and the conclusion."""

from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_POST

from konsilium.actions import concluding, consulting
from konsilium.actions._record import record_viewing
from konsilium.actions._step import NotThere
from konsilium.models import Conclusion, Consultation, Document
from konsilium.web.clockface import age, left, local, local_clock
from konsilium.web.consultation.head import head
from konsilium.web.consultation.moving import Move, case, move_page, press
from konsilium.web.consulting import worklist
from konsilium.web.consulting.forms import AskForm, ConclusionForm, HandBackForm
from konsilium.web.consulting.placed import placed_conclusion
from konsilium.web.documents.views import take
from konsilium.web.http import again, found, new_key, send_once, words
from konsilium.web.triage.rows import time_mark
from konsilium.workflow.consultation import FINAL, STATE_LABELS, State
from konsilium.workflow.document import DocumentState
from konsilium.workflow.machine import Refused
from konsilium.workflow.words import CONCLUSION_SCAN, URGENCIES, Urgency


class Row(NamedTuple):
    """One request in the list, as text."""

    address: str
    number: str
    unread: bool
    urgency: str
    urgency_label: str
    time: SafeString
    patient: str
    age: str
    diagnosis: str
    profile: str
    sender: str
    sender_time: str
    state: str


def show_list(request: Any) -> HttpResponse:
    """Show a tab of the own requests."""
    tab = worklist.tab_of(request.GET.get("tab", ""))
    after = _after(request.GET.get("after", ""))
    raws = worklist.page(tab, actor=request.actor, after=after)
    counts = worklist.counts(actor=request.actor)
    base = reverse("consulting:list")
    last = raws[worklist.PAGE - 1] if len(raws) > worklist.PAGE else None
    context = {
        "tabs": [
            {
                "label": gettext(one.label),
                "url": f"?tab={one.code}",
                "active": one is tab,
                "count": f"{worklist.COUNT_TO}+"
                if counts[one.code] > worklist.COUNT_TO
                else str(counts[one.code] or ""),
            }
            for one in worklist.TABS
        ],
        "rows": [_row(raw, request.at) for raw in raws[: worklist.PAGE]],
        "first_url": f"{base}?tab={tab.code}" if after else "",
        "next_url": f"{base}?{urlencode({'tab': tab.code, 'after': f'{last.due_at.isoformat()},{last.id}'})}"
        if last
        else "",
    }
    return render(request, "consulting/list.html", context)


def _after(text: str) -> tuple[datetime, UUID] | None:
    moment, _, pk = text.partition(",")
    try:
        return datetime.fromisoformat(moment), UUID(pk)
    except ValueError:
        return None


def _row(raw: worklist.Raw, at: datetime) -> Row:
    initials = "".join(f"{name[0]}." for name in (raw.patient_given, raw.patient_patronymic) if name)
    time = left(raw.due_at, at=at, paused_at=raw.paused_at, answered_at=raw.answered_at)
    profile = raw.profile_name if get_language() == "ru" else raw.profile_name_en or raw.profile_name
    return Row(
        address=reverse("consultation:show", args=[raw.id]),
        number=raw.number,
        unread=raw.read_at is None or raw.stirred_at > raw.read_at,
        urgency=raw.urgency,
        urgency_label=gettext(URGENCIES[Urgency(raw.urgency)]),
        time=SafeString("") if raw.state in FINAL else time_mark(time),
        patient=gettext("Unknown patient")
        if raw.patient_unknown
        else f"{raw.patient_family} {initials}".strip(),
        age=age(raw.patient_birth_date, at.date()),
        diagnosis=raw.diagnosis_code,
        profile=profile or "",
        sender=raw.requesting_name,
        sender_time=local_clock(at, raw.requesting_time_zone),
        state=gettext(STATE_LABELS[State(raw.state)]),
    )


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
    hint = gettext("The request waits for the answer; its clock stands still, unless it is an emergency.")
    return move_page(
        request,
        row,
        form,
        lambda version: consulting.ask_back(
            row, form.cleaned_data["text"], actor=request.actor, at=request.at, version=version
        ),
        move=Move("ask", hint, gettext("The question is sent.")),
    )


def hand_back(request: Any, pk: UUID) -> HttpResponse:
    """Give the request back to the dispatcher."""
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


def write(request: Any, pk: UUID) -> HttpResponse:
    """Show the conclusion's form; sent, keep what was written, and place it when that was asked."""
    row = case(request, pk)
    try:
        draft = concluding.draft_of(row, actor=request.actor, at=request.at)
    except Refused as refusal:
        messages.error(request, words(refusal), extra_tags="bad")
        return redirect("consultation:show", pk)
    form = ConclusionForm(request.POST or None, draft)
    if request.method != "POST":
        return render(request, "consulting/write.html", _context(request, row, form))
    if not form.is_valid():
        return again(request, "consulting/write.html", _context(request, row, form))
    return _keep(request, row, form)


def _keep(request: Any, row: Consultation, form: ConclusionForm) -> HttpResponse:
    draft, here = form.draft, reverse("consulting:write", args=[row.pk])
    refusals: list[str] = []

    def run() -> str:
        seen = request.POST.get("draft_version", "")
        version = int(seen) if seen.isdecimal() else None
        concluding.save_draft(
            draft, form.values(), form.written(), actor=request.actor, at=request.at, version=version
        )
        for file in request.FILES.getlist("files"):
            refusals.extend(_take_scan(request, row, draft, file))
        if request.POST.get("go") != "place" or refusals:
            return here
        action = concluding.correct if row.state == State.COMPLETED else concluding.place
        action(row, actor=request.actor, at=request.at)
        return reverse("consultation:show", args=[row.pk])

    try:
        response = send_once(request, run)
    except Refused as refusal:
        context = _context(request, row, form) | {"refusal": words(refusal), "once_key": new_key()}
        return again(request, "consulting/write.html", context)
    except NotThere as gone:
        raise Http404 from gone
    for refusal_text in refusals:
        messages.error(request, refusal_text, extra_tags="bad")
    if not refusals:
        placed = request.POST.get("go") == "place"
        messages.success(request, gettext("The conclusion is placed.") if placed else gettext("Saved."))
    return response


def _take_scan(request: Any, row: Consultation, draft: Conclusion, file: Any) -> list[str]:
    try:
        take(request, row, file, kind=CONCLUSION_SCAN, conclusion=draft)
    except Refused as refusal:
        return [f"{file.name}: {words(refusal)}"]
    return []


def _context(request: Any, row: Consultation, form: ConclusionForm) -> dict[str, Any]:
    scans = Document.objects.filter(conclusion=form.draft, kind=CONCLUSION_SCAN).exclude(
        state=DocumentState.REMOVED
    )
    return {
        "head": head(row, actor=request.actor, at=request.at),
        "row": row,
        "form": form,
        "draft": form.draft,
        "scans": list(scans),
        "lacking": [gettext(label) for label in concluding.lacking(form.draft)],
        "saved_at": local(form.draft.updated_at, request.actor.time_zone),
    }


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
        "head": head(row.consultation, actor=request.actor, at=request.at),
        "conclusion": placed_conclusion(row, actor=request.actor),
        "consultation": row.consultation,
    }
    return render(request, "consulting/conclusion.html", context)
