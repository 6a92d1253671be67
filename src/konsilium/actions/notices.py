"""What a person does with their own notices."""

from datetime import datetime

from konsilium.models import Notice
from konsilium.workflow.roles import Actor


def mark_read(notice: Notice, *, at: datetime) -> None:
    """Remember that the notice was opened."""
    Notice.objects.filter(pk=notice.pk, read_at=None).update(read_at=at)


def mark_all_read(actor: Actor, *, at: datetime) -> None:
    """Remember that all of the person's notices were seen."""
    Notice.objects.filter(person_id=actor.person_id, read_at=None).update(read_at=at)
