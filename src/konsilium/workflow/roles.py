"""Who people are when they act, and what each role may do beside the moves of the machines."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from konsilium.workflow.words import N_


class Role(StrEnum):
    """A role in which a person acts. HATS are nobody's sign-in: time itself, and two seats of a council."""

    COORDINATOR = "coordinator"
    ORG_ADMIN = "org_admin"
    TECHNICIAN = "technician"
    REQUESTER = "requester"
    DISPATCHER = "dispatcher"
    CONSULTANT = "consultant"
    COUNCIL_MEMBER = "council_member"
    SIGNATORY = "signatory"
    SYSADMIN = "sysadmin"
    SYSTEM = "system"
    CHAIR = "chair"
    SECRETARY = "secretary"


# SYSTEM is the worker; the chair and the secretary act as council members, and are these in their council only.
HATS = (Role.SYSTEM, Role.CHAIR, Role.SECRETARY)

ROLE_LABELS = {
    Role.COORDINATOR: N_("Coordinator"),
    Role.ORG_ADMIN: N_("Organisation administrator"),
    Role.TECHNICIAN: N_("Technical specialist"),
    Role.REQUESTER: N_("Requesting doctor"),
    Role.DISPATCHER: N_("Dispatcher"),
    Role.CONSULTANT: N_("Consultant"),
    Role.COUNCIL_MEMBER: N_("Member of a council"),
    Role.SIGNATORY: N_("Centre signatory"),
    Role.SYSADMIN: N_("System administrator"),
    Role.SYSTEM: N_("System"),
    Role.CHAIR: N_("Chair of a council"),
    Role.SECRETARY: N_("Secretary of a council"),
}

# Whom each role may invite into an organisation (its own; a coordinator into any).
INVITES = {
    Role.COORDINATOR: (Role.ORG_ADMIN,),
    Role.ORG_ADMIN: (
        Role.REQUESTER,
        Role.TECHNICIAN,
        Role.DISPATCHER,
        Role.CONSULTANT,
        Role.SIGNATORY,
        Role.ORG_ADMIN,
    ),
}

# These roles make sense only in a centre that consults.
CENTRE_ROLES = (Role.DISPATCHER, Role.CONSULTANT)
IN_CENTRES_ONLY = (*CENTRE_ROLES, Role.SIGNATORY)
# Whom a hospital shows its pictures: what it left ticked, with no names to hide on it.
LOOKING_IN = (*CENTRE_ROLES, Role.COUNCIL_MEMBER)


@dataclass(frozen=True)
class Actor:
    """A person in the one membership they act in: what every action, event and access rule speaks of."""

    person_id: UUID
    membership_id: UUID
    organization_id: UUID
    role: Role
    name: str
    organization_name: str
    time_zone: str
    position: str = ""


# Time passing, as an actor.
SYSTEM = Actor(
    person_id=UUID(int=0),
    membership_id=UUID(int=0),
    organization_id=UUID(int=0),
    role=Role.SYSTEM,
    name="",
    organization_name="",
    time_zone="UTC",
)


@dataclass(frozen=True)
class Right:
    """One row: an action outside the machines, and the roles that may do it."""

    action: str
    roles: frozenset[Role]
    label: str


def _right(action: str, label: str, *roles: Role) -> Right:
    return Right(action, frozenset(roles), label)


_REQUESTING = (Role.REQUESTER, Role.ORG_ADMIN)
_CENTRE = (Role.DISPATCHER, Role.CONSULTANT)
_CASE = _REQUESTING + _CENTRE
# A council member reads what they are called to, while their seat lasts; the database knows of no other request.
_READERS = (*_CASE, Role.COUNCIL_MEMBER)
_COUNCIL = (*_CENTRE, Role.COUNCIL_MEMBER)
_SIGNING = (Role.CONSULTANT, Role.COUNCIL_MEMBER, Role.SIGNATORY)
_EQUIPMENT = (Role.COORDINATOR, Role.ORG_ADMIN, Role.TECHNICIAN)
_COMPUTER = (Role.ORG_ADMIN, Role.TECHNICIAN, Role.REQUESTER, *_CENTRE)
EVERYBODY = tuple(role for role in Role if role not in HATS)

