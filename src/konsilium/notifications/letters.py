"""Letters: the number, that something waits, a link; never what happened to whom, and nothing about a patient."""

import logging
import threading
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext

from konsilium.adapters.mail import Mail, MailRefused, MailUnavailable, mailer
from konsilium.models import Notice, Person
from konsilium.models._base import uuid7
from konsilium.notifications.rules import DESK_RULES, sentence

log = logging.getLogger(__name__)


def of_notice(notice: Notice, language: str, *, at: datetime) -> Mail:
    """Write the letter of a notice in the person's language. Its key is the notice's: a repeat is dropped."""
    with translation.override(language):
        subject = _subject(notice)
        text = _paragraphs(f"{subject}.", f"{settings.PUBLIC_URL}{notice.path}")
        return _mail(str(notice.pk), notice.mail_to, subject, text, at)


def _subject(notice: Notice) -> str:
    """Say no more than that something waits; only what is about no request at all is said as it is."""
    if notice.kind in DESK_RULES:
        return sentence(notice.kind, notice.number)
    if notice.needs_action:
        return gettext("Request %(number)s needs your action") % {"number": notice.number}
    return gettext("There is news on request %(number)s") % {"number": notice.number}


def send_reset(person: Person, address: str, *, at: datetime) -> bool:
    """Send the link that resets a password. Returns whether a letter goes out."""
    with translation.override(person.language):
        subject = gettext("A new password for Konsilium")
        words = gettext("Follow this link within an hour to set a new password:")
        text = _paragraphs(words, address, _your_login(person), _not_you())
        return _send_later(person, subject, text, at)


def send_invitation(person: Person, address: str, *, at: datetime) -> bool:
    """Send the one-time link that lets somebody set their password. Returns whether a letter goes out."""
    with translation.override(person.language):
        subject = gettext("Your access to Konsilium")
        words = gettext("Follow this link within 72 hours to set your password:")
        text = _paragraphs(words, address, _your_login(person))
        return _send_later(person, subject, text, at)


def _send_later(person: Person, subject: str, text: str, at: datetime) -> bool:
    """Send beside the request, once its transaction has ended: how long it takes tells nobody anything.

    A token stands in this letter alone, so it can't wait in the database for the worker.
    """
    if not settings.SMTP_URL or not person.email:
        return False
    letter = _mail(str(uuid7()), person.email, subject, text, at)
    thread = threading.Thread(target=_send, args=[letter], daemon=True)
    transaction.on_commit(thread.start)
    return True


def _send(letter: Mail) -> None:
    try:
        mailer(settings.SMTP_URL).send(letter)
    except (MailRefused, MailUnavailable) as error:
        log.warning("a letter with a one-time link was not sent: %s", error)


def _mail(key: str, to: str, subject: str, text: str, at: datetime) -> Mail:
    name = gettext("Konsilium")
    return Mail(
        key=key, sender=settings.MAIL_FROM, to=to, subject=subject, text=text, at=at, sender_name=name
    )


def _paragraphs(*parts: str) -> str:
    why = gettext("This letter holds no medical information. Answer inside the system, not to this letter.")
    return "\n\n".join((*parts, why))


def _your_login(person: Person) -> str:
    return gettext("Your login: %(login)s") % {"login": person.login}


def _not_you() -> str:
    return gettext("If it wasn't you who asked, do nothing: the password stays as it is.")
