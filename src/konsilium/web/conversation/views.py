"""The thread's pages: write in it, read it from its beginning, answer the centre's question."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from konsilium.actions import conversation
from konsilium.actions._record import mark_read
from konsilium.actions._step import NotThere
from konsilium.models import Consultation, Message
from konsilium.web.consultation.head import head
from konsilium.web.consultation.moving import Move, case, move_page
from konsilium.web.conversation.forms import AnswerForm, LetterForm
from konsilium.web.conversation.panel import panel, read_until
from konsilium.web.documents.views import LEFT_OUT, take
from konsilium.web.http import again, new_key, send_once, words
from konsilium.workflow.machine import Refused


def thread(request: Any, pk: UUID) -> HttpResponse:
    """Show the thread from a message back; sent a letter, post it."""
    row = case(request, pk)
    if request.method == "POST":
        return _post(request, row)
    asked = _asked(request, row)
    form = LetterForm(initial={"answers": asked.pk if asked else None})
    return render(request, "conversation/thread.html", _context(request, row, form, asked))


def _post(request: Any, row: Consultation) -> HttpResponse:
    form = LetterForm(request.POST)
    if not form.is_valid():
        return again(request, "conversation/thread.html", _context(request, row, form))

    def write() -> str:
        letter = form.letter(_files(request, row))
        message = conversation.post(row, letter, actor=request.actor, at=request.at)
        return f"{reverse('consultation:show', args=[row.pk])}#message-{message.pk}"

    try:
        return send_once(request, write)
    except Refused as refusal:
        context = _context(request, row, form) | {"refusal": words(refusal)}
        return again(request, "conversation/thread.html", context)
    except NotThere as gone:
        raise Http404 from gone


def _files(request: Any, row: Consultation) -> tuple[UUID, ...]:
    """Take the files that came along, and return which documents they became. Raises Refused with words for each."""
    for name, why in getattr(request, "left_out", []):
        raise Refused(LEFT_OUT[why], params={"name": name})
    return tuple(take(request, row, file, kind="other").pk for file in request.FILES.getlist("files"))


def _context(
    request: Any, row: Consultation, form: LetterForm, asked: Message | None = None
) -> dict[str, Any]:
    actor, read_at = request.actor, read_until(row, request.actor)
    roles, before = row.roles_of(actor), _id(request, "before")
    part = panel(row, actor=actor, at=request.at, roles=roles, read_at=read_at, before=before)
    mark_read(row, actor=actor, at=request.at)
    return {
        "head": head(row, actor=request.actor, at=request.at),
        "panel": part,
        "form": form,
        "asked": asked,
        "once_key": new_key(),
    }


def answer(request: Any, pk: UUID) -> HttpResponse:
    """Answer the centre's question, which gives the request back to it."""
    row = case(request, pk)
    form = AnswerForm(request.POST or None)
    move = Move(
        "answer",
        gettext("The request goes back to whom the question came from, and its clock runs on."),
        gettext("The answer is sent."),
    )
    return move_page(
        request,
        row,
        form,
        lambda version: conversation.answer(
            row,
            form.cleaned_data["text"],
            documents=_files(request, row),
            actor=request.actor,
            at=request.at,
            version=version,
        ),
        move=move,
        template="conversation/answer.html",
        more={"asked": conversation.open_question(row), "takes_files": True},
    )


def _asked(request: Any, row: Consultation) -> Message | None:
    asked = _id(request, "answer")
    return (
        Message.objects.filter(consultation=row, kind=Message.QUESTION, pk=asked).first() if asked else None
    )


def _id(request: Any, name: str) -> UUID | None:
    try:
        return UUID(request.GET.get(name, ""))
    except ValueError:
        return None