RIGHTS = (
    _right("desk.open", N_("Open own desk"), *EVERYBODY),
    _right("account.own", N_("See and change own account, sessions and second factor"), *EVERYBODY),
    _right("notice.read", N_("Read own notices"), *EVERYBODY),
    _right("request.list", N_("See the list of requests"), *_READERS),
    _right("triage.list", N_("See the centre's work-list"), Role.DISPATCHER),
    _right("request.read", N_("Read a request"), *_READERS),
    _right("request.write", N_("Write, change and delete a draft"), *_REQUESTING),
    _right("request.copy", N_("Copy a rejected request into a new draft"), *_REQUESTING),
    _right("request.move", N_("Move a request (see the table of moves)"), *_CASE),
    _right("document.add", N_("Add a document"), *_CASE),
    _right("document.read", N_("Download a document"), *_READERS),
    _right("document.remove", N_("Remove an own document before it is sent"), *_CASE),
    _right("study.read", N_("Look at a study's pictures, also with a DICOM program"), *_READERS),
    _right("mark.write", N_("Draw marks on pictures and keep key images"), *_CASE),
    _right("picture.choose", N_("Choose which series are sent, and black out names"), *_REQUESTING),
    _right("picture.export", N_("Take a de-identified copy of a study"), *_CASE),
    _right("thread.write", N_("Write in the request's thread"), *_CASE),
    _right("consulting.list", N_("See the requests assigned to oneself"), Role.CONSULTANT),
    _right("conclusion.write", N_("Write the conclusion"), Role.CONSULTANT, Role.COUNCIL_MEMBER),
    _right("phrase.write", N_("Keep phrases for conclusions"), Role.CONSULTANT),
    _right("conclusion.read", N_("Read a placed conclusion"), *_READERS),
    _right("council.list", N_("See councils that one called or is called to"), *_COUNCIL),
    _right("council.read", N_("See a council: who sits, and what has been opened"), *_COUNCIL),
    _right("council.call", N_("Call a council and substitutes to it"), *_CENTRE),
    _right("council.sit", N_("Sit in a council (see the table of moves)"), Role.COUNCIL_MEMBER),
    _right("council.cancel", N_("Cancel a council"), *_COUNCIL),
    _right(
        "signature.read",
        N_("See signatures over a document and take them along"),
        *_CASE,
        Role.COUNCIL_MEMBER,
        Role.SIGNATORY,
    ),
    _right("form.print", N_("Ask for a print form"), *_READERS, Role.SIGNATORY),
    _right("form.read", N_("Read a print form"), *_READERS, Role.SIGNATORY),
    _right("signature.write", N_("Sign a document electronically"), *_SIGNING),
    _right("signature.list", N_("See the centre's documents that wait for its signature"), Role.SIGNATORY),
    _right("session.read", N_("See a session with its request"), *_READERS),
    _right("session.move", N_("Move a session (see the table of moves)"), *_CASE),
    _right("session.ready", N_("Say that the own side will be at a session"), *_CASE),
    _right(
        "session.place", N_("Choose where a session is held: the own room or an outside service"), *_CENTRE
    ),
    _right("attendance.mark", N_("Note who took part in a session in another way"), *_CENTRE),
    _right("guest.invite", N_("Invite guests to a session and take invitations back"), *_CASE),
    _right("room.enter", N_("Enter the room of a session"), *_READERS),
    _right("recording.hear", N_("Listen to a session's recording that was given to oneself"), *_CASE),
    _right("recording.give", N_("Say who may listen to a session's recording"), Role.CONSULTANT),
    _right("timetable.read", N_("See the timetable of sessions without patients"), *_EQUIPMENT, *_CENTRE),
    _right("application.list", N_("See applications and organisations"), Role.COORDINATOR),
    _right("application.move", N_("Move an application, suspend and restore"), Role.COORDINATOR),
    _right("contact.log", N_("Write the contact log"), Role.COORDINATOR),
    _right("access.issue", N_("Issue and revoke access of a responsible person"), Role.COORDINATOR),
    _right("equipment.read", N_("See equipment and its tests"), *_EQUIPMENT),
    _right("equipment.write", N_("Enter equipment and tick the set-up guide"), *_EQUIPMENT),
    _right("equipment.test", N_("Record an equipment test"), Role.COORDINATOR),
    _right("equipment.board", N_("See which equipment needs an eye, of all organisations"), Role.COORDINATOR),
    _right("computer.check", N_("Check the own computer's camera, microphone and line"), *_COMPUTER),
    _right("computer.read", N_("See what checks of computers found"), Role.COORDINATOR, *_COMPUTER),
    _right("people.manage", N_("Invite people and end their access"), Role.ORG_ADMIN),
    _right("organization.read", N_("See own organisation"), Role.ORG_ADMIN, Role.TECHNICIAN),
    _right("contact.manage", N_("Manage own organisation's contacts"), Role.ORG_ADMIN),
    _right("configuration.read", N_("See profiles, centres, routes and terms"), Role.SYSADMIN),
    _right("configuration.write", N_("Change profiles, centres, routes and terms"), Role.SYSADMIN),
)

_BY_ACTION = {right.action: right for right in RIGHTS}


def may(role: Role, action: str) -> bool:
    """Say whether the role has the right. An unknown action is nobody's."""
    right = _BY_ACTION.get(action)
    return right is not None and role in right.roles


def actions_of(role: Role) -> Iterable[str]:
    """Return the actions a role may do, in the table's order."""
    return (right.action for right in RIGHTS if role in right.roles)
