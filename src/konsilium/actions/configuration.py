"""Profiles, centres, routes and terms: what the system administrator keeps as data."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from django.db import transaction

from konsilium.actions._record import record_at_desk
from konsilium.models import Organization, Profile, Route, Term
from konsilium.workflow.completeness import BY_TEMPLATE
from konsilium.workflow.machine import NotYours, Refused
from konsilium.workflow.onboarding import LEVELS
from konsilium.workflow.roles import Actor, may
from konsilium.workflow.words import DOCUMENT_KINDS, N_, URGENCIES

PROFILE_FIELDS = ("code", "name", "name_en", "documents", "welcome", "fields", "sections", "is_active")
LONGEST_TERM = 60 * 24 * 60


def save_profile(
    profile: Profile | None, values: Mapping[str, Any], *, actor: Actor, at: datetime
) -> Profile:
    """Make or change a profile (`values` by PROFILE_FIELDS).

    `documents` is a list of groups of document kinds, of each of which a request needs one; `sections` are those of
    its conclusions: label, label_en, hint, is_needed, and the code that a section keeps when it is called otherwise.
    Raises NotYours, or Refused for an unknown kind or field, or a code that is taken.
    """
    _check_right(actor)
    _check_template(values)
    row = profile or Profile()
    for name in PROFILE_FIELDS:
        setattr(row, name, values.get(name, getattr(row, name)))
    row.sections = _coded(row.sections)
    if Profile.objects.filter(code=row.code).exclude(pk=row.pk).exists():
        raise Refused(N_("Another profile has this code."))
    with transaction.atomic():
        row.save()
        _record("profile", row.pk, row.name, actor, at)
    return row


def _coded(sections: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give each new section a code of its own: what is written under a code stays readable."""
    given = [dict(section) for section in sections]
    used = {section["code"] for section in given if section.get("code")}
    free = (code for code in (f"s{number}" for number in count(1)) if code not in used)
    return [{**section, "code": section.get("code") or next(free)} for section in given]


def set_consulting(centre: Organization, is_consulting: bool, *, actor: Actor, at: datetime) -> None:
    """Say whether an organisation consults. What it consults on stands in its routes."""
    _check_right(actor)
    with transaction.atomic():
        Organization.objects.filter(pk=centre.pk).update(is_consulting=is_consulting)
        _record("centre", centre.pk, centre.short_name, actor, at)


def set_routes(
    centre: Organization, wanted: Iterable[tuple[UUID, int]], *, actor: Actor, at: datetime
) -> None:
    """Let the centre take exactly these pairs of profile and requester's level; others are closed, not forgotten."""
    _check_right(actor)
    pairs = set(wanted)
    if not {level for _, level in pairs} <= set(LEVELS):
        raise Refused(N_("There is no such level."))
    with transaction.atomic():
        for route in Route.objects.select_for_update().filter(centre=centre):
            key = (route.profile_id, route.requester_level)
            route.is_open = key in pairs
            route.save(update_fields=["is_open"])
            pairs.discard(key)
        new = (
            Route(centre=centre, profile_id=profile, requester_level=level)
            for profile, level in sorted(pairs)
        )
        Route.objects.bulk_create(new)
        _record("routes", centre.pk, centre.short_name, actor, at)


def set_term(
    centre: Organization,
    *,
    profile: Profile | None,
    urgency: str,
    minutes: int | None,
    actor: Actor,
    at: datetime,
) -> None:
    """Give a centre its own answer term for a profile, or (None) all profiles; without minutes the general one holds.

    Raises NotYours, or Refused for an unknown urgency or a term that is no sensible time.
    """
    _check_right(actor)
    if urgency not in URGENCIES or (minutes is not None and not 0 < minutes <= LONGEST_TERM):
        raise Refused(N_("A term is between one minute and sixty days."))
    with transaction.atomic():
        rows = Term.objects.filter(centre=centre, profile=profile, urgency=urgency)
        if minutes is None:
            rows.delete()
        elif not rows.update(minutes=minutes):
            Term(centre=centre, profile=profile, urgency=urgency, minutes=minutes).save(force_insert=True)
        _record("term", centre.pk, centre.short_name, actor, at)


def _check_template(values: Mapping[str, Any]) -> None:
    groups = values.get("documents", [])
    kinds = {kind for group in groups for kind in group} | set(values.get("welcome", []))
    if not kinds <= set(DOCUMENT_KINDS) or not all(groups):
        raise Refused(N_("There is no such kind of document."))
    if not set(values.get("fields", [])) <= set(BY_TEMPLATE):
        raise Refused(N_("There is no such field."))


def _check_right(actor: Actor) -> None:
    if not may(actor.role, "configuration.write"):
        raise NotYours(N_("Only the system administrator changes the configuration."))


def _record(subject: str, pk: UUID, text: str, actor: Actor, at: datetime) -> None:
    record_at_desk("configuration_changed", at=at, actor=actor, subject=(subject, pk), text=text)
