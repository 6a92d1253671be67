"""The thread of a request: messages, questions, and the answer that gives the request back to the centre."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from konsilium.actions._record import mark_read, record
from konsilium.actions._step import lock, step
from konsilium.models import Consultation, Document, Message
from konsilium.workflow.consultation import FINAL, Facts, State
from konsilium.workflow.machine import NotNow, Refused
from konsilium.workflow.roles import CENTRE_ROLES, Actor
from konsilium.workflow.words import N_


class NothingWritten(Refused):
    """A message without text says nothing."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(N_("Write the message first."))


class NoSuchQuestion(Refused):
    """What the answer refers to is no question of this request."""

    def __init__(self) -> None:
        """Say what it is about."""
        super().__init__(N_("The question that this answers is not in the request."))


class NotAttachable(Refused):
    """A file that isn't the writer's own, or stands with another message already."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(N_("A file could not be attached. Add it again."))


@dataclass(frozen=True)
class Letter:
    """What somebody writes: words, what kind of message they are, which question they answer, which files go along."""

    text: str
    kind: str = Message.MESSAGE
    answers: UUID | None = None
    documents: tuple[UUID, ...] = ()


def post(consultation: Consultation, letter: Letter, *, actor: Actor, at: datetime) -> Message:
    """Write in the thread of a request that was sent and isn't over, and let the other side know.

    An answer names its question. Raises NotThere, NotNow, NothingWritten, NoSuchQuestion or NotAttachable.
    """
    with transaction.atomic():
        row = lock(consultation, actor=actor)
        _in_talk(row)
        message = write(row, letter, actor=actor, at=at)
        record(row, "message_posted", actor=actor, at=at, subject=("message", message.pk))
        mark_read(row, actor=actor, at=at)
    return message


def put_question(row: Consultation, text: str, *, actor: Actor, at: datetime) -> Message:
    """Ask the requester from inside a step `ask`: the question in the thread, the clock standing still.

    `row` is the locked request in the state the question comes from, which is where the answer leads back to.
    """
    row.asked_at, row.asked_from = at, row.state
    if row.clock:
        row.set_clock(row.clock.pause(at, row.urgency))
    return write(row, Letter(text, Message.QUESTION), actor=actor, at=at)


def answer(
    consultation: Consultation,
    text: str,
    *,
    actor: Actor,
    at: datetime,
    documents: Iterable[UUID] = (),
    version: int | None = None,
) -> Message:
    """Answer the open question and give the request back to whom it came from; its clock runs on.

    Raises what `step` raises, and NotAttachable.
    """
    with step(
        consultation,
        "answer",
        actor=actor,
        at=at,
        version=version,
        facts=lambda row: _answer_facts(row, text),
    ) as row:
        question = open_question(row)
        letter = Letter(text, Message.ANSWER, question.pk if question else None, tuple(documents))
        message = write(row, letter, actor=actor, at=at)
        row.asked_at, row.asked_from = None, ""
        if row.clock:
            row.set_clock(row.clock.resume(at))
    return message


def open_question(consultation: Consultation) -> Message | None:
    """Return the centre's newest question that nobody has answered."""
    rows = Message.objects.filter(
        consultation=consultation, kind=Message.QUESTION, author_role__in=CENTRE_ROLES
    )
    return rows.filter(replies=None).order_by("-at", "-id").first()


def write(row: Consultation, letter: Letter, *, actor: Actor, at: datetime) -> Message:
    """Append a message with its files, inside the caller's transaction."""
    if not letter.text.strip():
        raise NothingWritten
    message = Message(
        consultation=row,
        kind=letter.kind,
        answers_id=_question(row, letter),
        text=letter.text.strip(),
        at=at,
        author_id=actor.person_id,
        author_name=actor.name,
        author_role=actor.role,
        author_organization=actor.organization_name,
    )
    message.save(force_insert=True)
    _attach(message, letter.documents)
    return message


def _question(row: Consultation, letter: Letter) -> UUID | None:
    if letter.kind != Message.ANSWER or letter.answers is None:
        return None
    questions = Message.objects.filter(consultation=row, kind=Message.QUESTION, pk=letter.answers)
    found = questions.values_list("pk", flat=True).first()
    if found is None:
        raise NoSuchQuestion
    return found


def _attach(message: Message, documents: tuple[UUID, ...]) -> None:
    if not documents:
        return
    free = Document.objects.present().filter(
        consultation=message.consultation, author_id=message.author_id, message=None, pk__in=documents
    )
    if free.update(message=message) != len(set(documents)):
        raise NotAttachable


def _in_talk(row: Consultation) -> None:
    if row.state == State.DRAFT:
        raise NotNow(N_("The request was not sent yet: nobody would read this."))
    if row.state in FINAL:
        raise NotNow(N_("The request is over: its thread can only be read."))


def _answer_facts(row: Consultation, text: str) -> Facts:
    return Facts(
        text_given=bool(text.strip()),
        asked_by_dispatcher=row.asked_from == State.SUBMITTED,
        asked_by_consultant=row.asked_from == State.ASSIGNED,
    )
