"""Agreeing on a session and saying what became of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import sessions
from konsilium.actions._step import NotThere
from konsilium.models import Consultation, Session
from konsilium.web.clockface import local, zone_label
from konsilium.web.consultation.head import head
from konsilium.web.consultation.moving import case
from konsilium.web.http import again, found, go_to, new_key, seen_version, send_once, words
from konsilium.web.sessions import calendar as ics
from konsilium.web.sessions import forms
from konsilium.web.sessions.panel import describe
from konsilium.workflow.machine import Refused
from konsilium.workflow.session import BUSY, SESSION_MACHINE

AHEAD = timedelta(days=14)


def propose(request: Any, pk: UUID) -> HttpResponse:
    """Propose one or several times for a session of a request."""
    row = case(request, pk)
    form = forms.ProposeForm(
        request.POST or None, actor=request.actor, initial=forms.own_connection(request.actor)
    )

    def run() -> None:
        data = form.cleaned_data
        sessions.propose(
            row,
            form.times(),
            minutes=data["minutes"],
            connection_given=form.given(),
            note=data["note"],
            actor=request.actor,
            at=request.at,
        )

    return _form_page(
        request, row, form, run, title=gettext("Propose times"), done=gettext("The times are proposed.")
    )


def propose_again(request: Any, pk: UUID) -> HttpResponse:
    """Propose other times for the same session."""
    return _times(request, pk, sessions.propose_again, gettext("Propose new times"))


def counter(request: Any, pk: UUID) -> HttpResponse:
    """Answer with other times."""
    return _times(request, pk, sessions.counter, gettext("Propose other times"))


def _times(request: Any, pk: UUID, action: Any, title: str) -> HttpResponse:
    session = _session(request, pk)
    form = forms.TimesForm(request.POST or None, actor=request.actor)

    def run() -> None:
        action(session, form.times(), actor=request.actor, at=request.at, version=seen_version(request))

    return _form_page(
        request,
        session.consultation,
        form,
        run,
        title=title,
        done=gettext("The times are proposed."),
        session=session,
    )


def confirm(request: Any, pk: UUID) -> HttpResponse:
    """Confirm one of the centre's times, with the own connection."""
    session = _session(request, pk)
    chosen = request.POST.get("option") or request.GET.get("option", "")
    # Chosen on the request page, the time comes here first, where the connection is said.
    data = request.POST if request.method == "POST" and "connection" in request.POST else None
    form = forms.ConfirmForm(data, initial={"option": chosen, **forms.own_connection(request.actor)})

    def run() -> None:
        sessions.confirm(
            session,
            form.cleaned_data["option"],
            connection_given=form.given(),
            actor=request.actor,
            at=request.at,
            version=seen_version(request),
        )

    options = [
        one
        for one in describe(session, roles=_roles(request, session), at=request.at)["options"]
        if str(one["pk"]) == chosen
    ]
    return _form_page(
        request,
        session.consultation,
        form,
        run,
        title=gettext("Confirm a time"),
        done=gettext("The time is confirmed. It stands in both sides' timetables."),
        session=session,
        options=options,
        show_only=data is None,
    )


@require_POST
def accept(request: Any, pk: UUID) -> HttpResponse:
    """Accept one of the requesting side's times."""
    option = request.POST.get("option", "")
    try:
        chosen = UUID(option)
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
    """Say that the session took place."""
    form = forms.HeldForm(request.POST or None)
    return _outcome(
        request,
        pk,
        "hold",
        form,
        lambda session, **given: sessions.hold(
            session,
            ended_at=request.at,
            patient_present=form.cleaned_data["patient_present"],
            note=form.cleaned_data["note"],
            **given,
        ),
        gettext("Now write the conclusion."),
    )


def miss(request: Any, pk: UUID) -> HttpResponse:
    """Say which side didn't come."""
    form = forms.MissedForm(request.POST or None)
    return _outcome(
        request,
        pk,
        "miss",
        form,
        lambda session, **given: sessions.miss(
            session, form.cleaned_data["side"], text=form.cleaned_data["text"], **given
        ),
        gettext("Propose another session, or go on without video."),
    )


