"""Empty what is pending: a happening becomes notices, a notice becomes a letter. At least once, told apart by keys."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from konsilium.adapters.mail import Mailer, MailRefused, MailUnavailable
from konsilium.models import Consultation, Delivery, DeskEvent, Event, Notice, Person
from konsilium.models.access import as_worker
from konsilium.notifications import letters
from konsilium.notifications.rules import Told, coordinators, told_of

TRIES = 10
BATCH = 50
FIRST_PAUSE = timedelta(seconds=30)
EVENT_COLUMNS = "id kind actor_id actor_organization_id consultation_id to_state audience".split()
WAY_COLUMNS = "id number state requesting_organization_id requester_id centre_id consultant_id".split()


def tell_pending(*, at: datetime) -> int:
    """Turn up to BATCH pending happenings into notices, each in its own transaction. Returns how many were taken."""
    taken = 0
    while taken < BATCH and _tell_next(at):
        taken += 1
    return taken


def _tell_next(at: datetime) -> bool:
    with as_worker():
        rows = Delivery.objects.select_for_update(skip_locked=True)
        pending = (
            rows.filter(done_at=None, parked_at=None, next_try_at__lte=at).order_by("next_try_at").first()
        )
        if pending is None:
            return False
        try:
            with transaction.atomic():
                _tell(pending, at)
            pending.done_at = at
        except Exception as error:  # noqa: BLE001  whatever it is, the next happening must not wait for it
            _put_off(pending, type(error).__name__, at)
        pending.save(update_fields=["done_at", "tries", "next_try_at", "parked_at", "trouble"])
        return True


def _put_off(pending: Delivery, trouble: str, at: datetime) -> None:
    pending.tries += 1
    pending.trouble = trouble
    pending.next_try_at = at + FIRST_PAUSE * 2**pending.tries
    if pending.tries >= TRIES:
        pending.parked_at = at


def _tell(pending: Delivery, at: datetime) -> None:
    if pending.is_desk_event:
        _tell_desk_event(DeskEvent.objects.get(pk=pending.event_id), at)
        return
    event = Event.objects.only(*EVENT_COLUMNS).get(pk=pending.event_id)
    consultation = Consultation.objects.only(*WAY_COLUMNS).get(pk=event.consultation_id)
    path = f"/requests/{consultation.pk}/"
    _write(told_of(event, consultation), event.pk, event.kind, consultation.number, path, at)


def _tell_desk_event(event: DeskEvent, at: datetime) -> None:
    if event.kind == "application_submitted":
        path = f"/organizations/{event.organization_id}/"
        _write(coordinators(), event.pk, event.kind, event.text, path, at)


def _write(told: Iterable[Told], event_id: UUID, kind: str, number: str, path: str, at: datetime) -> None:
    told = list(told)
    addresses = _addresses([one.person_id for one in told]) if settings.SMTP_URL else {}
    Notice.objects.bulk_create(
        (
            Notice(
                event_id=event_id,
                person_id=one.person_id,
                membership_id=one.membership_id,
                kind=kind,
                number=number,
                path=path,
                needs_action=one.needs_action,
                at=at,
                mail_to=addresses.get(one.person_id, ""),
                mail_due_at=at if addresses.get(one.person_id) else None,
            )
            for one in told
        ),
        ignore_conflicts=True,
    )


def _addresses(people: list[UUID]) -> dict[UUID, str]:
    rows = Person.objects.filter(pk__in=people, is_active=True, has_entered=True).exclude(email="")
    return dict(rows.values_list("id", "email"))


def send_pending(mailer: Mailer, *, at: datetime) -> int:
    """Send up to BATCH letters that are due, each under its notice's lock. Returns how many were tried."""
    tried = 0
    while tried < BATCH and _send_next(mailer, at):
        tried += 1
    return tried


def _send_next(mailer: Mailer, at: datetime) -> bool:
    with as_worker():
        rows = Notice.objects.select_for_update(skip_locked=True)
        waiting = (
            rows.filter(mailed_at=None, mail_parked_at=None, mail_due_at__lte=at)
            .order_by("mail_due_at")
            .first()
        )
        if waiting is None:
            return False
        languages = dict(Person.objects.filter(pk=waiting.person_id).values_list("id", "language"))
        try:
            mailer.send(letters.of_notice(waiting, languages.get(waiting.person_id, "ru"), at=at))
            waiting.mailed_at = at
        except (MailRefused, MailUnavailable) as error:
            _put_letter_off(waiting, error, at)
        waiting.save(
            update_fields=["mailed_at", "mail_tries", "mail_due_at", "mail_parked_at", "mail_trouble"]
        )
        return True


def _put_letter_off(waiting: Notice, error: Exception, at: datetime) -> None:
    waiting.mail_tries += 1
    waiting.mail_trouble = type(error).__name__
    waiting.mail_due_at = at + FIRST_PAUSE * 2**waiting.mail_tries
    if waiting.mail_tries >= TRIES or isinstance(error, MailRefused):
        waiting.mail_parked_at = at
