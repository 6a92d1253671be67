"""Agreeing on a session and saying what became of it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import sessions
from konsilium.actions._step import NotThere
from konsilium.models import Consultation, Session
from konsilium.web.browsertest.hint import hint
from konsilium.web.consultation.head import head
from konsilium.web.consultation.moving import case
from konsilium.web.http import again, found, go_to, new_key, seen_version, send_once, words
from konsilium.web.sessions import calendar as ics
from konsilium.web.sessions import forms
from konsilium.web.sessions.agenda import agenda
from konsilium.web.sessions.equipment import connection_of, own_equipment, said_before, side_of
from konsilium.web.sessions.panel import describe
from konsilium.web.sessions.times import zones_compared
from konsilium.workflow.consultation import State
from konsilium.workflow.machine import Refused
from konsilium.workflow.roles import CENTRE_ROLES
from konsilium.workflow.session import SESSION_MACHINE, SessionState
from konsilium.workflow.words import Side

TEMPLATE = "sessions/form.html"
IN_CALENDARS = (SessionState.CONFIRMED, SessionState.IN_PROGRESS)


def propose(request: Any, pk: UUID) -> HttpResponse:
    """Propose one or several times for a session of a request."""
    row = case(request, pk)
    away = _not_proposable(request, row)
    if away is not None:
        return away
    equipment = own_equipment(request.actor)
    form = forms.ProposeForm(request.POST or None, actor=request.actor, initial=connection_of(equipment))

    def run() -> None:
        sessions.propose(
            row,
            form.times(),
            minutes=form.cleaned_data["minutes"],
            connection_given=form.given(),
            note=form.cleaned_data["note"],
            actor=request.actor,
            at=request.at,
            version=seen_version(request),
        )

    context = _context(request, row, gettext("Propose times")) | _about_times(request, row)
    context |= {"form": form, "version": row.version, "equipment": equipment}
    return _send(request, row, form, run, context, done=gettext("The times are proposed."))


def _not_proposable(request: Any, row: Consultation) -> HttpResponse | None:
    if not row.roles_of(request.actor) & set(CENTRE_ROLES):
        raise PermissionDenied
    is_open = row.state == State.SESSION and not Session.objects.filter(consultation=row).open().exists()
    return None if is_open or request.method == "POST" else _back(request, row.pk)


def propose_again(request: Any, pk: UUID) -> HttpResponse:
    """Propose other times for the same session."""
    session = _session(request, pk)
    away = _not_open(request, session, sessions.again_move(session))
    if away is not None:
        return away
    form = forms.AgainForm(request.POST or None, actor=request.actor, initial={"minutes": session.minutes})

    def run() -> None:
        minutes, version = form.cleaned_data["minutes"], seen_version(request)
        sessions.propose_again(
            session, form.times(), minutes=minutes, actor=request.actor, at=request.at, version=version
        )

    return _times(request, session, form, run, title=gettext("Propose new times"))


def counter(request: Any, pk: UUID) -> HttpResponse:
    """Answer with other times, and with the own connection: the centre may accept one at once."""
    session = _session(request, pk)
    away = _not_open(request, session, "counter")
    if away is not None:
        return away
    equipment = own_equipment(request.actor)
    form = forms.CounterForm(
        request.POST or None, actor=request.actor, initial=_connection(request, session, equipment)
    )

    def run() -> None:
        given, version = form.given(), seen_version(request)
        sessions.counter(
            session, form.times(), connection_given=given, actor=request.actor, at=request.at, version=version
        )

    title = gettext("Propose other times")
    return _times(request, session, form, run, title=title, equipment=equipment)


def _times(
    request: Any, session: Session, form: Any, run: Callable[[], None], *, title: str, equipment: Any = ()
) -> HttpResponse:
    row = session.consultation
    context = _about_session(request, session, form, title) | _about_times(request, row)
    context |= {"equipment": equipment}
    return _send(request, row, form, run, context, done=gettext("The times are proposed."))


def _connection(request: Any, session: Session, equipment: Any) -> dict[str, str]:
    side = side_of(session, request.actor.organization_id)
    return said_before(session, side) or connection_of(equipment)


def confirm(request: Any, pk: UUID) -> HttpResponse:
    """Confirm one of the centre's times, with the own connection."""
    session = _session(request, pk)
    away = _not_open(request, session, "confirm")
    if away is not None:
        return away
    equipment = own_equipment(request.actor)
    chosen = request.POST.get("option") or request.GET.get("option", "")
    initial = {"option": chosen, **_connection(request, session, equipment)}
    form = forms.ConfirmForm(request.POST or None, initial=initial)

    def run() -> None:
        option, version = form.cleaned_data["option"], seen_version(request)
        sessions.confirm(
            session,
            option,
            connection_given=form.given(),
            actor=request.actor,
            at=request.at,
            version=version,
        )

    context = _about_session(request, session, form, gettext("Confirm a time"))
    options = [one for one in context["session"]["options"] if str(one["pk"]) == chosen]
    if request.method != "POST" and not options:
        return redirect(_address(session.consultation_id))
    context |= {"equipment": equipment, "options": options}
    done = gettext("The time is confirmed. It stands in both sides' timetables.")
    return _send(request, session.consultation, form, run, context, done=done)


