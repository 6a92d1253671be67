"""The small page of a move that needs to be told something: the case above, the form, and what was refused."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from konsilium.actions._record import record_viewing
from konsilium.actions._step import NotThere
from konsilium.models import Consultation
from konsilium.web.consultation.head import head
from konsilium.web.http import again, found, go_to, new_key, seen_version, send_once, words
from konsilium.workflow.consultation import MACHINE, State
from konsilium.workflow.machine import Refused

TEMPLATE = "consultation/move.html"


@dataclass(frozen=True)
class Move:
    """Which move, what the page says will happen, what it says once it has. Its title and button are the rules'."""

    code: str
    hint: str = ""
    done: str = ""
    danger: bool = False

    @property
    def title(self) -> str:
        """Return the move's label."""
        return gettext(MACHINE.labels[self.code])


class _SentNow(Exception):
    """The form's key is new."""


def case(request: Any, pk: UUID) -> Consultation:
    """Return the request of this id, if the person sees it, and remember the look; else answer as if it weren't."""
    row = found(
        Consultation.objects.visible_to(request.actor).select_related("profile").filter(pk=pk).first()
    )
    if row.state != State.DRAFT:
        record_viewing(row, "consultation", row.pk, actor=request.actor, at=request.at)
    return row


def answered_before(request: Any) -> HttpResponse | None:
    """Go where this very form led when it was sent before: the request may have left the sender's sight with it."""
    if request.method != "POST":
        return None
    try:
        return send_once(request, _refuse_new)
    except _SentNow:
        return None


def _refuse_new() -> str:
    raise _SentNow


def move_page(
    request: Any,
    row: Consultation,
    form: forms.Form,
    run: Callable[[int | None], object],
    *,
    move: Move,
    after: str = "",
    template: str = TEMPLATE,
    more: dict[str, Any] | None = None,
) -> HttpResponse:
    """Show the form; sent, run the action once with the version that was looked at, and go on to the request.

    A form that isn't right, or a refusal, comes back in the same page with what was typed.
    """
    away = _not_open(request, row, move)
    if away is not None:
        return away
    context = {
        "head": head(row, actor=request.actor, at=request.at),
        "form": form,
        "move": move,
        **(more or {}),
    }
    if request.method != "POST":
        return render(request, template, context)
    if not form.is_valid():
        return again(request, template, context)
    try:
        response = moved(request, row, run, after=after)
    except Refused as refusal:
        return again(request, template, context | {"refusal": words(refusal), "once_key": new_key()})
    if move.done:
        messages.success(request, move.done)
    return response


def _not_open(request: Any, row: Consultation, move: Move) -> HttpResponse | None:
    """Go back to the request, saying so, when the move isn't open in its state; refuse when it is another role's."""
    roles = row.roles_of(request.actor)
    if not any(known.move == move.code and known.role in roles for known in MACHINE.rows):
        raise PermissionDenied
    if request.method == "POST" or move.code in MACHINE.open_to(row.state, roles):
        return None
    messages.error(request, gettext("This step is not possible in the present state."), extra_tags="bad")
    return redirect("consultation:show", row.pk)


def moved(
    request: Any, row: Consultation, run: Callable[[int | None], object], *, after: str = ""
) -> HttpResponse:
    """Run the action once for the form's key, and go on. Refused passes through."""
    address = after or reverse("consultation:show", args=[row.pk])

    def act() -> str:
        run(seen_version(request))
        return address

    try:
        return send_once(request, act)
    except NotThere as gone:
        raise Http404 from gone


def press(
    request: Any, row: Consultation, run: Callable[[int | None], object], *, done: str = ""
) -> HttpResponse:
    """Run a move that needs no words, from its button, and come back to the request with what became of it."""
    try:
        response = moved(request, row, run)
    except Refused as refusal:
        messages.error(request, words(refusal), extra_tags="bad")
        return go_to(request, reverse("consultation:show", args=[row.pk]))
    if done:
        messages.success(request, done)
    return response
