"""Calling a council, and a substitute to one of its seats."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from konsilium.actions import convening
from konsilium.actions._step import NotThere
from konsilium.models import Consultation, Council, Seat
from konsilium.web.consultation.head import head
from konsilium.web.consultation.moving import answered_before, case
from konsilium.web.councils.forms import MOST_SHOWN, CallForm, SubstituteForm, candidate, matching
from konsilium.web.councils.panel import seat_words
from konsilium.web.councils.sheet import CHANGES_SEATS
from konsilium.web.councils.views import seen
from konsilium.web.http import again, found, new_key, send_once, words
from konsilium.workflow.consultation import State
from konsilium.workflow.council import SeatKind
from konsilium.workflow.machine import Refused

CALL, SUBSTITUTE = "councils/call.html", "councils/substitute.html"


def call(request: Any, pk: UUID) -> HttpResponse:
    """Show the form of a call; sent, call the council. A search among colleagues keeps what was filled in."""
    answered = answered_before(request)
    if answered is not None:
        return answered
    row = case(request, pk)
    if request.method != "POST":
        return _form(request, row)
    form = _call_form(request, row)
    if request.POST.get("go") != "call":
        return render(request, CALL, _call_context(request, row, _unbound(request, row)))
    if not form.is_valid():
        return again(request, CALL, _call_context(request, row, form))
    return _called(request, row, form)


def _form(request: Any, row: Consultation) -> HttpResponse:
    present = Council.objects.filter(consultation=row).open().first()
    if present is not None:
        return redirect("councils:show", present.pk)
    if row.state not in convening.CALLED_IN:
        messages.error(request, gettext(convening.NOT_CALLED), extra_tags="bad")
        return redirect("consultation:show", row.pk)
    return render(request, CALL, _call_context(request, row, _call_form(request, row)))


def _call_form(request: Any, row: Consultation) -> CallForm:
    people = convening.colleagues()
    return CallForm(request.POST or None, consultation=row, zone=request.actor.time_zone, people=people)


def _unbound(request: Any, row: Consultation) -> CallForm:
    """Return the form with what was filled in so far, and nothing marked as wrong: it isn't sent yet."""
    form = _call_form(request, row)
    form.initial = {name: request.POST.get(name, "") for name in form.fields}
    form.is_bound = False
    return form


def _call_context(request: Any, row: Consultation, form: CallForm) -> dict[str, Any]:
    return {
        "head": head(row, actor=request.actor, at=request.at),
        "row": row,
        "form": form,
        "corrects": row.state == State.COMPLETED,
        "once_key": new_key(),
    }


def _called(request: Any, row: Consultation, form: CallForm) -> HttpResponse:
    def run() -> str:
        council = convening.call(row, form.call(), actor=request.actor, at=request.at)
        return reverse("councils:show", args=[council.pk])

    try:
        response = send_once(request, run)
    except Refused as refusal:
        return again(request, CALL, _call_context(request, row, form) | {"refusal": words(refusal)})
    except NotThere as gone:
        raise Http404 from gone
    messages.success(request, gettext("The council is called; everybody named is told."))
    return response


def substitute(request: Any, pk: UUID, seat: UUID) -> HttpResponse:
    """Show who could take a seat over; sent, call them to it."""
    row = seen(request, pk)
    old = found(Seat.objects.filter(council=row, pk=seat).exclude(answer="replaced").first())
    if row.state not in CHANGES_SEATS:
        messages.error(request, gettext("This step is not possible in the present state."), extra_tags="bad")
        return redirect("councils:show", row.pk)
    form = SubstituteForm(request.POST if request.POST.get("go") == "call" else None)
    context = _substitute_context(request, row, old, form)
    if not form.is_bound:
        return render(request, SUBSTITUTE, context)
    if not form.is_valid():
        return again(request, SUBSTITUTE, context)

    def run() -> str:
        chosen = form.cleaned_data["membership"]
        convening.substitute(row, old.pk, chosen, actor=request.actor, at=request.at)
        return reverse("councils:show", args=[row.pk])

    try:
        response = send_once(request, run)
    except Refused as refusal:
        return again(request, SUBSTITUTE, context | {"refusal": words(refusal), "once_key": new_key()})
    except NotThere as gone:
        raise Http404 from gone
    messages.success(request, gettext("The substitute is called and told."))
    return response


def _substitute_context(request: Any, row: Council, old: Seat, form: SubstituteForm) -> dict[str, Any]:
    sought = request.POST.get("q", "").strip()[:60]
    there = Seat.objects.filter(council=row).exclude(answer__in=("replaced", "declined"))
    sitting = set(there.values_list("person_id", flat=True)) | {old.person_id}
    free = [one for one in convening.colleagues() if one.person_id not in sitting]
    return {
        "head": head(row.consultation, actor=request.actor, at=request.at),
        "row": row,
        "seat": seat_words(old),
        "is_chair": old.kind == SeatKind.CHAIR,
        "people": [candidate(one) for one in list(matching(free, sought))[:MOST_SHOWN]],
        "sought": sought,
        "form": form,
    }
