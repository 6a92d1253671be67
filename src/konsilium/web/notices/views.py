"""What a person was told, newest first."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from konsilium.actions import notices
from konsilium.models import Notice
from konsilium.notifications.rules import sentence
from konsilium.web.http import found

PAGE = 50


class Row(NamedTuple):
    """One notice as it stands in the list."""

    url: str
    words: str
    at: str
    unread: bool
    needs_action: bool


def show_list(request: Any) -> HttpResponse:
    """List the person's notices."""
    rows = Notice.objects.filter(person_id=request.actor.person_id).order_by("-at", "-id")
    before = request.GET.get("before", "")
    if before:
        rows = rows.filter(at__lt=_moment(before))
    page = list(rows[: PAGE + 1])
    zone = ZoneInfo(request.actor.time_zone)
    next_url = f"?before={page[PAGE - 1].at.timestamp()}" if len(page) > PAGE else ""
    context = {
        "rows": [_row(row, zone) for row in page[:PAGE]],
        "any_unread": any(row.read_at is None for row in page),
        "next_url": next_url,
        "first_url": reverse("notices:list") if before else "",
    }
    return render(request, "notices/list.html", context)


def _row(row: Notice, zone: ZoneInfo) -> Row:
    at = row.at.astimezone(zone).strftime("%d.%m.%Y %H:%M")
    url = reverse("notices:open", kwargs={"pk": row.pk})
    return Row(url, sentence(row.kind, row.number), at, row.read_at is None, row.needs_action)


def _moment(text: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(text), tz=ZoneInfo("UTC"))
    except (ValueError, OverflowError, OSError):
        return datetime.max.replace(tzinfo=ZoneInfo("UTC"))


def open_notice(request: Any, pk: UUID) -> HttpResponse:
    """Mark a notice as read and go where it leads."""
    notice = found(Notice.objects.filter(person_id=request.actor.person_id, pk=pk).first())
    notices.mark_read(notice, at=request.at)
    return redirect(notice.path or "notices:list")


@require_POST
def read_all(request: Any) -> HttpResponse:
    """Mark all own notices as read."""
    notices.mark_all_read(request.actor, at=request.at)
    return redirect("notices:list")