@require_POST
def accept(request: Any, pk: UUID) -> HttpResponse:
    """Accept one of the requesting side's times."""
    try:
        chosen = UUID(request.POST.get("option", ""))
    except ValueError:
        raise Http404 from None
    return _press(
        request,
        pk,
        lambda session, **given: sessions.accept(session, chosen, **given),
        gettext("The time is agreed."),
    )


@require_POST
def start(request: Any, pk: UUID) -> HttpResponse:
    """Say that the session has begun."""
    return _press(request, pk, sessions.start, gettext("The session has begun."))


def hold(request: Any, pk: UUID) -> HttpResponse:
    """Say that the session took place, from when to when."""
    session = _session(request, pk)
    initial = {"began_at": session.began_at or session.starts_at, "ended_at": request.at}
    form = forms.HeldForm(request.POST or None, actor=request.actor, initial=initial)

    def run(session: Session, **given: Any) -> None:
        sessions.hold(session, **form.cleaned_data, **given)

    return _outcome(request, session, "hold", form, run, done=gettext("Now write the conclusion."))


def miss(request: Any, pk: UUID) -> HttpResponse:
    """Say which side didn't come."""
    form = forms.MissedForm(request.POST or None)

    def run(session: Session, **given: Any) -> None:
        sessions.miss(session, form.cleaned_data["side"], text=form.cleaned_data["text"], **given)

    done = gettext("Propose another session, or go on without video.")
    return _outcome(request, _session(request, pk), "miss", form, run, done=done)


def fail(request: Any, pk: UUID) -> HttpResponse:
    """Say that the session failed."""
    form = forms.FailedForm(request.POST or None)

    def run(session: Session, **given: Any) -> None:
        sessions.fail(session, form.cleaned_data["text"], **given)

    done = gettext("Propose another session, or go on without video.")
    return _outcome(request, _session(request, pk), "fail", form, run, done=done)


def cancel(request: Any, pk: UUID) -> HttpResponse:
    """Cancel a session that has not begun."""
    form = forms.CancelForm(request.POST or None)

    def run(session: Session, **given: Any) -> None:
        sessions.cancel(session, form.cleaned_data["reason"], form.cleaned_data["text"], **given)

    done = gettext("The session is cancelled.")
    return _outcome(request, _session(request, pk), "cancel", form, run, done=done)