def fail(request: Any, pk: UUID) -> HttpResponse:
    """Say that the session failed."""
    form = forms.FailedForm(request.POST or None)
    return _outcome(
        request,
        pk,
        "fail",
        form,
        lambda session, **given: sessions.fail(session, form.cleaned_data["text"], **given),
        gettext("Propose another session, or go on without video."),
    )


def cancel(request: Any, pk: UUID) -> HttpResponse:
    """Cancel a session that has not begun."""
    form = forms.CancelForm(request.POST or None)
    return _outcome(
        request,
        pk,
        "cancel",
        form,
        lambda session, **given: sessions.cancel(
            session, form.cleaned_data["reason"], form.cleaned_data["text"], **given
        ),
        gettext("The session is cancelled."),
    )


def calendar(request: Any, pk: UUID) -> HttpResponse:
    """Give a confirmed session as an iCalendar file, without anything about the patient."""
    session = _session(request, pk)
    if session.starts_at is None:
        raise Http404
    response = HttpResponse(ics.event(session, at=request.at), content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{session.consultation_number}.ics"'
    return response


def _session(request: Any, pk: UUID) -> Session:
    rows = Session.objects.visible_to(request.actor).select_related("consultation")
    return found(rows.filter(pk=pk).first())


def _roles(request: Any, session: Session) -> Any:
    return session.consultation.roles_of(request.actor)


def _outcome(
    request: Any, pk: UUID, move: str, form: Any, action: Callable[..., None], done: str
) -> HttpResponse:
    session = _session(request, pk)

    def run() -> None:
        action(session, actor=request.actor, at=request.at, version=seen_version(request))

    title = gettext(SESSION_MACHINE.labels[move])
    return _form_page(request, session.consultation, form, run, title=title, done=done, session=session)


def _press(request: Any, pk: UUID, action: Callable[..., None], done: str) -> HttpResponse:
    session = _session(request, pk)
    address = reverse("consultation:show", args=[session.consultation_id]) + "#sessions"

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


def _form_page(
    request: Any,
    row: Consultation,
    form: Any,
    run: Callable[[], None],
    *,
    title: str,
    done: str,
    session: Session | None = None,
    options: Any = (),
    show_only: bool = False,
) -> HttpResponse:
    context = {
        "head": head(row, actor=request.actor, at=request.at),
        "form": form,
        "title": title,
        "session": describe(session, roles=_roles(request, session), at=request.at) if session else None,
        "version": session.version if session else row.version,
        "options": options,
        "zone": zone_label(request.actor.time_zone, request.at),
        "busy": _busy(row, request) if hasattr(form, "times") else [],
    }
    if request.method != "POST" or show_only:
        return render(request, "sessions/form.html", context)
    if not form.is_valid():
        return again(request, "sessions/form.html", context)

    def act() -> str:
        run()
        return reverse("consultation:show", args=[row.pk]) + "#sessions"

    try:
        response = send_once(request, act)
    except Refused as refusal:
        return again(
            request, "sessions/form.html", context | {"refusal": words(refusal), "once_key": new_key()}
        )
    except NotThere as gone:
        raise Http404 from gone
    messages.success(request, done)
    return response


def _busy(row: Consultation, request: Any) -> list[str]:
    """Return the consultant's taken times of the next fortnight that this person may see, in their own zone."""
    if row.consultant_id is None:
        return []
    rows = Session.objects.visible_to(request.actor).filter(consultant_id=row.consultant_id, state__in=BUSY)
    rows = rows.filter(starts_at__gte=request.at, starts_at__lt=request.at + AHEAD).order_by(
        "starts_at", "id"
    )
    zone = request.actor.time_zone
    taken = rows.values_list("starts_at", "minutes")
    return [f"{local(begins, zone)}, {minutes} {gettext('min')}" for begins, minutes in taken]
