"""Which event tells whom, and in which words: tables, read by the worker after the fact."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext

from konsilium.models import Consultation, DeskEvent, Event, Membership, Seat
from konsilium.workflow.consultation import State
from konsilium.workflow.roles import Role
from konsilium.workflow.words import N_


@dataclass(frozen=True)
class Told:
    """One person who is told, whether something is theirs to do, and the page it leads to."""

    person_id: UUID
    membership_id: UUID | None
    needs_action: bool
    path: str


People = list[tuple[UUID, UUID | None]]

# CENTRE is the consultant where there is one, else the dispatchers.
REQUESTER, CENTRE, OTHER_SIDE = "requester", "centre", "other side"
DISPATCHERS, CONSULTANT = "dispatchers", "consultant"
COUNCIL, SIGNATORIES = "council", "signatories"

# event -> (who, is it theirs to act). Nobody is told of what they did themself, so the requester in a move of the
# requesting side is the doctor whose administrator made it, and the consultant one whose dispatcher did.
RULES: dict[str, tuple[tuple[str, bool], ...]] = {
    "submit": ((DISPATCHERS, True), (REQUESTER, False)),
    "assign": ((CONSULTANT, True), (REQUESTER, False)),
    "reassign": ((CONSULTANT, True), (REQUESTER, False)),
    "pass_on": ((DISPATCHERS, True), (REQUESTER, False)),
    "ask": ((REQUESTER, True),),
    "answer": ((CENTRE, True), (REQUESTER, False)),
    "reject": ((REQUESTER, False),),
    "hand_back": ((DISPATCHERS, True),),
    "withdraw": ((CENTRE, False), (REQUESTER, False)),
    "session_propose": ((REQUESTER, True), (CONSULTANT, False)),
    "session_reschedule": ((REQUESTER, True), (CONSULTANT, False)),
    "session_counter": ((CENTRE, True), (REQUESTER, False)),
    "session_confirm": ((CENTRE, False), (REQUESTER, False)),
    "session_accept": ((REQUESTER, False), (CONSULTANT, False)),
    "session_cancel": ((REQUESTER, False), (CONSULTANT, False)),
    "session_remind_day": ((REQUESTER, True), (CONSULTANT, True)),
    "session_remind_hour": ((REQUESTER, True), (CONSULTANT, True)),
    "session_miss": ((REQUESTER, False),),
    "session_fail": ((REQUESTER, False),),
    "council_call": ((COUNCIL, True), (REQUESTER, False)),
    "council_substitute": ((COUNCIL, True),),
    "council_open": ((COUNCIL, True),),
    "council_decide": ((COUNCIL, False),),
    "council_submit": ((COUNCIL, True),),
    "council_refuse": ((COUNCIL, False),),
    "council_sign_last": ((COUNCIL, False),),
    "council_cancel": ((COUNCIL, False), (REQUESTER, False)),
    "signature_bad": ((CONSULTANT, True),),
    "signature_waits": ((SIGNATORIES, True),),
    # A council's secretary places for the consultant.
    "place": ((REQUESTER, True), (CONSULTANT, False)),
    "correct": ((REQUESTER, True), (CONSULTANT, False)),
    "acknowledge": ((CONSULTANT, False),),
    "close": ((CONSULTANT, False), (REQUESTER, False)),
    "expire": ((REQUESTER, False),),
    "message_posted": ((OTHER_SIDE, False),),
    "document_added": ((OTHER_SIDE, False),),
}

# These change whose turn it is; what waited before doesn't wait any more.
MOVES = {kind for kind in RULES if not kind.startswith(("council_", "session_remind", "signature_"))} - {
    "message_posted",
    "document_added",
    "acknowledge",
} | {
    "need_video",
    "no_video",
    "reconsider",
    "give_up_video",
    "session_held",
}

# The same for what waits on a council's page.
COUNCIL_MOVES = {
    "council_open",
    "council_decide",
    "council_rediscuss",
    "council_submit",
    "council_refuse",
    "council_sign_last",
    "council_cancel",
}

SENTENCES = {
    "submit": N_("Request %(number)s has come in"),
    "assign": N_("Request %(number)s: a consultant is assigned"),
    "reassign": N_("Request %(number)s: another consultant is assigned"),
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
    "session_remind_day": N_(
        "Request %(number)s: the session is within a day. Say whether you will be there"
    ),
    "session_remind_hour": N_("Request %(number)s: the session is within an hour"),
    "session_miss": N_("Request %(number)s: the session didn't take place"),
    "session_fail": N_("Request %(number)s: the session failed"),
    "council_call": N_("Request %(number)s: a council is called"),
    "council_substitute": N_("Request %(number)s: a substitute is called to the council"),
    "council_open": N_("Request %(number)s: the council's opinions are open"),
    "council_decide": N_("Request %(number)s: the council has decided"),
    "council_submit": N_("Request %(number)s: the council's protocol waits to be signed"),
    "council_refuse": N_("Request %(number)s: the council's protocol went back to its secretary"),
    "council_sign_last": N_("Request %(number)s: the council's protocol is signed"),
    "council_cancel": N_("Request %(number)s: the council is cancelled"),
    "signature_bad": N_("Request %(number)s: a signature is not good"),
    "signature_waits": N_("Request %(number)s: a document waits for the organisation's signature"),
    "place": N_("Request %(number)s: the conclusion is placed"),
    "correct": N_("Request %(number)s: a corrected conclusion is placed"),
    "acknowledge": N_("Request %(number)s: the conclusion was read"),
    "close": N_("Request %(number)s is closed with an outcome"),
    "expire": N_("Request %(number)s closed by itself: no outcome was reported"),
    "message_posted": N_("Request %(number)s: a new message"),
    "document_added": N_("Request %(number)s: a document was added"),
    "application_submitted": N_("Application %(number)s has come in"),
    "test_passed": N_("An equipment test was passed"),
    "test_limited": N_("An equipment test was passed with limits"),
    "test_failed": N_("An equipment test failed"),
    "retest_in_a_month": N_("A test of equipment runs out within a month: test it again"),
    "retest_in_a_week": N_("A test of equipment runs out within a week: test it again"),
    "password_changed": N_("Your password was changed"),
    "password_by_reset": N_("Your password was set anew by a link from a letter"),
    "second_factor_on": N_("Your second factor is on"),
    "second_factor_off": N_("Your second factor was turned off"),
    "recovery_codes_renewed": N_("Your recovery codes were replaced"),
    "files_damaged": N_("Stored files are damaged or missing"),
}

# What the one concerned reads instead, where it is theirs to act.
MINE = {
    "assign": N_("Request %(number)s is assigned to you"),
    "reassign": N_("Request %(number)s is assigned to you"),
    "pass_on": N_("Request %(number)s has come in from another centre"),
}

COORDINATORS, HOUSE, ONESELF = "coordinators", "house", "oneself"
TESTERS = "coordinators and technicians"
SYSADMINS = "system administrators"

# The same for what happens outside any request: who, is it theirs to act, and the page to open.
DESK_RULES: dict[str, tuple[str, bool, str]] = {
    "application_submitted": (COORDINATORS, True, "/organizations/{organization}/"),
    "test_passed": (HOUSE, False, "/organization/"),
    "test_limited": (HOUSE, False, "/organization/"),
    "test_failed": (HOUSE, False, "/organization/"),
    "retest_in_a_month": (TESTERS, True, "/organization/equipment/{subject}/"),
    "retest_in_a_week": (TESTERS, True, "/organization/equipment/{subject}/"),
    "password_changed": (ONESELF, False, "/me/security/"),
    "password_by_reset": (ONESELF, False, "/me/security/"),
    "second_factor_on": (ONESELF, False, "/me/security/"),
    "second_factor_off": (ONESELF, False, "/me/security/"),
    "recovery_codes_renewed": (ONESELF, False, "/me/security/"),
    "files_damaged": (SYSADMINS, True, "/configuration/#storage"),
}


def sentence(kind: str, number: str, *, needs_action: bool = False) -> str:
    """Say what happened in one line without any medical content."""
    mine = MINE.get(kind) if needs_action else None
    words = mine or SENTENCES.get(kind, N_("Request %(number)s: something has changed"))
    return gettext(words) % {"number": number}


def told_of(event: Event, consultation: Consultation) -> Iterator[Told]:
    """Yield whom an event of a request is told to, by the request as it stands; never the one who did it."""
    seen = {event.actor_id}
    for who, needs_action in RULES.get(event.kind, ()):
        for person_id, membership_id in _people(who, event, consultation):
            if person_id not in seen:
                seen.add(person_id)
                yield Told(person_id, membership_id, needs_action, _page(who, event, consultation))


def _page(who: str, event: Event, row: Consultation) -> str:
    """Return the page that somebody acts on: a signatory may not open the request, a council has its own."""
    if who == SIGNATORIES:
        return "/signing/"
    return _council_page(event) if who == COUNCIL else f"/requests/{row.pk}/"


def waits_no_longer(event: Event) -> Q:
    """Say which notices of an event's request wait no longer after it: all, those of its council, or none."""
    if event.kind in COUNCIL_MOVES:
        return Q(path=_council_page(event))
    return Q() if event.kind in MOVES else Q(pk__in=())


