"""The request page: whose turn it is, the request itself, its thread and timeline, for whoever may read it."""

from typing import Any
from uuid import UUID

from django.db.models import Max
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from konsilium.actions._record import mark_read
from konsilium.models import Consultation, Session, Viewing
from konsilium.web.clockface import local
from konsilium.web.consultation import panels
from konsilium.web.consultation.head import head
from konsilium.web.consultation.moves import buttons
from konsilium.web.consultation.moving import case
from konsilium.web.consultation.sheet import sheet
from konsilium.web.consultation.story import story
from konsilium.web.consultation.turns import ending, turn
from konsilium.web.conversation.panel import panel as thread_panel
from konsilium.web.conversation.panel import read_until
from konsilium.web.dicomweb.finding import AHEAD
from konsilium.web.http import new_key
from konsilium.workflow.consultation import State
from konsilium.workflow.roles import ROLE_LABELS, Actor, Role

LOOKERS = 50


def show(request: Any, pk: UUID) -> HttpResponse:
    """Show a request, remember that it was looked at, and mark it read."""
    row = case(request, pk)
    if row.state == State.DRAFT:
        return redirect("drafting:edit", row.pk)
    context = _context(request, row)
    mark_read(row, actor=request.actor, at=request.at)
    return render(request, "consultation/show.html", context)


def timeline(request: Any, pk: UUID) -> HttpResponse:
    """Show the timeline from a happening back."""
    row = case(request, pk)
    part = story(row, actor=request.actor, before=_before(request))
    context = {"head": head(row, actor=request.actor, at=request.at), "story": part}
    return render(request, "consultation/timeline.html", context)


def _context(request: Any, row: Consultation) -> dict[str, Any]:
    actor, at, roles = request.actor, request.at, row.roles_of(request.actor)
    read_at = read_until(row, actor)
    session_states = list(Session.objects.filter(consultation=row).values_list("state", flat=True))
    parts = panels.all_of(row, actor=actor, at=at, roles=roles)
    council = parts["council"]["panel"]
    moves = buttons(row, roles=roles, session_states=session_states, at=at, council=council)
    whose = turn(row, roles=roles, moves=moves, parts=parts)
    return {
        "row": row,
        "head": head(row, actor=actor, at=at),
        "turn": whose,
        "ending": ending(row),
        "moves": [move for move in moves if move not in whose["buttons"]],
        "questions": list(row.questions.values_list("number", "text")),
        "sheet": sheet(row),
        "parts": parts,
        "session_first": row.state == State.SESSION,
        "conclusion_first": row.state in (State.COMPLETED, State.CLOSED),
        "thread": thread_panel(row, actor=actor, at=at, roles=roles, read_at=read_at),
        "story": story(row, actor=actor, read_at=read_at),
        "lookers": _lookers(row, actor) if Role.REQUESTER in roles else [],
        "copy_address": _copy_address(row, roles),
        "edit_address": _edit_address(row, roles),
        "once_key": new_key(),
    }


def _lookers(row: Consultation, actor: Actor) -> list[dict[str, str]]:
    """Return who looked at the request, each person once, the last one first."""
    looked = Viewing.objects.filter(consultation=row).exclude(subject=AHEAD)
    people = looked.values("person_name", "role", "organization")
    return [
        {
            "name": person["person_name"],
            "role": gettext(ROLE_LABELS[Role(person["role"])]),
            "organization": person["organization"],
            "at": local(person["last"], actor.time_zone),
        }
        for person in people.annotate(last=Max("at")).order_by("-last", "person_name")[:LOOKERS]
    ]


def _copy_address(row: Consultation, roles: frozenset[Role]) -> str:
    may_copy = row.state in (State.REJECTED, State.WITHDRAWN) and Role.REQUESTER in roles
    return reverse("drafting:copy", args=[row.pk]) if may_copy else ""


def _edit_address(row: Consultation, roles: frozenset[Role]) -> str:
    may_edit = row.state == State.CLARIFICATION and Role.REQUESTER in roles
    return reverse("drafting:edit", args=[row.pk]) if may_edit else ""


def _before(request: Any) -> UUID | None:
    try:
        return UUID(request.GET.get("before", ""))
    except ValueError:
        return None
