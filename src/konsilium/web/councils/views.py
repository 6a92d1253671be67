"""A council's own page: answers, opinions, the discussion, the decision, dissents, signatures; each a form on it."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import councils
from konsilium.actions._record import record_viewing
from konsilium.actions._step import NotThere
from konsilium.models import Answer, Conclusion, Council, Seat
from konsilium.web.clockface import local
from konsilium.web.consultation.head import head
from konsilium.web.consultation.moving import answered_before
from konsilium.web.councils.panel import own_seat, seat_words
from konsilium.web.councils.sheet import news, page, words_of
from konsilium.web.councils.steps import in_order
from konsilium.web.http import again, found, new_key, seen_version, send_once, words
from konsilium.workflow.machine import Refused

TEMPLATE = "councils/show.html"


def show(request: Any, pk: UUID) -> HttpResponse:
    """Show a council, and log that it was looked at."""
    row = seen(request, pk)
    record_viewing(row.consultation, "council", row.pk, actor=request.actor, at=request.at)
    return render(request, TEMPLATE, page(request, row))


def seen(request: Any, pk: UUID) -> Council:
    """Return the council of this id, if the person sees it; else answer as if it weren't."""
    rows = Council.objects.visible_to(request.actor).select_related("consultation__profile", "session")
    return found(rows.filter(pk=pk).first())


def tell_news(request: Any, pk: UUID) -> HttpResponse:
    """Tell what is new since the page was opened: the discussion's lines, and whether the council has moved on."""
    row = seen(request, pk)
    seats = in_order(Seat.objects.filter(council=row))
    context = news(row, own_seat(seats, request.actor), seats, request.actor)
    context |= {"row": row, "has_moved": request.GET.get("stamp") != context["stamp"]}
    context["stamp"] = request.GET.get("stamp", "")[:16]
    return render(request, "councils/_news.html", context)


def printed(request: Any, pk: UUID) -> HttpResponse:
    """Show the protocol as it goes onto paper: who sat, what was decided, who dissents, and room to sign."""
    row = seen(request, pk)
    if row.decided_at is None:
        raise Http404
    seats = in_order(Seat.objects.filter(council=row))
    draft = Conclusion.objects.filter(council=row).order_by("-edition").first()
    answers = Answer.objects.filter(conclusion=draft).select_related("question").order_by("question__number")
    context = {
        "row": row,
        "head": head(row.consultation, actor=request.actor, at=request.at),
        "council": words_of(row, request.actor),
        "sat": [{**seat_words(seat), "seat": seat} for seat in seats if seat.answer == "accepted"],
        "items": list(draft.items.values_list("text", flat=True)) if draft else [],
        "draft": draft,
        "answers": [(one.question.number, one.question.text, one.text) for one in answers],
    }
    return render(request, "councils/printed.html", context)


@require_POST
def answer(request: Any, pk: UUID) -> HttpResponse:
    """Take part, or decline with a word why."""
    accepts, text = request.POST.get("answer") == "accept", request.POST.get("decline", "")
    done = (
        gettext("You take part.") if accepts else gettext("You declined: the council is closed to you now.")
    )
    after = "" if accepts else reverse("councils:list")
    return _do(request, pk, councils.answer, accepts=accepts, text=text, done=done, after=after)


@require_POST
def opinion(request: Any, pk: UUID) -> HttpResponse:
    """Keep the own opinion, and seal it when that was said."""
    seal, text = request.POST.get("go") == "seal", request.POST.get("opinion", "")
    done = gettext("Your opinion is sealed.") if seal else gettext("Saved.")
    return _do(request, pk, councils.write_opinion, text, seal=seal, done=done)