def _council_page(event: Event) -> str:
    return f"/councils/{event.subject_id}/"


def _people(who: str, event: Event, row: Consultation) -> People:
    if who == OTHER_SIDE:
        asks = event.actor_organization_id == row.requesting_organization_id
        who = CENTRE if asks else REQUESTER
    if who == CENTRE:
        who = CONSULTANT if row.consultant_id and row.state != State.SUBMITTED else DISPATCHERS
    if who == COUNCIL:
        return _council(event.subject_id) if event.subject_id else []
    if who == REQUESTER:
        return _doctor(row.requesting_organization_id, row.requester_id)
    if row.centre_id is None:
        return []
    if who == SIGNATORIES:
        return _members(row.centre_id, (Role.SIGNATORY,))
    if who == CONSULTANT and row.consultant_id:
        mine = _members(row.centre_id, (Role.CONSULTANT,), row.consultant_id)
        return mine or _members(row.centre_id, (Role.DISPATCHER,))
    return _members(row.centre_id, (Role.DISPATCHER,)) if who == DISPATCHERS else []


def _council(council_id: UUID) -> People:
    """Find who sits in a council, in the role that lets them look in."""
    sitting = Seat.objects.filter(council_id=council_id, answer__in=("invited", "accepted"))
    people = sitting.values_list("person_id", "organization_id")
    found = [_members(organization, (Role.COUNCIL_MEMBER,), person) for person, organization in people]
    return [one for several in found for one in several]


