"""In the product: a notice that waits in the person's list; an e-mail channel finds there what to send."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from konsilium.models import Notice, Person
from konsilium.notifications.rules import Told


@dataclass(frozen=True)
class Happened:
    """What a notice says: which event, of what kind, the number people say aloud, the page to open, and when."""

    event_id: UUID
    kind: str
    number: str
    path: str
    at: datetime


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
        path=happened.path,
        needs_action=told.needs_action,
        at=happened.at,
        mail_to=address,
        mail_due_at=at if address else None,
    )


def settle(happened: Happened, *, by: UUID | None, moved: bool) -> None:
    """Let what was told of this request before wait no longer: not for anybody once it moved on, and read by whoever
    has just acted on it.
    """
    earlier = Notice.objects.filter(path=happened.path, at__lt=happened.at)
    if moved:
        earlier.filter(needs_action=True).update(needs_action=False)
    if by is not None:
        earlier.filter(person_id=by, read_at=None).update(read_at=happened.at)


def _addresses(people: list[UUID]) -> dict[UUID, str]:
    rows = Person.objects.filter(pk__in=people, is_active=True, has_entered=True).exclude(email="")
    return dict(rows.values_list("id", "email"))
