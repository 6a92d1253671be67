"""The photo protocol of a request's profile: what is asked, what it shows, what is there and what is missing."""

from typing import NamedTuple

from django.templatetags.static import static
from django.utils.translation import gettext

from konsilium.models import Consultation, Document
from konsilium.web.gallery.items import PHOTO, Item
from konsilium.workflow.document import DocumentState
from konsilium.workflow.photo_protocol import PART_LABELS, View, asked, lacking, views_of
from konsilium.workflow.roles import Actor, Role


class ViewCard(NamedTuple):
    """A view of the protocol: its example, and the photographs that are named so."""

    label: str
    shows: str
    example: str
    photographs: list[Item]


class PartCards(NamedTuple):
    """A part of the protocol, and how much of it is there."""

    title: str
    said: str
    views: list[ViewCard]
    missing: bool


def cards(row: Consultation, items: list[Item]) -> list[PartCards]:
    """Return the parts that the profile asks or that photographs were added for."""
    kinds = {item.document.kind for item in items} | _asked_kinds(row)
    named: dict[str, list[Item]] = {}
    for item in items:
        named.setdefault(item.view, []).append(item)
    found = []
    for part in asked(kinds):
        lack = lacking(part, named)
        found.append(
            PartCards(
                title=gettext(PART_LABELS[part.kind]),
                said=gettext("%(there)s of %(all)s views")
                % {"there": len(lack.there), "all": len(part.views)},
                views=[_card(view, named.get(view.code, [])) for view in part.views],
                missing=bool(lack.missing),
            )
        )
    return found


def said(row: Consultation, documents: list[Document]) -> str:
    """Say how many views of the protocol are there, of how many; nothing where no photographs are asked."""
    there = [document for document in documents if document.state == DocumentState.AVAILABLE]
    named = [document.photo_view for document in there]
    lacks = [
        lacking(part, named) for part in asked({document.kind for document in there} | _asked_kinds(row))
    ]
    if not lacks:
        return ""
    counts = {
        "there": sum(len(lack.there) for lack in lacks),
        "all": sum(len(lack.part.views) for lack in lacks),
    }
    return gettext("%(there)s of %(all)s views") % counts


def _asked_kinds(row: Consultation) -> set[str]:
    if row.profile is None:
        return set()
    template = row.profile.template()
    return {kind for group in template.documents for kind in group} | set(template.welcome)


def _card(view: View, photographs: list[Item]) -> ViewCard:
    example = static(f"views/{view.code}.svg")
    return ViewCard(gettext(view.label), gettext(view.shows), example, photographs)


def choices(item: Item, row: Consultation, actor: Actor) -> list[tuple[str, str]]:
    """Return the views that this person may name a photograph as; none when it isn't theirs to say."""
    theirs = item.document.author_id == actor.person_id or Role.REQUESTER in row.roles_of(actor)
    views = views_of(item.document.kind) if item.how == PHOTO and theirs else ()
    return [(view.code, gettext(view.label)) for view in views]
