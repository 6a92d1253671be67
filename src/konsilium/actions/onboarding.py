"""An organisation comes in: its application, the coordinator's moves, contacts, and what was talked about."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction

from konsilium.actions._record import record_at_desk
from konsilium.actions._step import organization_step
from konsilium.actions.equipment import has_endpoint, is_ready
from konsilium.models import Application, Contact, ContactLogEntry, Organization
from konsilium.models.access import as_public
from konsilium.workflow.machine import NotYours, Refused
from konsilium.workflow.onboarding import OrganizationFacts
from konsilium.workflow.roles import Actor, Role, may
from konsilium.workflow.words import N_

ORGANIZATION_FIELDS = ("full_name", "short_name", "oid", "inn", "ogrn", "region", "time_zone", "level")
APPLICATION_FIELDS = (
    "responsible_name", "responsible_position", "responsible_phone", "responsible_email", "equipment", "wishes",
)  # fmt: skip
CONTACT_FIELDS = ("name", "position", "phone", "email", "is_technical", "is_active")
CORRECTABLE = ("full_name", "short_name", "region", "time_zone", "level")


class AlreadyKnown(Refused):
    """An organisation with this OID is registered, or has applied."""

    def __init__(self) -> None:
        """Say what to do instead."""
        super().__init__(
            N_(
                "An organisation with this OID is registered or has applied already. Ask the coordinating centre."
            )
        )


def link_hash(token: str) -> str:
    """Return what is kept of a private link's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def apply(
    values: Mapping[str, Any], technicians: Iterable[Mapping[str, Any]], *, at: datetime, token: str = ""
) -> tuple[Organization, Application, str]:
    """Take an application; return the organisation, the application, and the private link's token, shown this once.

    `values` by ORGANIZATION_FIELDS and APPLICATION_FIELDS, technicians by CONTACT_FIELDS. A form sent twice brings
    its `token` along and gets the same answer. Raises Refused without a technician, AlreadyKnown for a known OID.
    """
    people = list(technicians)
    if not people:
        raise Refused(N_("Name at least one technical specialist."))
    before = _applied_before(token, values["oid"]) if token else None
    if before:
        return before.organization, before, token
    token = token or secrets.token_urlsafe(32)
    with as_public(link_hash(token)):
        return *_write_application(values, people, token, at), token


def _applied_before(token: str, oid: str) -> Application | None:
    with as_public(link_hash(token)):
        return Application.objects.select_related("organization").filter(organization__oid=oid).first()


def _write_application(
    values: Mapping[str, Any], people: list[Mapping[str, Any]], token: str, at: datetime
) -> tuple[Organization, Application]:
    organization = Organization(created_at=at, **_only(values, ORGANIZATION_FIELDS))
    application = Application(
        organization=organization, link_hash=link_hash(token), **_only(values, APPLICATION_FIELDS)
    )
    with transaction.atomic():
        _insert_new(organization)
        application.number = _next_number(at)
        application.save(force_insert=True)
        for person in people:
            Contact(organization=organization, **_only(person, CONTACT_FIELDS)).save(force_insert=True)
        subject = ("organization", organization.pk)
        record_at_desk(
            "application_submitted",
            at=at,
            organization_id=organization.pk,
            subject=subject,
            states=("", organization.state),
            text=application.number,
        )
    return organization, application


def _insert_new(organization: Organization) -> None:
    try:
        with transaction.atomic():
            organization.save(force_insert=True)
    except IntegrityError as error:
        raise AlreadyKnown from error


def _next_number(at: datetime) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('konsilium_application_number')")
        row = cursor.fetchone() or (0,)
    return f"{at:%Y}/{row[0]:05}"


def move(
    organization: Organization,
    name: str,
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
    reason: str = "",
) -> Organization:
    """Make one of the coordinator's moves: take, set_up, test, set_up_again, activate, decline, suspend, restore.

    The applicant reads the reason of a decline or suspension on the status page. Raises Refused as the machine says.
    """
    _check_right(actor, "application.move")

    def facts(row: Organization) -> OrganizationFacts:
        return OrganizationFacts(
            reason_given=bool(reason.strip()),
            endpoint_entered=has_endpoint(row.pk),
            test_passed=is_ready(row.pk, at.date()),
        )

    with organization_step(
        organization, name, actor=actor, at=at, version=version, facts=facts, text=reason.strip()
    ) as row:
        _carry(row, name, actor, at, reason.strip())
    return row


def _carry(row: Organization, name: str, actor: Actor, at: datetime, reason: str) -> None:
    application = Application.objects.filter(organization=row)
    if name == "take":
        application.update(taken_by_name=actor.name)
    elif name == "activate":
        row.activated_at = at
    if name in ("decline", "suspend", "restore"):
        application.update(reason=reason)


def correct(organization: Organization, values: Mapping[str, Any], *, actor: Actor, at: datetime) -> None:
    """Correct an organisation's names, place or level; identifiers stay. Raises NotYours."""
    _check_right(actor, "application.move")
    with transaction.atomic():
        Organization.objects.filter(pk=organization.pk).update(**_only(values, CORRECTABLE))
        _record("organization_corrected", organization, actor, at)


def log_contact(
    organization: Organization,
    *,
    channel: str,
    with_whom: str,
    text: str,
    contacted_at: datetime,
    actor: Actor,
    at: datetime,
) -> ContactLogEntry:
    """Write down a contact with the organisation. Raises NotYours, or Refused for one that hasn't happened yet."""
    _check_right(actor, "contact.log")
    if contacted_at > at:
        raise Refused(N_("This time is still ahead: write down what has happened."))
    entry = ContactLogEntry(
        organization=organization,
        at=contacted_at,
        channel=channel,
        with_whom=with_whom,
        text=text,
        author_id=actor.person_id,
        author_name=actor.name,
    )
    entry.save(force_insert=True)
    return entry


def add_contact(
    organization: Organization, values: Mapping[str, Any], *, actor: Actor, at: datetime
) -> Contact:
    """Add a person to ring (`values` by CONTACT_FIELDS). Raises NotYours for another's organisation."""
    _check_contacts(organization, actor)
    with transaction.atomic():
        contact = Contact(organization=organization, **_only(values, CONTACT_FIELDS))
        contact.save(force_insert=True)
        _record("contact_added", organization, actor, at, contact.name)
    return contact


def change_contact(contact: Contact, values: Mapping[str, Any], *, actor: Actor, at: datetime) -> None:
    """Correct a contact, or say that it no longer holds. Raises NotYours for another's organisation."""
    _check_contacts(contact.organization, actor)
    with transaction.atomic():
        Contact.objects.filter(pk=contact.pk).update(**_only(values, CONTACT_FIELDS))
        _record("contact_changed", contact.organization, actor, at, values.get("name", contact.name))


def _only(values: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


def _check_right(actor: Actor, action: str) -> None:
    if not may(actor.role, action):
        raise NotYours(N_("This step belongs to another role."))


def _check_contacts(organization: Organization, actor: Actor) -> None:
    own = organization.pk == actor.organization_id and may(actor.role, "contact.manage")
    if actor.role is not Role.COORDINATOR and not own:
        raise NotYours(N_("These contacts belong to another organisation."))


def _record(kind: str, organization: Organization, actor: Actor, at: datetime, text: str = "") -> None:
    subject = ("organization", organization.pk)
    record_at_desk(kind, at=at, actor=actor, organization_id=organization.pk, subject=subject, text=text)
