"""The dispatcher's pages: the work-list, and the moves that need a form."""

from html import escape
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from konsilium.actions import triage
from konsilium.models import Consultation, Membership
from konsilium.web.consultation.moving import Move, answered_before, case, move_page
from konsilium.web.keyset import capped
from konsilium.web.triage import forms, worklist
from konsilium.web.triage.rows import rows_of
from konsilium.web.triage.search import Search
from konsilium.workflow.words import URGENCIES, Urgency


def show_list(request: Any) -> HttpResponse:
    """Show a tab of the centre's work-list, or what a search found."""
    search = Search.of(request.GET, at=request.at)
    found, further = _found(search, request)
    around = worklist.around(actor=request.actor, at=request.at)
    context = {
        "tabs": _tabs(search, around.counts),
        "notices_unread": around.unread,
        "rows": rows_of(found, request.at),
        "search": search,
        "filters": _filters(request, search),
        "first_url": search.address() if search.after else "",
        "next_url": further,
        "nothing": gettext("Nothing here"),
        "nothing_words": gettext("No request fits.")
        if search.is_narrowed
        else gettext("All is done in this list."),
    }
    return render(request, "triage/list.html", context)


def _found(search: Search, request: Any) -> tuple[list[worklist.Raw], str]:
    if search.text:
        return worklist.found(search.numbers, search.family, actor=request.actor), ""
    rows = worklist.page(search.tab, search.wanted(), actor=request.actor, at=request.at)
    if len(rows) <= worklist.PAGE:
        return rows, ""
    last = rows[worklist.PAGE - 1]
    return rows[: worklist.PAGE], search.address(after=f"{last.due_at.isoformat()},{last.id}")


def _tabs(search: Search, counts: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "label": gettext(tab.label),
            "url": search.address(tab=tab.code),
            "active": tab is search.tab and not search.text,
            "count": capped(counts.get(tab.code, 0)),
        }
        for tab in worklist.TABS
    ]


def _filters(request: Any, search: Search) -> list[dict[str, Any]]:
    """Return the drop-down filters with their choices (one query)."""
    choices = worklist.choices(actor=request.actor)
    given = {"profile": str(search.profile or ""), "consultant": str(search.consultant or "")}
    urgencies = [(code.value, gettext(URGENCIES[code])) for code in Urgency]
    return [
        _filter("urgency", gettext("Urgency"), urgencies, search.urgency),
        _filter("profile", gettext("Profile"), choices["profile"], given["profile"]),
        _filter("consultant", gettext("Consultant"), choices["consultant"], given["consultant"]),
    ]


def _filter(name: str, label: str, choices: list[tuple[str, str]], given: str) -> dict[str, Any]:
    options = (
        f'<option value="{value}"{" selected" if value == given else ""}>{escape(text)}</option>'
        for value, text in [("", label), *choices]
    )
    return {"name": name, "label": label, "options": SafeString("".join(options))}


def assign(request: Any, pk: UUID) -> HttpResponse:
    """Name a consultant: on a page of its own, or, asked by htmx, as a line of the work-list."""
    return _name(request, pk, "assign", triage.assign, gettext("The consultant is named and told."))


def reassign(request: Any, pk: UUID) -> HttpResponse:
    """Name another consultant."""
    return _name(request, pk, "reassign", triage.reassign, gettext("Another consultant is named and told."))


def _name(request: Any, pk: UUID, move: str, action: Any, done: str) -> HttpResponse:
    row = case(request, pk)
    people = list(Membership.objects.consultants_of(request.actor.organization_id))
    form = forms.ConsultantForm(request.POST or None, row, people, worklist.load(actor=request.actor))
    from_list = request.GET.get("from") == "list"
    in_list = from_list and request.headers.get("HX-Request") and request.method == "GET"
    return move_page(
        request,
        row,
        form,
        lambda version: action(
            row, form.cleaned_data["consultant"], actor=request.actor, at=request.at, version=version
        ),
        move=Move(move, done=done),
        after=reverse("triage:list") if from_list else "",
        template="triage/_assign.html" if in_list else "consultation/move.html",
    )


def ask(request: Any, pk: UUID) -> HttpResponse:
    """Ask the requester for what is missing."""
    row = case(request, pk)
    form = forms.AskForm(request.POST or None)
    return move_page(
        request,
        row,
        form,
        lambda version: triage.ask(
            row, form.cleaned_data["text"], actor=request.actor, at=request.at, version=version
        ),
        move=Move("ask", pause_hint(row), gettext("The question is sent.")),
    )


def pause_hint(row: Consultation) -> str:
    """Say what a question does to the clock."""
    if row.urgency == Urgency.EMERGENCY:
        return gettext("This is an emergency: the clock runs on while you wait for the answer.")
    return gettext("The clock stands still until the requesting doctor answers.")


def reject(request: Any, pk: UUID) -> HttpResponse:
    """Reject a request with a reason."""
    row = case(request, pk)
    form = forms.RejectForm(request.POST or None)
    return move_page(
        request,
        row,
        form,
        lambda version: triage.reject(
            row, **form.cleaned_data, actor=request.actor, at=request.at, version=version
        ),
        move=Move(
            "reject",
            gettext(
                "The requesting doctor reads the reason, and can copy the request into a new draft. This can't be undone."
            ),
            gettext("The request is rejected."),
            danger=True,
        ),
    )


def pass_on(request: Any, pk: UUID) -> HttpResponse:
    """Pass a request to another centre; after that it is out of this centre's sight."""
    before = answered_before(request)
    if before is not None:
        return before
    row = case(request, pk)
    form = forms.PassForm(request.POST or None, list(triage.centres_to_pass_to(row)))
    return move_page(
        request,
        row,
        form,
        lambda version: triage.pass_on(
            row,
            form.cleaned_data["centre"],
            form.cleaned_data["text"],
            actor=request.actor,
            at=request.at,
            version=version,
        ),
        move=Move(
            "pass_on",
            gettext(
                "The request leaves your centre. The other centre's term counts from the time it was sent."
            ),
            gettext("The request is passed on."),
        ),
        after=reverse("triage:list"),
    )
