"""In the product: a notice that waits in the person's list; an e-mail channel finds there what to send."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from konsilium.models import Notice, Person
from konsilium.notifications.rules import Told


@dataclass(frozen=True)
class Happened:
    """What a notice says: which event, of what kind, the number people say aloud, when, and to which request."""

    event_id: UUID
    kind: str
    number: str
    at: datetime
    consultation_id: UUID | None = None


def write(told: Iterable[Told], happened: Happened, *, mailed: bool, at: datetime) -> None:
    """Write a notice for each person, once for an event; `mailed` lets those with an address have a letter too."""
    told = list(told)
    addresses = _addresses([one.person_id for one in told]) if mailed else {}
    notices = [_notice(one, happened, addresses.get(one.person_id, ""), at) for one in told]
    Notice.objects.bulk_create(notices, ignore_conflicts=True)


def _notice(told: Told, happened: Happened, address: str, at: datetime) -> Notice:
    return Notice(
        event_id=happened.event_id,
        person_id=told.person_id,
        membership_id=told.membership_id,
        kind=happened.kind,
        number=happened.number,
        path=told.path,
        consultation_id=happened.consultation_id,
        needs_action=told.needs_action,
        at=happened.at,
        mail_to=address,
        mail_due_at=at if address else None,
    )


def settle(happened: Happened, *, by: UUID | None, done: Q) -> None:
    """Let what was told of this request before and is `done` wait no longer for anybody, and count as read by whoever
    has just acted on the request.
    """
    earlier = Notice.objects.filter(consultation_id=happened.consultation_id, at__lt=happened.at)
    earlier.filter(done, needs_action=True).update(needs_action=False)
    if by is not None:
        earlier.filter(person_id=by, read_at=None).update(read_at=happened.at)


def _addresses(people: list[UUID]) -> dict[UUID, str]:
    rows = Person.objects.filter(pk__in=people, is_active=True, has_entered=True).exclude(email="")
    return dict(rows.values_list("id", "email"))
