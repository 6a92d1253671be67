"""Letters: one short conversation with a mail server per letter, or none at all.

A letter has a stable key, and its Message-ID is made of it: delivery is at least once, and the receiver's
mail server drops repeats. Letters carry no medical content: the notifications see to that, not this
module.
"""

import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

TIMEOUT_SECONDS = 10
_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587, "starttls": 587}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PERMANENT = range(500, 600)


class MailError(Exception):
    """The letter wasn't taken over by the mail server."""


class MailRefused(MailError):
    """The letter will never be taken as it is: a bad address, or the server's permanent no."""


class MailUnavailable(MailError):
    """The server can't be reached, is busy or broke off: the same letter may go through later."""


@dataclass(frozen=True)
class Mail:
    """One letter to one person. `key` is stable over repeats; `at` is when it was written."""

    key: str
    sender: str
    to: str
    subject: str
    text: str
    at: datetime
    sender_name: str = ""


class Mailer(Protocol):
    """Sends letters. `tests/adapters/test_mail.py` is the contract."""

    def send(self, message: Mail) -> None:
        """Return once the letter is taken over. Raises `MailRefused` or `MailUnavailable`."""


def mailer(url: str) -> Mailer:
    """Return the mailer a setting names: smtp://user:password@host:port, smtps://, smtp+starttls://, null://.

    Raises `ValueError` for anything else, and for a password that would cross the network unencrypted.
    """
    parts = urlsplit(url)
    if parts.scheme == "null":
        return NullMail()
    if parts.scheme not in _PORTS or not parts.hostname:
        msg = "The mail setting must be smtp://, smtps:// or smtp+starttls:// with a host, or null://"
        raise ValueError(msg)
    if parts.username and parts.scheme == "smtp" and parts.hostname not in _LOOPBACK:
        msg = "The mail setting would send its password unencrypted: use smtps:// or smtp+starttls://"
        raise ValueError(msg)
    return SmtpMail(parts)


class SmtpMail:
    """Hands each letter to the mail server in its own conversation, given up after ten silent seconds."""

    def __init__(self, address: SplitResult, tls: ssl.SSLContext | None = None) -> None:
        """Keep the address; without a given context the system's certificate authorities are trusted."""
        self._scheme = address.scheme
        self._host = address.hostname or ""
        self._port = address.port or _PORTS[address.scheme]
        self._user = unquote(address.username or "")
        self._password = unquote(address.password or "")
        self._tls = tls or ssl.create_default_context()

    def send(self, message: Mail) -> None:
        """See `Mailer`. A server that takes the letter and then fails to say goodbye has taken it."""
        letter = compose(message)
        try:
            server = self._connected(_domain(message.sender))
            try:
                self._sign_in(server)
                server.send_message(letter, message.sender, [message.to])
            finally:
                server.close()
        except smtplib.SMTPException as error:
            raise _named(error) from error
        except OSError as error:
            raise MailUnavailable(type(error).__name__) from error

    def _connected(self, own_name: str) -> smtplib.SMTP:
        # Without a name given smtplib asks the name service who we are, and waits where there is none.
        where = self._host, self._port, own_name
        if self._scheme == "smtps":
            return smtplib.SMTP_SSL(*where, timeout=TIMEOUT_SECONDS, context=self._tls)
        return smtplib.SMTP(*where, timeout=TIMEOUT_SECONDS)

    def _sign_in(self, server: smtplib.SMTP) -> None:
        if self._scheme.endswith("starttls"):
            server.starttls(context=self._tls)
        if self._user:
            server.login(self._user, self._password)


class NullMail:
    """Takes every letter that could be composed, and remembers it."""

    def __init__(self) -> None:
        """Start without letters."""
        self.sent: list[Mail] = []

    def send(self, message: Mail) -> None:
        """See `Mailer`."""
        compose(message)
        self.sent.append(message)


def compose(message: Mail) -> EmailMessage:
    """Return the letter as it goes out. Raises `MailRefused` when an address or header can't be one.

    A line break in a header is an error of `EmailMessage`, so nobody can add a header or a recipient.
    """
    letter = EmailMessage(policy=SMTP)
    try:
        letter["From"] = Address(message.sender_name, addr_spec=message.sender)
        letter["To"] = Address(addr_spec=message.to)
        letter["Subject"] = message.subject
        letter["Message-ID"] = f"<{message.key}@{_domain(message.sender)}>"
        letter["Date"] = format_datetime(message.at)
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(message.text)
    except (ValueError, MessageError, IndexError) as error:
        raise MailRefused(type(error).__name__) from error
    return letter


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def _named(error: smtplib.SMTPException) -> MailError:
    """Name the server's answer by its code; addresses and texts of its answer stay out of our logs."""
    codes = [error.smtp_code] if isinstance(error, smtplib.SMTPResponseException) else []
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
    permanent = bool(codes) and all(code in _PERMANENT for code in codes)
    kind = MailRefused if permanent and not _is_about_us(error) else MailUnavailable
    return kind(" ".join([type(error).__name__, *map(str, codes)]))


def _is_about_us(error: smtplib.SMTPException) -> bool:
    """Say whether the no is to our sign-in or greeting: the letter itself is fine once that is put right."""
    return isinstance(
        error, smtplib.SMTPAuthenticationError | smtplib.SMTPConnectError | smtplib.SMTPHeloError
    )
