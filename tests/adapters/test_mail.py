"""Letters in a real SMTP conversation on the loopback, and their Null twin under the same contract."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from konsilium.adapters import mail
from konsilium.adapters.mail import Mail, Mailer, MailRefused, MailUnavailable, NullMail, mailer

LETTER = Mail(
    key="delivery-17",
    sender="konsilium@centre.example",
    sender_name="Консилиум",
    to="doctor@hospital.example",
    subject="Запрос № 2026-000128: нужно ваше действие",
    text="Откройте запрос:\nhttps://konsilium.example/r/1\n",
    at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
)


class Office:
    """A mail server's handler that keeps what it takes and refuses two known recipients."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_RCPT(  # noqa: N802 (the library's name and parameters)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        answers = {"gone@hospital.example": "550 no such user", "full@hospital.example": "452 mailbox full"}
        if address in answers:
            return answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.envelopes.append(envelope)
        return "250 OK"


def sign_in(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
) -> AuthResult:
    right = data == LoginPassword(b"user@centre", b"p:ss/w@rd")
    return AuthResult(success=right, handled=False)


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def office() -> Iterator[tuple[Office, int]]:
    handler, port = Office(), free_port()
    server = Controller(
        handler,
        hostname="127.0.0.1",
        port=port,
        authenticator=sign_in,
        auth_require_tls=False,
        decode_data=False,
    )
    server.start()
    yield handler, port
    server.stop()


@pytest.fixture(params=["smtp", "null"])
def post(request: pytest.FixtureRequest, office: tuple[Office, int]) -> Mailer:
    return mailer(f"smtp://127.0.0.1:{office[1]}") if request.param == "smtp" else mailer("null://")


def received(office: Office) -> EmailMessage:
    (envelope,) = office.envelopes
    assert isinstance(envelope.content, bytes)
    parsed = message_from_bytes(envelope.content, policy=default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def test_a_letter_arrives_with_its_words(office: tuple[Office, int]) -> None:
    mailer(f"smtp://127.0.0.1:{office[1]}").send(LETTER)
    letter = received(office[0])
    assert letter["Subject"] == LETTER.subject
    assert letter["To"] == LETTER.to
    assert letter["From"].addresses[0].display_name == "Консилиум"
    assert letter["Message-ID"] == "<delivery-17@centre.example>"
    assert letter["Date"].datetime == LETTER.at
    assert letter.get_content().splitlines() == LETTER.text.splitlines()
    assert office[0].envelopes[0].rcpt_tos == [LETTER.to]


def test_a_letter_is_taken(post: Mailer) -> None:
    post.send(LETTER)


@pytest.mark.parametrize(
    "letter",
    [
        replace(LETTER, subject="Запрос\r\nBcc: thief@evil.example"),
        replace(LETTER, subject="Запрос\nBcc: thief@evil.example"),
        replace(LETTER, to="doctor@hospital.example\r\nBcc: thief@evil.example"),
        replace(LETTER, to="doctor@hospital.example, thief@evil.example"),
        replace(LETTER, to="doctor"),
        replace(LETTER, to=""),
        replace(LETTER, sender_name="Центр\r\nBcc: thief@evil.example"),
        replace(LETTER, key="17>\r\nBcc: thief@evil.example"),
    ],
)
def test_nothing_that_was_typed_can_add_a_header_or_a_recipient(
    post: Mailer, office: tuple[Office, int], letter: Mail
) -> None:
    with pytest.raises(MailRefused):
        post.send(letter)
    assert office[0].envelopes == []


def test_the_null_twin_remembers(post: Mailer) -> None:
    post.send(LETTER)
    if isinstance(post, NullMail):
        assert post.sent == [LETTER]


def test_a_recipient_the_server_does_not_know_is_refused_for_good(office: tuple[Office, int]) -> None:
    with pytest.raises(MailRefused, match="550"):
        mailer(f"smtp://127.0.0.1:{office[1]}").send(replace(LETTER, to="gone@hospital.example"))


def test_a_full_mailbox_may_have_room_later(office: tuple[Office, int]) -> None:
    with pytest.raises(MailUnavailable, match="452"):
        mailer(f"smtp://127.0.0.1:{office[1]}").send(replace(LETTER, to="full@hospital.example"))


def test_what_the_server_answers_stays_out_of_the_error(office: tuple[Office, int]) -> None:
    with pytest.raises(MailRefused) as refused:
        mailer(f"smtp://127.0.0.1:{office[1]}").send(replace(LETTER, to="gone@hospital.example"))
    assert str(refused.value) == "SMTPRecipientsRefused 550"


def test_signing_in_uses_the_name_and_password_of_the_setting(office: tuple[Office, int]) -> None:
    mailer(f"smtp://user%40centre:p%3Ass%2Fw%40rd@127.0.0.1:{office[1]}").send(LETTER)
    assert len(office[0].envelopes) == 1


def test_a_wrong_password_is_our_trouble_and_not_the_letters(office: tuple[Office, int]) -> None:
    with pytest.raises(MailUnavailable, match="535"):
        mailer(f"smtp://user%40centre:wrong@127.0.0.1:{office[1]}").send(LETTER)
    assert office[0].envelopes == []


def test_starttls_is_not_given_up_when_the_server_has_none(office: tuple[Office, int]) -> None:
    with pytest.raises(MailUnavailable):
        mailer(f"smtp+starttls://127.0.0.1:{office[1]}").send(LETTER)
    assert office[0].envelopes == []


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(MailUnavailable):
        mailer(f"smtp://127.0.0.1:{free_port()}").send(LETTER)


def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "TIMEOUT_SECONDS", 0.2)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener, pytest.raises(MailUnavailable):
        mailer(f"smtp://127.0.0.1:{listener.getsockname()[1]}").send(LETTER)


def test_a_server_that_hangs_up_is_unavailable() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def hang_up() -> None:
            listener.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(MailUnavailable):
            mailer(f"smtp://127.0.0.1:{listener.getsockname()[1]}").send(LETTER)
        thread.join()


@pytest.mark.parametrize(
    "url", ["", "http://mail.example", "smtp://", "smtp://user:secret@mail.example", "mail.example:25"]
)
def test_a_setting_that_is_wrong_or_would_leak_the_password_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="The mail setting"):
        mailer(url)


@pytest.mark.parametrize(
    "url", ["smtps://user:secret@mail.example", "smtp+starttls://user:secret@mail.example:587"]
)
def test_an_encrypted_setting_may_carry_a_password(url: str) -> None:
    assert mailer(url)
