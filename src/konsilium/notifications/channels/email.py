"""By e-mail: what waits is taken under a lease, sent outside any transaction, and its end is written down.

A worker that dies in between leaves the lease to run out: the letter goes again under the same Message-ID.
"""

import logging
from datetime import datetime, timedelta

from konsilium.adapters.mail import Mailer, MailRefused, MailUnavailable
from konsilium.models import Notice, Person
from konsilium.models.access import as_worker
from konsilium.notifications import letters

log = logging.getLogger(__name__)

TRIES = 10
BATCH = 50
LEASE = timedelta(minutes=2)
FIRST_PAUSE = timedelta(seconds=30)


def send_pending(mailer: Mailer, *, at: datetime) -> int:
    """Send up to BATCH letters that are due; stop at a mail server that isn't there. Returns how many were sent."""
    sent = 0
    while sent < BATCH:
        waiting = _take(at)
        if waiting is None:
            break
        notice, language = waiting
        try:
            mailer.send(letters.of_notice(notice, language, at=at))
        except MailRefused as error:
            _park(notice, error, at)
        except MailUnavailable as error:
            _put_off(notice, error, at)
            break
        else:
            _close(notice, mailed_at=at)
            sent += 1
    return sent


def _take(at: datetime) -> tuple[Notice, str] | None:
    """Take the next letter that is due, so that no other worker does before the lease is over."""
    with as_worker():
        rows = Notice.objects.select_for_update(skip_locked=True)
        due = rows.filter(mailed_at=None, mail_parked_at=None, mail_due_at__lte=at)
        notice = due.order_by("mail_due_at").first()
        if notice is None:
            return None
        notice.mail_tries += 1
        notice.mail_due_at = at + LEASE
        notice.save(update_fields=["mail_tries", "mail_due_at"])
        languages = Person.objects.filter(pk=notice.person_id).values_list("language", flat=True)
        return notice, languages.first() or "ru"


def _put_off(notice: Notice, error: MailUnavailable, at: datetime) -> None:
    if notice.mail_tries >= TRIES:
        _park(notice, error, at)
        return
    pause = FIRST_PAUSE * 2**notice.mail_tries
    _close(notice, mail_due_at=at + pause, mail_trouble=str(error)[:200])


def _park(notice: Notice, error: Exception, at: datetime) -> None:
    log.error("a letter is parked after %s tries: %s", notice.mail_tries, error)
    _close(notice, mail_parked_at=at, mail_trouble=str(error)[:200])


def _close(notice: Notice, **values: object) -> None:
    with as_worker():
        Notice.objects.filter(pk=notice.pk).update(**values)
