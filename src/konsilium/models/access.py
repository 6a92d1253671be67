"""Who the database believes us to be: the role and person of the running transaction.

Row level security is the floor below every page. The login role owns nothing and inherits nothing, so a query outside
a context fails with "permission denied". Settings are local to the transaction, always: a pooled connection must not
carry one person's context into another's request.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import connection, transaction

from konsilium.workflow.roles import Actor, Role

DATABASE_ROLES = {
    Role.COORDINATOR: "k_coordinator",
    Role.ORG_ADMIN: "k_org_admin",
    Role.TECHNICIAN: "k_technician",
    Role.REQUESTER: "k_requester",
    Role.DISPATCHER: "k_dispatcher",
    Role.CONSULTANT: "k_consultant",
    Role.COUNCIL_MEMBER: "k_councillor",
    Role.SIGNATORY: "k_signatory",
    Role.SYSADMIN: "k_sysadmin",
    Role.SYSTEM: "k_worker",
}

_SETTINGS = ("role", "app.person_id", "app.organization_id", "app.subject")
# Lists walk along an index in its order. Where the planner takes a person's rows for few, which it does for want of
# knowing how organisation and person hang together, it would gather all of them by a bitmap and sort them.
_ENTER = (
    "SELECT "
    + ", ".join(f"set_config('{name}', %s, true)" for name in _SETTINGS)
    + ", set_config('enable_bitmapscan', 'off', true)"
)

# What the running transaction was last told, so that a nested context can put it back.
_present: ContextVar[tuple[str, str, str, str]] = ContextVar("database_context", default=("none", "", "", ""))


# What this process may enter; everything, unless it said otherwise.
_confined: set[str] = set()


class Confined(RuntimeError):
    """A context that this process has said it never enters."""


def confine(*roles: str) -> None:
    """Let this process enter no other contexts than these from now on: a slip raises Confined instead of reading."""
    _confined.update(roles)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Query as this person in this membership: only the rows that the policies give to them exist."""
    with _context(DATABASE_ROLES[actor.role], actor.person_id, actor.organization_id):
        yield


@contextmanager
def signing_in() -> Iterator[None]:
    """Query as the door of the house: people, memberships, links and web sessions, and nothing else."""
    with _context("k_account"):
        yield


@contextmanager
def as_public(link_hash: str = "") -> Iterator[None]:
    """Query as somebody without an account, who may apply, and see what their private link leads to."""
    with _context("k_public", subject=link_hash):
        yield


@contextmanager
def as_person(person_id: UUID) -> Iterator[None]:
    """Query as a signed-in person who has no membership to act in: their own account only."""
    with _context("k_person", person_id):
        yield


@contextmanager
def as_worker() -> Iterator[None]:
    """Query as time itself: deliveries, clocks, notices; no clinical text."""
    with _context("k_worker"):
        yield


@contextmanager
def as_inspector(consultation_id: UUID) -> Iterator[None]:
    """Query as whoever looks at what arrived for this one request: its documents' kinds, and what was read of them.

    Nothing clinical, and of what the tags say of the patient only the writing.
    """
    with _context("k_inspector", subject=str(consultation_id)):
        yield


@contextmanager
def as_printer(consultation_id: UUID) -> Iterator[None]:
    """Query as whoever prints what belongs to this one request, and checks the signatures over it."""
    with _context("k_printer", subject=str(consultation_id)):
        yield


@contextmanager
def as_prober() -> Iterator[None]:
    """Query as the prober: endpoints' addresses and probes, and nothing of any request."""
    with _context("k_prober"):
        yield


@contextmanager
def as_live() -> Iterator[None]:
    """Query as whoever opens sockets: tickets only."""
    with _context("k_live"):
        yield


@contextmanager
def as_room(session_id: UUID) -> Iterator[None]:
    """Query as the room of this one session, after the person at its door was let in: who is there, what is said."""
    with _context("k_room", subject=str(session_id)):
        yield


@contextmanager
def as_guest(secret_hash: str) -> Iterator[None]:
    """Query as whoever holds a guest's link or cookie: their own invitation and its session's time."""
    with _context("k_guest", subject=secret_hash):
        yield


@contextmanager
def door(subject: UUID) -> Iterator[None]:
    """Query as the door of state changes, which may write this one object, its events and pending deliveries.

    Used by `actions/_step.py` alone, after the rules have said yes; a test looks.
    """
    with _context("k_door", subject=str(subject), keep_person=True):
        yield


@contextmanager
def _context(
    role: str,
    person_id: UUID | None = None,
    organization_id: UUID | None = None,
    *,
    subject: str = "",
    keep_person: bool = False,
) -> Iterator[None]:
    if _confined and role not in _confined:
        raise Confined(role)
    outer = _present.get()
    person, organization = outer[1:3] if keep_person else (str(person_id or ""), str(organization_id or ""))
    inner = (role, person, organization, subject)
    nested = connection.in_atomic_block
    token = _present.set(inner)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_ENTER, inner)
            yield
            # An exception rolls these settings back with the savepoint, and a commit ends them.
            if nested:
                cursor.execute(_ENTER, outer)
    finally:
        _present.reset(token)
