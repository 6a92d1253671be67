"""Letters: what happened in one line, the number, a link; never anything about a patient."""

import logging
import threading
from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from konsilium.adapters.mail import Mail, MailRefused, MailUnavailable, mailer
from konsilium.models import Notice, Person
from konsilium.models._base import uuid7
from konsilium.notifications.rules import sentence

log = logging.getLogger(__name__)


def of_notice(notice: Notice, language: str, *, at: datetime) -> Mail:
    """Write the letter of a notice in the person's language. Its key is the notice's: a repeat is dropped."""
    with translation.override(language):
        subject = sentence(notice.kind, notice.number)
        needs = gettext("Your action is needed.") if notice.needs_action else ""
        text = "\n\n".join(
            part for part in (f"{subject}.", needs, f"{settings.PUBLIC_URL}{notice.path}", _why()) if part
        )
        return _mail(str(notice.pk), notice.mail_to, subject, text, at)


def send_reset(person: Person, address: str, *, at: datetime) -> None:
    """Send the link that resets a password, beside the request: how long it takes tells nobody anything.

    The token is in this letter alone, so it can't wait in the database for the worker.
    """
    if not settings.SMTP_URL:
        return
    with translation.override(person.language):
        subject = gettext("A new password for Konsilium")
        text = "\n\n".join(
            (gettext("Follow this link within an hour to set a new password:"), address, _why())
        )
        letter = _mail(str(uuid7()), person.email, subject, text, at)
    threading.Thread(target=_send, args=[letter], daemon=True).start()


def _send(letter: Mail) -> None:
    try:
        mailer(settings.SMTP_URL).send(letter)
    except (MailRefused, MailUnavailable) as error:
        log.warning("a reset letter was not sent: %s", type(error).__name__)


def _mail(key: str, to: str, subject: str, text: str, at: datetime) -> Mail:
    return Mail(
        key=key,
        sender=settings.MAIL_FROM,
        to=to,
        subject=subject,
        text=text,
        at=at,
        sender_name=gettext("Konsilium"),
    )


def _why() -> str:
    return gettext("This letter holds no medical information. Answer inside the system, not to this letter.")
