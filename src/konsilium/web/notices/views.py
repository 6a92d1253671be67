"""What a person was told, newest first."""

from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import account, notices
from konsilium.models import Membership, Notice
from konsilium.notifications.rules import sentence
from konsilium.web.clockface import local
from konsilium.web.http import found
from konsilium.workflow.roles import ROLE_LABELS, Role

PAGE = 50
# Who can do something about letters that don't leave the house.
MAIL_KEEPERS = (Role.SYSADMIN, Role.ORG_ADMIN, Role.COORDINATOR)


class Row(NamedTuple):
    """One notice as it stands in the list."""

    url: str
    words: str
    at: str
    unread: bool
    needs_action: bool


def show_list(request: Any) -> HttpResponse:
    """List the person's notices, fifty a page."""
    mine = Notice.objects.filter(person_id=request.actor.person_id)
    page = list(_from(mine, request.GET).order_by("-at", "-id")[: PAGE + 1])
    last = page[PAGE - 1] if len(page) > PAGE else None
    context = {
        "rows": [_row(row, request.actor.time_zone) for row in page[:PAGE]],
        "any_unread": mine.filter(read_at=None).exists(),
        "next_url": f"?{urlencode({'at': last.at.isoformat(), 'id': last.pk})}" if last else "",
        "first_url": reverse("notices:list") if request.GET.get("at") else "",
        "no_mail": not settings.SMTP_URL and request.actor.role in MAIL_KEEPERS,
    }
    return render(request, "notices/list.html", context)


def _from(rows: QuerySet[Notice], given: Any) -> QuerySet[Notice]:
    """Continue below the notice that stood last; an address that makes no sense begins at the top."""
    try:
        at, last = datetime.fromisoformat(given.get("at", "")), UUID(given.get("id", ""))
    except ValueError:
        return rows
    if at.tzinfo is None:
        return rows
    return rows.filter(at__lte=at).filter(Q(at__lt=at) | Q(id__lt=last))


def _row(row: Notice, zone: str) -> Row:
    url = reverse("notices:open", kwargs={"pk": row.pk})
    words = sentence(row.kind, row.number, needs_action=row.needs_action)
    return Row(url, words, local(row.at, zone), row.read_at is None, row.needs_action)


def open_notice(request: Any, pk: UUID) -> HttpResponse:
    """Mark a notice as read and go where it leads; one of another membership offers to act in that one."""
    notice = found(Notice.objects.filter(person_id=request.actor.person_id, pk=pk).first())
    notices.mark_read(notice, at=request.at)
    if notice.membership_id in (None, request.actor.membership_id):
        return redirect(notice.path or "notices:list")
    usable = account.usable_memberships(request.person.pk)
    other = next((row for row in usable if row.pk == notice.membership_id), None)
    context = {
        "words": sentence(notice.kind, notice.number, needs_action=notice.needs_action),
        "other": other,
        "role": _label(other) if other else "",
        "path": notice.path,
    }
    return render(request, "notices/elsewhere.html", context)


def _label(row: Membership) -> str:
    return gettext(ROLE_LABELS[Role(row.role)])


@require_POST
def read_all(request: Any) -> HttpResponse:
    """Mark all own notices as read."""
    notices.mark_all_read(request.actor, at=request.at)
    return redirect("notices:list")
