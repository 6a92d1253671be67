"""The requesting doctor's and administrator's list."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from konsilium.web.keyset import capped
from konsilium.web.requests import worklist
from konsilium.web.requests.rows import rows_of
from konsilium.workflow.roles import Role


def show_list(request: Any) -> HttpResponse:
    """Show a tab of the own requests, or what a search found among all of them."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:60]
    tab = worklist.tab_of("all" if text else request.GET.get("tab", ""))
    before = _before(request.GET.get("before", ""))
    found = worklist.page(tab, actor=request.actor, before=before, text=text)
    further = len(found) > worklist.PAGE
    is_admin = request.actor.role is Role.ORG_ADMIN
    around = worklist.around(actor=request.actor)
    context = {
        "tabs": _tabs(tab, around.counts, searched=bool(text)),
        "notices_unread": around.unread,
        "rows": rows_of(found[: worklist.PAGE], at=request.at, with_doctor=is_admin),
        "text": text,
        "is_admin": is_admin,
        "first_url": _address(tab, text) if before else "",
        "next_url": _address(tab, text, found[worklist.PAGE - 1]) if further else "",
        "is_first_visit": tab is worklist.TABS[0] and not found,
    }
    return render(request, "requests/list.html", context)


def _tabs(tab: worklist.Tab, counts: dict[str, int], *, searched: bool) -> list[dict[str, Any]]:
    return [
        {
            "label": gettext(one.label),
            "url": f"?tab={one.code}",
            "active": one is tab and not searched,
            "count": capped(counts[one.code]),
        }
        for one in worklist.TABS
    ]


def _address(tab: worklist.Tab, text: str, last: worklist.Raw | None = None) -> str:
    given = {"q": text} if text else {"tab": tab.code}
    if last is not None:
        given["before"] = f"{last.updated_at.isoformat()},{last.id}"
    return f"{reverse('requests:list')}?{urlencode(given)}"


def _before(text: str) -> tuple[datetime, UUID] | None:
    moment, _, pk = text.partition(",")
    try:
        return datetime.fromisoformat(moment), UUID(pk)
    except ValueError:
        return None
