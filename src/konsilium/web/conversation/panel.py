"""The thread as a part of the request page: the newest messages, what is new in them, and where to write."""

from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext

from konsilium.models import Consultation, Document, Message
from konsilium.web.clockface import local
from konsilium.web.http import new_key
from konsilium.workflow.consultation import FINAL, State
from konsilium.workflow.roles import ROLE_LABELS, Actor, Role
from konsilium.workflow.words import N_

PAGE = 50
KINDS = {Message.MESSAGE: "", Message.QUESTION: N_("Question"), Message.ANSWER: N_("Answer")}


def panel(
    consultation: Consultation,
    *,
    actor: Actor,
    at: datetime,  # noqa: ARG001  every panel is called alike
    roles: frozenset[Role],
    read_at: datetime | None = None,
    before: UUID | None = None,
) -> dict[str, Any]:
    """Return a page of the thread, oldest first, for `conversation/_panel.html` (two queries)."""
    rows = _page(consultation, before)
    files = _files(consultation, actor, rows)
    over = consultation.state in FINAL
    return {
        "messages": [_message(row, files[row.pk], actor, read_at) for row in reversed(rows[:PAGE])],
        "earlier": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "is_open": bool(roles) and not over and consultation.state != State.DRAFT,
        "closed": gettext("The request is over: its thread can only be read.") if over else "",
        "address": reverse("conversation:thread", args=[consultation.pk]),
        "once_key": new_key(),
    }


def _page(consultation: Consultation, before: UUID | None) -> list[Message]:
    rows = Message.objects.filter(consultation=consultation)
    if before is not None:
        last = Message.objects.filter(pk=before, consultation=consultation).values("at")[:1]
        rows = rows.filter(Q(at__lt=last) | Q(at=last, pk__lt=before))
    return list(rows.select_related("answers").order_by("-at", "-id")[: PAGE + 1])


def _files(consultation: Consultation, actor: Actor, rows: list[Message]) -> dict[UUID, list[dict[str, Any]]]:
    found = Document.objects.visible_to(actor).present().filter(consultation=consultation, message__in=rows)
    files: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for document in found.order_by("added_at", "id"):
        if document.message_id is not None:
            files[document.message_id].append({"id": document.pk, "name": document.file_name})
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
        "can_answer": row.kind == Message.QUESTION and not mine,
    }
