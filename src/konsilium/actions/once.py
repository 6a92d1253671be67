"""A form sent twice is done once: the same key again gets the same answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from konsilium.models import OnceKey
from konsilium.workflow.machine import Refused
from konsilium.workflow.roles import Actor
from konsilium.workflow.words import N_


class KeyReused(Refused):
    """The same key came with another body: neither the old answer nor a new one is right."""

    def __init__(self) -> None:
        """Say it in words that help."""
        super().__init__(N_("This form was sent already with other contents. Open the page again."))


@dataclass
class Once:
    """What a key got: `answer` is set when it was answered before; set it to keep a new answer."""

    answer: str = ""


@contextmanager
def once(*, actor: Actor, key: str, fingerprint: str, at: datetime) -> Iterator[Once]:
    """Let the body run for a key that is new, and keep its answer with it; hand back the stored answer otherwise.

    A second request with the same key waits here until the first one's transaction ends. Raises KeyReused when the
    body differs. Without a key nothing is remembered.
    """
    if not key:
        yield Once()
        return
    with transaction.atomic():
        if not _take(actor, key, fingerprint, at):
            yield _stored(actor, key, fingerprint)
            return
        given = Once()
        yield given
        OnceKey.objects.filter(person_id=actor.person_id, key=key).update(answer=given.answer)


def _take(actor: Actor, key: str, fingerprint: str, at: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO konsilium_oncekey (person_id, key, fingerprint, answer, at) VALUES (%s, %s, %s, '', %s)"
            " ON CONFLICT DO NOTHING",
            [actor.person_id, key, fingerprint, at],
        )
        return bool(cursor.rowcount)


def _stored(actor: Actor, key: str, fingerprint: str) -> Once:
    row = OnceKey.objects.get(person_id=actor.person_id, key=key)
    if row.fingerprint != fingerprint:
        raise KeyReused
    return Once(answer=row.answer)