def _doctor(organization_id: UUID, person_id: UUID) -> People:
    """Find the requester; the organisation's administrators when the doctor's access has ended."""
    mine = _members(organization_id, (Role.REQUESTER, Role.ORG_ADMIN), person_id)
    return mine or _members(organization_id, (Role.ORG_ADMIN,))


def _members(organization_id: UUID | None, roles: tuple[Role, ...], person_id: UUID | None = None) -> People:
    rows = Membership.objects.filter(role__in=roles, is_active=True)
    if organization_id:
        rows = rows.filter(organization_id=organization_id)
    if person_id:
        rows = rows.filter(person_id=person_id)
    return list(rows.order_by("-role", "id").values_list("person_id", "id"))


def told_at_desk(event: DeskEvent) -> Iterator[Told]:
    """Yield whom an event outside any request is told to; never the one who did it."""
    who, needs_action, path = DESK_RULES.get(event.kind, ("", False, ""))
    path = path.format(organization=event.organization_id, subject=event.subject_id)
    seen = {event.actor_id}
    for person_id, membership_id in _people_at_desk(who, event):
        if person_id not in seen:
            seen.add(person_id)
            yield Told(person_id, membership_id, needs_action, path)


def _people_at_desk(who: str, event: DeskEvent) -> People:
    if who == COORDINATORS:
        return _members(None, (Role.COORDINATOR,))
    if who == TESTERS and event.organization_id:
        return _members(None, (Role.COORDINATOR,)) + _members(event.organization_id, (Role.TECHNICIAN,))
    if who == SYSADMINS:
        return _members(None, (Role.SYSADMIN,))
    if who == HOUSE and event.organization_id:
        return _members(event.organization_id, (Role.ORG_ADMIN, Role.TECHNICIAN))
    if who == ONESELF and event.subject_id:
        return [(event.subject_id, None)]
    return []