def calendar(request: Any, pk: UUID) -> HttpResponse:
    """Give a confirmed session as an iCalendar file, without anything about the patient."""
    session = found(Session.objects.visible_to(request.actor).filter(pk=pk).first())
    if session.state not in IN_CALENDARS:
        raise Http404
    response = HttpResponse(ics.event(session, at=request.at), content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{session.consultation_number}.ics"'
    return response


def _session(request: Any, pk: UUID) -> Session:
    """Return the session with its request, and remember that the request was looked at."""
    session = found(Session.objects.visible_to(request.actor).filter(pk=pk).first())
    session.consultation = case(request, session.consultation_id)
    return session


def _not_open(request: Any, session: Session, move: str) -> HttpResponse | None:
    """Go back to the request, saying so, when the move isn't open now; refuse when it is another role's."""
    roles = session.consultation.roles_of(request.actor)
    if not any(known.move == move and known.role in roles for known in SESSION_MACHINE.rows):
        raise PermissionDenied
    if request.method == "POST" or move in SESSION_MACHINE.open_to(session.state, roles):
        return None
    return _back(request, session.consultation_id)


def _back(request: Any, consultation_id: UUID) -> HttpResponse:
    messages.error(request, gettext("This step is not possible in the present state."), extra_tags="bad")
    return redirect(_address(consultation_id))


def _address(consultation_id: UUID) -> str:
    return reverse("consultation:show", args=[consultation_id]) + "#sessions"


def _context(request: Any, row: Consultation, title: str) -> dict[str, Any]:
    return {
        "head": head(row, actor=request.actor, at=request.at),
        "title": title,
        # Looked up by the pages that ask how one connects.
        "hint": SimpleLazyObject(lambda: hint(request.actor, request.at)),
    }


def _about_session(request: Any, session: Session, form: Any, title: str) -> dict[str, Any]:
    roles = session.consultation.roles_of(request.actor)
    return {
        **_context(request, session.consultation, title),
        "form": form,
        "version": session.version,
        "session": describe(session, actor=request.actor, roles=roles, at=request.at),
        "own_side": side_of(session, request.actor.organization_id) is Side.REQUESTING,
    }


def _about_times(request: Any, row: Consultation) -> dict[str, Any]:
    return {
        "zones": zones_compared(row, request.actor, request.at),
        "agenda": agenda(row, actor=request.actor, at=request.at),
    }


def _outcome(
    request: Any, session: Session, move: str, form: Any, action: Callable[..., None], *, done: str
) -> HttpResponse:
    away = _not_open(request, session, move)
    if away is not None:
        return away

    def run() -> None:
        action(session, actor=request.actor, at=request.at, version=seen_version(request))

    context = _about_session(request, session, form, gettext(SESSION_MACHINE.labels[move]))
    context |= {"danger": move == "cancel"}
    return _send(request, session.consultation, form, run, context, done=done)


def _send(
    request: Any,
    row: Consultation,
    form: Any,
    run: Callable[[], None],
    context: dict[str, Any],
    *,
    done: str,
) -> HttpResponse:
    """Show the form; sent, run the action once and go on to the request, or show why not."""
    if request.method != "POST":
        return render(request, TEMPLATE, context)
    if not form.is_valid():
        return again(request, TEMPLATE, context)

    def act() -> str:
        run()
        return _address(row.pk)

    try:
        response = send_once(request, act)
    except Refused as refusal:
        return again(request, TEMPLATE, context | {"refusal": words(refusal), "once_key": new_key()})
    except NotThere as gone:
        raise Http404 from gone
    messages.success(request, done)
    return response


def _press(request: Any, pk: UUID, action: Callable[..., None], done: str) -> HttpResponse:
    session = _session(request, pk)
    address = _address(session.consultation_id)

    def run() -> str:
        action(session, actor=request.actor, at=request.at, version=seen_version(request))
        return address

    try:
        response = send_once(request, run)
    except Refused as refusal:
        messages.error(request, words(refusal), extra_tags="bad")
        return go_to(request, address)
    except NotThere as gone:
        raise Http404 from gone
    messages.success(request, done)
    return response