@require_POST
def autosave(request: Any, pk: UUID) -> HttpResponse:
    """Keep the own opinion while it is written, and say so."""
    row = seen(request, pk)
    try:
        kept = councils.write_opinion(
            row, request.POST.get("opinion", ""), seal=False, actor=request.actor, at=request.at
        )
    except Refused as refusal:
        return again(request, "councils/_kept.html", {"not_saved": words(refusal)})
    except NotThere as gone:
        raise Http404 from gone
    return render(
        request, "councils/_kept.html", {"opinion_saved": local(kept.updated_at, request.actor.time_zone)}
    )


@require_POST
def say(request: Any, pk: UUID) -> HttpResponse:
    """Write a line of the discussion."""
    return _do(request, pk, councils.say, request.POST.get("line", ""), anchor="#write")


@require_POST
def open_opinions(request: Any, pk: UUID) -> HttpResponse:
    """Open all opinions together."""
    return _move(
        request, pk, councils.open_opinions, done=gettext("The opinions are open."), anchor="#opinions"
    )


@require_POST
def decide(request: Any, pk: UUID) -> HttpResponse:
    """Write down what was decided."""
    return _move(
        request, pk, councils.decide, request.POST.get("decision", ""), done=gettext("The decision is kept.")
    )


@require_POST
def rediscuss(request: Any, pk: UUID) -> HttpResponse:
    """Take the decision back into the discussion."""
    return _move(request, pk, councils.rediscuss)


@require_POST
def dissent(request: Any, pk: UUID) -> HttpResponse:
    """Record the own dissent; an empty text takes it back."""
    text = request.POST.get("dissent", "")
    done = (
        gettext("Your dissent stands in the protocol.")
        if text.strip()
        else gettext("Your dissent is taken back.")
    )
    return _do(request, pk, councils.dissent, text, done=done)


@require_POST
def submit(request: Any, pk: UUID) -> HttpResponse:
    """Give the protocol to be signed."""
    return _move(request, pk, councils.submit, done=gettext("The protocol waits for its signatures."))


@require_POST
def sign(request: Any, pk: UUID) -> HttpResponse:
    """Sign the protocol."""
    return _move(request, pk, councils.sign, done=gettext("It is noted that you have signed."))


@require_POST
def refuse(request: Any, pk: UUID) -> HttpResponse:
    """Refuse to sign, and say why."""
    done = gettext("The protocol is back with its secretary.")
    return _move(request, pk, councils.refuse, request.POST.get("refusal", ""), done=done)


@require_POST
def cancel(request: Any, pk: UUID) -> HttpResponse:
    """Cancel the council, and say why."""
    said = (request.POST.get("reason", ""), request.POST.get("cancel_text", ""))
    after = reverse("councils:list")
    return _move(request, pk, councils.cancel, *said, done=gettext("The council is cancelled."), after=after)


def _move(request: Any, pk: UUID, verb: Callable[..., object], *said: str, **after: str) -> HttpResponse:
    """Move the council by one of its machine's moves, with the version that was looked at."""
    return _do(request, pk, verb, *said, version=seen_version(request), **after)


def _do(
    request: Any,
    pk: UUID,
    verb: Callable[..., object],
    *said: str,
    done: str = "",
    after: str = "",
    anchor: str = "",
    **named: Any,
) -> HttpResponse:
    """Do one action once for the form's key, and go on; refused, show the page again with what was typed."""
    answered = answered_before(request)
    if answered is not None:
        return answered
    row = seen(request, pk)

    def run() -> str:
        verb(row, *said, actor=request.actor, at=request.at, **named)
        return after or reverse("councils:show", args=[pk]) + anchor

    try:
        response = send_once(request, run)
    except Refused as refusal:
        return _refused(request, pk, refusal, request.POST)
    except NotThere as gone:
        raise Http404 from gone
    if done:
        messages.success(request, done)
    return response


def _refused(request: Any, pk: UUID, refusal: Refused, given: Mapping[str, str]) -> HttpResponse:
    context = page(request, seen(request, pk), given)
    return again(request, TEMPLATE, context | {"refusal": words(refusal), "once_key": new_key()})
