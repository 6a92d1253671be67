"""The thread as a part of the request page: the newest messages, what is new in them, and where to write."""

from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from konsilium.models import Consultation, Document, Message, ReadMark
from konsilium.web.clockface import local
from konsilium.web.http import new_key
from konsilium.web.viewer.links import key_links
from konsilium.workflow.consultation import FINAL, State
from konsilium.workflow.document import DocumentState
from konsilium.workflow.roles import CENTRE_ROLES, ROLE_LABELS, Actor, Role, may
from konsilium.workflow.words import N_

PAGE = 50
KINDS = {Message.MESSAGE: "", Message.QUESTION: N_("Question"), Message.ANSWER: N_("Answer")}


def panel(
    consultation: Consultation,
    *,
    actor: Actor,
    at: datetime,
    roles: frozenset[Role],
    read_at: datetime | None = None,
    before: UUID | None = None,
) -> dict[str, Any]:
    """Return a page of the thread, oldest first, for `conversation/_panel.html` (three queries)."""
    rows = _page(consultation, before)
    files = _files(consultation, actor, rows)
    over, writes = consultation.state in FINAL, may(actor.role, "thread.write")
    messages = [_message(row, files[row.pk], actor, read_at) for row in reversed(rows[:PAGE])]
    _offer_replies(messages, consultation, roles)
    new = sum(message["is_new"] for message in messages)
    return {
        "messages": messages,
        "unread": ngettext("%(count)s new message", "%(count)s new messages", new) % {"count": new}
        if new
        else "",
        "earlier": rows[PAGE - 1].pk if len(rows) > PAGE and writes else None,
        "is_open": bool(roles) and writes and not over and consultation.state != State.DRAFT,
        "closed": gettext("The request is over: its thread can only be read.") if over else "",
        "address": reverse("conversation:thread", args=[consultation.pk]),
        "once_key": new_key(),
    }


def read_until(consultation: Consultation, actor: Actor) -> datetime | None:
    """Return how far the person has read the request."""
    marks = ReadMark.objects.filter(consultation=consultation, person_id=actor.person_id)
    return marks.values_list("read_at", flat=True).first()


def _page(consultation: Consultation, before: UUID | None) -> list[Message]:
    rows = Message.objects.filter(consultation=consultation)
    if before is not None:
        last = Message.objects.filter(pk=before, consultation=consultation).values("at")[:1]
        rows = rows.filter(Q(at__lt=last) | Q(at=last, pk__lt=before))
    return list(rows.select_related("answers").order_by("-at", "-id")[: PAGE + 1])


def _files(consultation: Consultation, actor: Actor, rows: list[Message]) -> dict[UUID, list[dict[str, Any]]]:
    keys = key_links(consultation)
    found = Document.objects.visible_to(actor).present().filter(consultation=consultation, message__in=rows)
    files: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for document in found.order_by("added_at", "id"):
        if document.message_id is not None:
            available = document.state == DocumentState.AVAILABLE
            address = reverse("documents:open", args=[document.pk]) if available else ""
            back = keys[document.pk].back if document.pk in keys else ""
            files[document.message_id].append({"name": document.file_name, "address": address, "back": back})
    return files


def _message(
    row: Message, files: list[dict[str, Any]], actor: Actor, read_at: datetime | None
) -> dict[str, Any]:
    mine = row.author_id == actor.person_id
    return {
        "id": row.pk,
        "kind": row.kind,
        "label": gettext(KINDS[row.kind]) if KINDS.get(row.kind) else "",
        "at": local(row.at, actor.time_zone),
        "who": row.author_name,
        "role": gettext(ROLE_LABELS[Role(row.author_role)]),
        "organization": row.author_organization,
        "text": row.text,
        "quoted": row.answers.text if row.answers else "",
        "files": files,
        "mine": mine,
        "is_new": not mine and (read_at is None or row.at > read_at),
        "answers": row.answers_id,
        "from_centre": row.author_role in CENTRE_ROLES,
    }


def _offer_replies(
    messages: list[dict[str, Any]], consultation: Consultation, roles: frozenset[Role]
) -> None:
    """Put a way to reply beside the other side's unanswered questions: the move itself where one waits for it."""
    answered = {message["answers"] for message in messages}
    in_centre = bool(roles & set(CENTRE_ROLES))
    waits = consultation.state == State.CLARIFICATION and not in_centre
    thread = reverse("conversation:thread", args=[consultation.pk])
    for message in messages:
        if (
            message["kind"] == Message.QUESTION
            and message["from_centre"] != in_centre
            and message["id"] not in answered
        ):
            move = reverse("conversation:answer", args=[consultation.pk])
            message["reply"] = move if waits else f"{thread}?answer={message['id']}#write"
