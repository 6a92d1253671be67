"""Empty what is pending: each happening becomes the notices of those it concerns. At least once, told apart by keys.

Whom it concerns is looked up in the database alone, so a happening is taken, told and closed in one transaction under
its row's lock; a worker that dies leaves it as it was.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from konsilium.models import Consultation, Delivery, DeskEvent, Event
from konsilium.models.access import as_worker
from konsilium.notifications.channels import in_product
from konsilium.notifications.channels.in_product import Happened
from konsilium.notifications.rules import told_at_desk, told_of, waits_no_longer

log = logging.getLogger(__name__)

TRIES = 10
BATCH = 50
FIRST_PAUSE = timedelta(seconds=30)
EVENT_COLUMNS = "id at kind actor_id actor_organization_id consultation_id subject_id".split()
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
        waiting = rows.filter(done_at=None, parked_at=None, next_try_at__lte=at)
        pending = waiting.order_by("next_try_at").first()
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
        log.error("event %s is parked after %s tries: %s", pending.event_id, pending.tries, trouble)


def _tell(pending: Delivery, at: datetime) -> None:
    mailed = bool(settings.SMTP_URL)
    if pending.is_desk_event:
        event = DeskEvent.objects.get(pk=pending.event_id)
        happened = Happened(event.pk, event.kind, _number(event), event.at)
        in_product.write(told_at_desk(event), happened, mailed=mailed, at=at)
        return
    move = Event.objects.only(*EVENT_COLUMNS).filter(pk=pending.event_id).first()
    row = Consultation.objects.only(*WAY_COLUMNS).filter(pk=move.consultation_id).first() if move else None
    # A draft isn't the worker's to see, a deleted one took its events along, and nobody is told of either.
    if move is not None and row is not None:
        happened = Happened(move.pk, move.kind, row.number, move.at, row.pk)
        in_product.settle(happened, by=move.actor_id, done=waits_no_longer(move))
        in_product.write(told_of(move, row), happened, mailed=mailed, at=at)


def _number(event: DeskEvent) -> str:
    return event.text[:40] if event.kind == "application_submitted" else ""
