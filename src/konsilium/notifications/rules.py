"""Which event tells whom: a table, read by the worker after the fact."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext

from konsilium.models import Consultation, Event, Membership
from konsilium.workflow.consultation import State
from konsilium.workflow.roles import Role
from konsilium.workflow.words import N_


@dataclass(frozen=True)
class Told:
    """One person who is told, and whether something is theirs to do."""

    person_id: UUID
    membership_id: UUID | None
    needs_action: bool


REQUESTER, CENTRE, OTHER_SIDE, DISPATCHERS, CONSULTANT = (
    "requester",
    "centre",
    "other side",
    "dispatchers",
    "consultant",
)

# event -> (who, is it theirs to act). CENTRE is the consultant where there is one, else the dispatchers.
RULES: dict[str, tuple[tuple[str, bool], ...]] = {
    "submit": ((DISPATCHERS, True),),
    "assign": ((CONSULTANT, True), (REQUESTER, False)),
    "reassign": ((CONSULTANT, True),),
    "pass_on": ((DISPATCHERS, True), (REQUESTER, False)),
    "ask": ((REQUESTER, True),),
    "answer": ((CENTRE, True),),
    "reject": ((REQUESTER, False),),
    "hand_back": ((DISPATCHERS, True),),
    "withdraw": ((CENTRE, False),),
    "session_propose": ((REQUESTER, True),),
    "session_reschedule": ((REQUESTER, True),),
    "session_counter": ((CENTRE, True),),
    "session_confirm": ((CENTRE, False),),
    "session_accept": ((REQUESTER, False),),
    "session_cancel": ((OTHER_SIDE, False),),
    "session_miss": ((REQUESTER, False),),
    "session_fail": ((REQUESTER, False),),
    "place": ((REQUESTER, True),),
    "correct": ((REQUESTER, True),),
    "acknowledge": ((CONSULTANT, False),),
    "close": ((CONSULTANT, False),),
    "expire": ((REQUESTER, False),),
    "message_posted": ((OTHER_SIDE, False),),
}

SENTENCES = {
    "submit": N_("Request %(number)s has come in"),
    "assign": N_("Request %(number)s: a consultant is assigned"),
    "reassign": N_("Request %(number)s is assigned to you"),
    "pass_on": N_("Request %(number)s was passed to another centre"),
    "ask": N_("Request %(number)s: more information is asked"),
    "answer": N_("Request %(number)s: the question is answered"),
    "reject": N_("Request %(number)s was rejected"),
    "hand_back": N_("Request %(number)s was handed back"),
    "withdraw": N_("Request %(number)s was withdrawn"),
    "session_propose": N_("Request %(number)s: times for a session are proposed"),
    "session_reschedule": N_("Request %(number)s: new times for the session are proposed"),
    "session_counter": N_("Request %(number)s: other times are proposed"),
    "session_confirm": N_("Request %(number)s: the session's time is confirmed"),
    "session_accept": N_("Request %(number)s: the session's time is agreed"),
    "session_cancel": N_("Request %(number)s: the session is cancelled"),
    "session_miss": N_("Request %(number)s: the session didn't take place"),
    "session_fail": N_("Request %(number)s: the session failed"),
    "place": N_("Request %(number)s: the conclusion is placed"),
    "correct": N_("Request %(number)s: a corrected conclusion is placed"),
    "acknowledge": N_("Request %(number)s: the conclusion was read"),
    "close": N_("Request %(number)s is closed with an outcome"),
    "expire": N_("Request %(number)s closed by itself: no outcome was reported"),
    "message_posted": N_("Request %(number)s: a new message"),
    "application_submitted": N_("Application %(number)s has come in"),
}


def sentence(kind: str, number: str) -> str:
    """Say what happened in one line without any medical content."""
    return gettext(SENTENCES.get(kind, N_("Request %(number)s: something has changed"))) % {"number": number}


def told_of(event: Event, consultation: Consultation) -> Iterator[Told]:
    """Yield whom an event of a request is told to, by the request as it stands; never the one who did it."""
    seen = {event.actor_id}
    for who, needs_action in RULES.get(event.kind, ()):
        for person_id, membership_id in _people(who, event, consultation):
            if person_id not in seen:
                seen.add(person_id)
                yield Told(person_id, membership_id, needs_action)


def _people(who: str, event: Event, row: Consultation) -> list[tuple[UUID, UUID | None]]:
    if who == OTHER_SIDE:
        asks = event.actor_organization_id == row.requesting_organization_id
        who = CENTRE if asks else REQUESTER
    if who == CENTRE:
        who = CONSULTANT if row.consultant_id and row.state != State.SUBMITTED else DISPATCHERS
    if who == REQUESTER:
        return _members(row.requesting_organization_id, (Role.REQUESTER, Role.ORG_ADMIN), row.requester_id)
    if who == CONSULTANT and row.consultant_id and row.centre_id:
        return _members(row.centre_id, (Role.CONSULTANT,), row.consultant_id)
    if who == DISPATCHERS and row.centre_id:
        return _members(row.centre_id, (Role.DISPATCHER,))
    return []


def _members(
    organization_id: UUID, roles: tuple[Role, ...], person_id: UUID | None = None
) -> list[tuple[UUID, UUID | None]]:
    rows = Membership.objects.filter(organization_id=organization_id, role__in=roles, is_active=True)
    if person_id:
        rows = rows.filter(person_id=person_id)
    return [
        (person, membership)
        for person, membership in rows.order_by("-role", "id").values_list("person_id", "id")
    ]


def coordinators() -> Iterator[Told]:
    """Yield the coordinators, who are told of new applications."""
    rows = Membership.objects.filter(role=Role.COORDINATOR, is_active=True).order_by("id")
    for person_id, membership_id in rows.values_list("person_id", "id"):
        yield Told(person_id, membership_id, needs_action=True)
