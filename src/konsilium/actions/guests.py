"""Guests of a session: somebody without an account comes by a link used once, bound to the session and its time.

A guest sees the room and hears what is said in it, and nothing of the request.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from konsilium.actions._record import record
from konsilium.actions._step import NotThere, lock
from konsilium.actions.rooming import MEETING, secret_hash
from konsilium.models import Session, SessionGuest
from konsilium.models.access import as_guest
from konsilium.workflow.machine import NotNow, Refused
from konsilium.workflow.roles import CENTRE_ROLES, Actor
from konsilium.workflow.rooms import GUEST_LABELS, OPENS_EARLY, STAYS_OPEN
from konsilium.workflow.words import N_, Side

MOST_GUESTS = 10
LONGEST_NAME, LONGEST_HOUSE = 200, 120


class Unfit(Refused):
    """An invitation can't be like this; the words say what would be right."""


@dataclass(frozen=True)
class Invitation:
    """Who is to come, and as what."""

    kind: str
    name: str
    organization: str
    email: str = ""


def invite(session: Session, given: Invitation, *, actor: Actor, at: datetime) -> tuple[SessionGuest, str]:
    """Invite a guest to an agreed session; return the invitation and its link's secret, shown this once.

    Raises NotThere, NotNow while no time is agreed or the session is over, or Unfit.
    """
    with transaction.atomic():
        row = lock(session.consultation, actor=actor)
        present = Session.objects.filter(pk=session.pk, consultation=row, state__in=MEETING).first()
        if present is None or present.starts_at is None:
            raise NotNow(N_("Guests are invited once the session's time is agreed, and until it is over."))
        _check(given, present)
        secret = secrets.token_urlsafe(32)
        guest = SessionGuest(
            session=present,
            kind=given.kind,
            name=given.name.strip(),
            organization_name=given.organization.strip(),
            email=given.email.strip(),
            side=Side.CONSULTING if row.roles_of(actor) & set(CENTRE_ROLES) else Side.REQUESTING,
            invited_by=actor.name,
            invited_at=at,
            valid_from=present.starts_at - OPENS_EARLY,
            valid_until=present.starts_at + timedelta(minutes=present.minutes) + STAYS_OPEN,
            link_hash=secret_hash(secret),
        )
        guest.save(force_insert=True)
        record(row, "guest_invited", actor=actor, at=at, subject=("guest", guest.pk))
    return guest, secret


def _check(given: Invitation, session: Session) -> None:
    there = SessionGuest.objects.filter(session=session, revoked_at=None).count()
    checks = (
        (given.kind in GUEST_LABELS, N_("Choose as what the guest comes.")),
        (bool(given.name.strip()) and len(given.name) <= LONGEST_NAME, N_("Write the guest's name.")),
        (len(given.organization) <= LONGEST_HOUSE, N_("Shorten the organisation's name.")),
        (there < MOST_GUESTS, N_("Ten guests at most. Take an invitation back first.")),
    )
    for holds, words in checks:
        if not holds:
            raise Unfit(words)


def revoke(session: Session, guest_id: UUID, *, actor: Actor, at: datetime) -> None:
    """Take an invitation back: the guest is out of the room within seconds. Raises NotThere."""
    with transaction.atomic():
        row = lock(session.consultation, actor=actor)
        rows = SessionGuest.objects.filter(pk=guest_id, session=session, revoked_at=None)
        if not rows.update(revoked_at=at):
            raise NotThere
        record(row, "guest_revoked", actor=actor, at=at, subject=("guest", guest_id))


def invitation_of(link: str, *, at: datetime) -> SessionGuest:
    """Return the invitation that a link leads to, and change nothing. Raises NotThere for a link that is none any more."""
    hashed = secret_hash(link)
    with as_guest(hashed):
        guest = _lasting(at).filter(link_hash=hashed).first()
    if guest is None:
        raise NotThere
    return guest


def open_door(link: str, *, at: datetime) -> tuple[SessionGuest, str]:
    """Use a link up; return the invitation and the secret for the browser that used it. Raises NotThere, or NotNow."""
    hashed, cookie = secret_hash(link), secrets.token_urlsafe(32)
    with as_guest(hashed):
        guest = _lasting(at).filter(link_hash=hashed).first()
        if guest is None:
            raise NotThere
        unused = SessionGuest.objects.filter(pk=guest.pk, used_at=None)
        if not unused.update(used_at=at, cookie_hash=secret_hash(cookie)):
            raise NotNow(N_("This link was used already. Ask whoever invited you for a new one."))
    return guest, cookie


def guest_of_cookie(cookie: str, session_id: UUID, *, at: datetime) -> SessionGuest:
    """Return the invitation that this browser has used for this session. Raises NotThere."""
    if not cookie:
        raise NotThere
    hashed = secret_hash(cookie)
    with as_guest(hashed):
        guest = _lasting(at).filter(cookie_hash=hashed, session_id=session_id).first()
    if guest is None:
        raise NotThere
    return guest


def _lasting(at: datetime) -> QuerySet[SessionGuest]:
    return SessionGuest.objects.filter(revoked_at=None, valid_until__gt=at)
