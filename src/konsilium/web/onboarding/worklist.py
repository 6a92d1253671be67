"""The coordinator's list of organisations: tabs by state, a search, keyset pages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext

from konsilium.models import Organization
from konsilium.web.clockface import local_clock, span
from konsilium.web.onboarding.way import TONES
from konsilium.workflow.onboarding import ORGANIZATION_STATE_LABELS, OrganizationState
from konsilium.workflow.roles import Actor
from konsilium.workflow.words import N_

PAGE = 50
_S = OrganizationState


@dataclass(frozen=True)
class Tab:
    """A part of the list; what is to be done runs from the oldest on, what is done from the newest back."""

    code: str
    label: str
    states: tuple[OrganizationState, ...]
    newest_first: bool = False


TABS = (
    Tab("new", N_("New applications"), (_S.SUBMITTED,)),
    Tab("review", N_("In review"), (_S.IN_REVIEW,)),
    Tab("setup", N_("Setting up"), (_S.EQUIPMENT_SETUP,)),
    Tab("test", N_("Testing"), (_S.EQUIPMENT_TEST,)),
    Tab("active", N_("Active organisations"), (_S.ACTIVE,), newest_first=True),
    Tab("ended", N_("Declined and suspended"), (_S.DECLINED, _S.SUSPENDED), newest_first=True),
)
_BY_CODE = {tab.code: tab for tab in TABS}


class Row(NamedTuple):
    """One organisation, as text."""

    address: str
    name: str
    full_name: str
    oid: str
    number: str
    who: str
    taken_by: str
    state: str
    tone: str
    since: str
    local: str


@dataclass(frozen=True)
class Link:
    """A tab as the page shows it."""

    label: str
    url: str
    active: bool
    count: str


def page(given: Any, *, actor: Actor, at: datetime) -> dict[str, Any]:
    """Return a page of the list: its rows, its tabs with counts, the search, and the next page's address."""
    tab, text = _BY_CODE.get(given.get("tab", ""), TABS[0]), " ".join(given.get("q", "").split())[:100]
    rows = _found(text, actor) if text else _of_tab(tab, actor)
    newest = bool(text) or tab.newest_first
    after = _after(given.get("after", ""))
    shown = list(_from(rows, after, newest_first=newest)[: PAGE + 1])
    last = shown[PAGE - 1] if len(shown) > PAGE else None
    base = {"tab": tab.code, "q": text}
    return {
        "rows": [_row(row, at) for row in shown[:PAGE]],
        "tabs": _tabs("" if text else tab.code, actor),
        "q": text,
        "first_url": _address(base) if after else "",
        "next_url": _address(base | {"after": f"{last.created_at.isoformat()},{last.pk}"}) if last else "",
    }


def _of_tab(tab: Tab, actor: Actor) -> QuerySet[Organization]:
    return Organization.objects.visible_to(actor).filter(state__in=tab.states)


def _found(text: str, actor: Actor) -> QuerySet[Organization]:
    named = Q(short_name__icontains=text) | Q(full_name__icontains=text) | Q(application__number=text)
    numbered = Q(oid__startswith=text) | Q(oid__endswith=text) | Q(inn=text)
    return Organization.objects.visible_to(actor).filter(named | numbered)


def _from(
    rows: QuerySet[Organization], after: tuple[datetime, UUID] | None, *, newest_first: bool
) -> QuerySet[Organization]:
    rows = rows.select_related("application")
    way, beyond = ("-", "lt") if newest_first else ("", "gt")
    if after:
        moment, pk = after
        rows = rows.filter(
            Q(**{f"created_at__{beyond}": moment}) | Q(created_at=moment, **{f"pk__{beyond}": pk})
        )
    return rows.order_by(f"{way}created_at", f"{way}id")


def _tabs(active: str, actor: Actor) -> list[Link]:
    counted = (
        Organization.objects.visible_to(actor).values_list("state").annotate(Count("id")).order_by("state")
    )
    counts: dict[str, int] = dict(counted)
    return [
        Link(
            gettext(tab.label),
            _address({"tab": tab.code}),
            tab.code == active,
            str(sum(counts.get(state, 0) for state in tab.states) or ""),
        )
        for tab in TABS
    ]


def _row(row: Organization, at: datetime) -> Row:
    application = getattr(row, "application", None)
    return Row(
        address=reverse("onboarding:show", args=[row.pk]),
        name=row.short_name,
        full_name=row.full_name,
        oid=row.oid,
        number=application.number if application else "",
        who=application.responsible_name if application else "",
        taken_by=application.taken_by_name if application else "",
        state=gettext(ORGANIZATION_STATE_LABELS[OrganizationState(row.state)]),
        tone=TONES.get(OrganizationState(row.state), ""),
        since=span(at - row.created_at),
        local=local_clock(at, row.time_zone),
    )


def _address(given: dict[str, str]) -> str:
    return (
        f"{reverse('onboarding:list')}?{urlencode({name: value for name, value in given.items() if value})}"
    )


def _after(text: str) -> tuple[datetime, UUID] | None:
    moment, _, pk = text.partition(",")
    try:
        found = datetime.fromisoformat(moment), UUID(pk)
    except ValueError:
        return None
    return found if found[0].tzinfo else None
